"""The status page, over HTTP and in a browser."""

import base64
import hashlib
import os
import re
from pathlib import Path

from browser import Browser
from cases import expect
from world import World, archive, wait_until

CODE = "def handler(event):\n    if event == 'raise': raise ValueError('no')\n    return event\n"
HOSTILE = "<img src=x onerror=document.title='injected'>"


def address(world: World) -> str:
    return f"http://127.0.0.1:{world.port}/"


def source_hash(body: str, tag: str) -> str:
    text = re.search(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL).group(1)
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def the_page_may_do_no_more_than_it_does(world: World) -> None:
    world.start()
    reply = world.request("GET", "/")
    body = reply.body.decode()
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    expect(reply.status == 200 and reply.headers["Content-Type"] == "text/html; charset=utf-8", str(reply))
    expect(policy["default-src"] == "'none'" and policy["connect-src"] == "'self'", str(policy))
    expect(policy["frame-ancestors"] == "'none'" and policy["form-action"] == "'none'", str(policy))
    for tag in ("script", "style"):
        expect(policy[f"{tag}-src"] == f"'{source_hash(body, tag)}'", f"{tag}: {policy}")
    expect(reply.headers["X-Content-Type-Options"] == "nosniff" and reply.headers["Referrer-Policy"] == "no-referrer", str(reply.headers))
    elsewhere = re.findall(r"""(?:src|href)=(?!"data:|"/status").*""", body)
    expect(not elsewhere, f"it loads nothing: {elsewhere}")


def the_page_is_got_and_no_more(world: World) -> None:
    world.start()
    whole = world.request("GET", "/")
    head = world.request("HEAD", "/")
    expect(head.status == 200 and head.body == b"" and head.headers["Content-Length"] == str(len(whole.body)), str(head))
    for method in ("POST", "PUT", "DELETE"):
        reply = world.request(method, "/", "x")
        expect(reply.status == 405 and reply.headers["Allow"] == "GET", f"{method}: {reply}")
    for headers in ({"Host": "elsewhere.example"}, {"Origin": "http://elsewhere.example"}):
        expect(world.request("GET", "/", None, headers).status == 403, f"pages of somebody else's: {headers}")
    expect(world.request("GET", "/", control=True).body == whole.body, "whoever runs it sees the same")


def the_page_shows_functions_calls_and_zygotes_as_they_change(world: World) -> None:
    world.add_package("one", "x = 1\n")
    world.add_package("two", "x = 2\n", "one")
    world.start()
    world.must_put("hello", CODE, 'packages = ["two"]\n')
    with Browser(world.path / "browser") as browser:
        browser.open(address(world))
        expect(wait_until(lambda: "hello" in browser.text("#functions")), browser.text())
        expect(browser.text("#state") == "Live" and browser.text("#calls") == "0", browser.text())
        expect("none yet" in browser.text("#starts"), browser.text("#starts"))

        def shows(selector: str, words: str) -> None:
            expect(wait_until(lambda: words in browser.text(selector)), f"{words}: {browser.text(selector)}")

        chart = f'#starts [data-key={world.invoke("hello", "1").headers["X-Sock-Path"]}]'
        shows("#functions", "1 result")
        shows("#calls", "1")
        world.invoke("hello", '"raise"')
        shows("#functions", "1 result, 1 raised")
        shows("#calls-failed", "1 failed")
        # The parent's item has the child's in it.
        shows(".tree li li", "one==1.0, two==1.0")
        for words in ("root", "node-1", "Memory", "Hits"):
            shows(".tree", words)
        shows(chart, "1 call")
        bars = browser.run("return [...document.querySelectorAll(arguments[0])]"
                           ".map((bar) => [bar.textContent, bar.getBoundingClientRect().height])", f"{chart} rect")
        expect([text.endswith(": 1") for text, height in bars if height > 1] == [True], str(bars))
        expect("100 ms" in browser.text(chart), browser.text("#starts"))
        world.request("DELETE", "/api/functions/hello", control=True)
        expect(wait_until(lambda: "hello" not in browser.text("#functions")), browser.text("#functions"))
        expect(browser.complaints() == [], "nothing was refused to it")


def the_page_fits_narrow_and_wide_windows(world: World) -> None:
    """SOCK_TEST_SCREENSHOTS names a directory for pictures of it."""
    world.add_package("one", "x = 1\n")
    world.start()
    for name, spec in (("hello", ""), ("x" * 64, 'packages = ["one"]\napplication = "shop"\n')):
        world.must_put(name, CODE, spec)
        world.result(name, "1")
        world.invoke(name, '"raise"')
    grounds = set()
    with Browser(world.path / "browser") as browser:
        browser.open(address(world))
        expect(wait_until(lambda: "hello" in browser.text("#functions")), browser.text())
        for width in (360, 400, 820, 1400):
            for scheme in ("light", "dark"):
                browser.show_as(width, scheme)
                wide, ground = browser.run("return [document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]")
                expect(wide <= width, f"{wide} pixels are needed in a window of {width}")
                grounds.add(ground)
                if pictures := os.environ.get("SOCK_TEST_SCREENSHOTS"):
                    browser.screenshot(Path(pictures) / f"{width}-{scheme}.png")
    expect(len(grounds) == 2, f"light and dark: {grounds}")


def zygotes(world: World) -> list[dict]:
    return world.request("GET", "/status").json()["import_caches"][0]["zygotes"]


def hostile(value):
    """The same, with every text a hostile one."""
    if isinstance(value, dict):
        return {key: hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return HOSTILE + value if isinstance(value, str) else value


def what_functions_say_is_text_on_the_page(world: World) -> None:
    world.add_package("one", "x = 1\n")
    world.start()
    reply = world.put("f", archive({"function.toml": f'handler = "{HOSTILE}:f"\npackages = ["one"]\n', "main.py": "\n"}))
    expect(reply.status == 200, str(reply))
    world.invoke("f")
    expect(wait_until(lambda: len(zygotes(world)) == 2), str(zygotes(world)))
    status = hostile(world.request("GET", "/status").json())
    status["functions"][0]["calls"] = {HOSTILE: 1}
    status["starts"]["paths"][HOSTILE] = next(iter(status["starts"]["paths"].values()))
    with Browser(world.path / "browser") as browser:
        browser.open(address(world))
        expect(wait_until(lambda: HOSTILE in browser.text("#functions")), browser.text())
        # As show() of the page's script has it from /status.
        shown = browser.run("show(arguments[0]); return [...document.querySelectorAll(arguments[1])].map((each) => each.innerText)",
                            status, "#daemon, tbody th *, .outcomes, figcaption, .cache h3, .name, .packages, .failure")
        told = [text for text in shown if HOSTILE in text]
        expect(len(told) >= 11, f"all of it is there: {shown}")
        expect(browser.run("return [document.images.length, document.title]") == [0, "sockd"], "and is no element")
        expect(browser.complaints() == [], "nothing was refused to it")


def the_page_asks_for_the_token(world: World) -> None:
    (world.path / "token").write_text("a secret of söme length\n")
    (world.path / "settings").write_text(f'token_file = "{world.path / "token"}"\n')
    world.start("--config", str(world.path / "settings"))
    world.must_put("hello", CODE)
    expect(world.request("GET", "/status").status == 401, "strangers see nothing")
    with Browser(world.path / "browser") as browser:
        browser.open(address(world))
        expect(wait_until(lambda: "wants its token" in browser.text("#state")), browser.text())
        expect("hello" not in browser.text(), browser.text())
        browser.write("#token", "another one of that length\n")
        expect(wait_until(lambda: "not sockd's token" in browser.text("#state")), browser.text())
        browser.write("#token", "a secret of söme length\n")
        expect(wait_until(lambda: "hello" in browser.text("#functions")), browser.text())
        expect(browser.text("#token-form") == "", "the form is gone")
        browser.command("POST", "/refresh")
        expect(wait_until(lambda: "hello" in browser.text("#functions")), f"it is kept: {browser.text()}")
        unexpected = [line for line in browser.complaints() if "status of 401" not in line]
        expect(unexpected == [], str(unexpected))


def the_page_says_when_the_daemon_is_gone_and_recovers(world: World) -> None:
    world.start()
    world.must_put("hello", CODE)
    with Browser(world.path / "browser") as browser:
        browser.open(address(world))
        expect(wait_until(lambda: browser.text("#state") == "Live"), browser.text())
        expect(browser.complaints() == [], "nothing is wrong")
        world.stop()
        expect(wait_until(lambda: "has not answered since" in browser.text("#state")), browser.text())
        expect("hello" in browser.text("#functions"), "what was known is shown still")
        world.start("--listen", f"127.0.0.1:{world.port}")
        expect(wait_until(lambda: browser.text("#state") == "Live"), browser.text())


TESTS = [the_page_may_do_no_more_than_it_does, the_page_is_got_and_no_more,
         the_page_shows_functions_calls_and_zygotes_as_they_change, the_page_fits_narrow_and_wide_windows, what_functions_say_is_text_on_the_page,
         the_page_asks_for_the_token, the_page_says_when_the_daemon_is_gone_and_recovers]
