"""What functions do wrong, and what callers do."""

import ctypes
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

from cases import expect
from world import DEEP, FORKED, HANDLER, SLOW, World, archive, wait_until


def error_of(reply) -> dict:
    expect(reply.status == 200 and reply.headers["X-Amz-Function-Error"] == "Unhandled", str(reply))
    return reply.json()


def what_a_function_raises_is_told(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    raise ValueError('no ' + event)\n")
    error = error_of(world.invoke("f", '"way"'))
    expect(error["errorType"] == "ValueError" and error["errorMessage"] == "no way", str(error))
    expect(any("in handler" in line for line in error["stackTrace"]), str(error))
    plain = world.request("POST", "/run/f", '"way"')
    expect(plain.status == 500 and plain.json()["error"]["type"] == "ValueError", str(plain))
    # It has raised, and lives: the next call is the same instance's.
    world.idle("f", 1)
    expect(world.invoke("f", '"way"').headers["X-Sock-Path"] == "paused", "it was kept")


def a_function_that_ends_or_hangs_is_named(world: World) -> None:
    world.start()
    world.must_put("f", "import ctypes, os, signal, sys, time\n"
                        "def handler(event):\n"
                        "    print('going to', event, flush=True)\n"
                        "    if event == 'exit': os._exit(3)\n"
                        "    if event == 'crash': os.kill(os.getpid(), signal.SIGSEGV); ctypes.string_at(0)\n"
                        "    if event == 'memory': return len(bytearray(1 << 30))\n"
                        "    if event == 'close': os.close(3)\n"
                        "    if event == 'hang':\n        while True: pass\n"
                        "    return event\n", 'timeout = "1s"\nmemory = "64m"\n')
    for event, kind, words in (("exit", "Runtime.ExitError", "exit status 3"),
                               ("crash", "Runtime.ExitError", "signal 11"),
                               ("memory", "Runtime.OutOfMemory", "oom_killed"),
                               ("close", "Runtime.ExitError", ""),
                               ("hang", "Sandbox.Timedout", "1.00 seconds")):
        error = error_of(world.invoke("f", json.dumps(event)))
        expect(error["errorType"] == kind and words in error["errorMessage"], f"{event}: {error}")
        expect(f"going to {event}" in world.logs("f")[-1]["printed"], f"{event}: {world.logs('f')[-1]}")
        expect(world.result("f", '"well"') == "well", f"it serves after {event}")
    hung = world.request("POST", "/run/f", '"hang"')
    expect(hung.status == 504, str(hung))
    expect(wait_until(lambda: world.now("f")["instances"] <= 1), f"what failed is gone: {world.now('f')}")


def one_that_is_slow_to_die_of_memory_is_named(world: World) -> None:
    """It has closed its channel by then, and is there for longer than anybody waits."""
    world.start()
    world.must_put("f", "import os, signal\n"
                        "def handler(event):\n"
                        "    if os.fork() == 0: os._exit(len(bytearray(1 << 30)))\n"
                        "    os.wait()\n"
                        "    os.close(3)\n"
                        "    signal.pause()\n", 'memory = "64m"\n')
    error = error_of(world.invoke("f"))
    expect(error["errorType"] == "Runtime.OutOfMemory", str(error))


def an_idle_instance_that_has_died_is_not_called(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    for _ in range(2):
        expect(world.result("f") == 1, "it answers")
        world.idle("f", 1)
        payloads = world.payloads()
        expect(len(payloads) == 1, str(payloads))
        os.kill(payloads[0], signal.SIGKILL)
        expect(wait_until(lambda: not world.payloads()), str(world.payloads()))


def an_idle_instance_that_speaks_is_not_called(world: World) -> None:
    """What it says unasked would be taken for the answer of the next call."""
    world.start()
    world.must_put("f", "def handler(event):\n    return event\n")
    for say in (lambda channel: channel.send(b'{"result": "unasked"}\n'),
                lambda channel: channel.shutdown(socket.SHUT_RDWR)):
        expect(world.result("f", '"asked"') == "asked", "it answers")
        world.idle("f", 1)
        with channel_of(world.payloads()[0]) as channel:
            say(channel)
        reply = world.invoke("f", '"again"')
        expect(reply.status == 200 and reply.json() == "again", str(reply))
        expect(reply.headers["X-Sock-Path"] in FORKED, str(reply.headers))
        expect(wait_until(lambda: world.now("f")["instances"] == 1), f"the other has ended: {world.now('f')}")


def channel_of(pid: int) -> socket.socket:
    """The same that a payload calls 3."""
    pidfd_getfd = 438
    pidfd = os.pidfd_open(pid)
    try:
        got = ctypes.CDLL(None, use_errno=True).syscall(pidfd_getfd, pidfd, 3, 0)
        expect(got >= 0, os.strerror(ctypes.get_errno()))
        return socket.socket(fileno=got)
    finally:
        os.close(pidfd)


def code_that_cannot_be_loaded_says_why(world: World) -> None:
    world.start()
    world.must_put("broken", "def handler(event:\n")
    error = error_of(world.invoke("broken"))
    expect(error["errorType"] == "Runtime.ExitError", str(error))
    expect("SyntaxError" in world.logs("broken")[-1]["printed"], str(world.logs("broken")[-1]))
    world.must_put("nameless", "x = 1\n")
    error_of(world.invoke("nameless"))
    expect("AttributeError" in world.logs("nameless")[-1]["printed"], str(world.logs("nameless")[-1]))


def answers_that_are_none_end_the_instance(world: World) -> None:
    world.start()
    world.must_put("f", "import os\n"
                        "def handler(event):\n"
                        "    os.write(3, event.encode())\n    return 1\n")
    for event in ("no JSON\n", "{}\n", "[1]\n", '{"result": 5}\n{"result": 6}\n', '{"result": 1, "error": 2}\n'):
        error = error_of(world.invoke("f", json.dumps(event)))
        expect(error["errorType"] == "Runtime.MarshalError", f"{event!r}: {error}")
    expect(wait_until(lambda: world.now("f")["instances"] == 0), str(world.now("f")))
    world.must_put("endless", "import os\n"
                              "def handler(event):\n"
                              "    while True: os.write(3, b'x' * 65536)\n", 'timeout = "20s"\n')
    start = time.monotonic()
    error = error_of(world.invoke("endless"))
    expect(error["errorType"] == "Runtime.MarshalError" and time.monotonic() - start < 15, str(error))


def deep_answers_do_not_end_the_daemon(world: World) -> None:
    world.start()
    world.must_put("f", DEEP, 'timeout = "20s"\n')
    for event in (['{ "result":', "}"], ['{"error": {"trace": ', "}}"], ['{"error": {"message": ', "}}"], ["", ""]):
        error = error_of(world.invoke("f", json.dumps(event)))
        expect(error["errorType"] == "Runtime.MarshalError", f"{event}: {error}")


def results_are_bounded(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 'x' * event\n")
    expect(len(world.result("f", str(6_000_000))) == 6_000_000, "six megabytes")
    error = error_of(world.invoke("f", str(7_000_000)))
    expect(error["errorType"] == "TooLong", str(error)[:300])
    too_large = world.request("POST", "/run/f", b"1" * ((6 << 20) + 1))
    expect(too_large.status == 413, str(too_large))


def what_is_not_there_is_404(world: World) -> None:
    world.start()
    reply = world.invoke("nobody")
    expect(reply.status == 404 and reply.headers["X-Amzn-ErrorType"] == "ResourceNotFoundException", str(reply))
    for method, path, status in (("POST", "/run/nobody", 404), ("GET", "/run/nobody", 405), ("GET", "/nothing", 404),
                                 ("POST", "/run/%2e%2e", 404), ("POST", "/run/a/b", 404), ("POST", "/metrics", 405)):
        reply = world.request(method, path, "{}" if method == "POST" else None)
        expect(reply.status == status, f"{method} {path}: {reply}")


def a_function_that_cannot_be_is_refused(world: World) -> None:
    world.start()
    world.must_put("good", "def handler(event):\n    return 1\n")
    for spec, words in (("handler =", "line 1"), ("", "handler"), ('handler = "main"', "module:function"),
                        (HANDLER + 'memory = "1k"', "at least"), (HANDLER + "memory = 5", "memory"),
                        (HANDLER + 'timeout = "1d"', "timeout"), (HANDLER + 'timeout = "1h"', "at most"),
                        (HANDLER + "concurrency = 0", "concurrency"), (HANDLER + 'colour = "red"', "no such key"),
                        (HANDLER + 'runtime = "cobol"', "runtime"), (HANDLER + 'packages = ["numpy", 5]', "packages"),
                        (HANDLER + 'packages = ["no-such-package-here"]', "no-such-package-here"),
                        (HANDLER + 'application = "../up"', "application"), (HANDLER + "[env]\nA = 1", "env.A")):
        reply = world.put("good", archive({"function.toml": spec, "main.py": "\n"}))
        expect(reply.status in (400, 404) and words in reply.json()["error"]["message"], f"{spec!r}: {reply}")
    expect(world.result("good") == 1, "the version before serves on")
    versions = sorted(path.name for path in (world.state / "functions/good").iterdir())
    expect(versions == ["1", "current"], str(versions))


def names_and_archives_that_lead_out_are_refused(world: World) -> None:
    world.start()
    for name in ("..", ".staging", "a.b", "-x", "x" * 65, "caf%C3%A9"):
        reply = world.put(name, "\n")
        expect(reply.status in (400, 404), f"{name}: {reply}")
    hostile = (archive({"../escape": "x", "function.toml": HANDLER}), archive({"/etc/escape": "x"}),
               archive({"a/../../escape": "x"}), b"", b"no archive at all", b"PK\x03\x04" + b"\xff" * 100,
               archive({"function.toml": HANDLER, "main.py": "\n"})[:700])
    for number, body in enumerate(hostile):
        reply = world.put("f", body)
        expect(reply.status in (400, 413), f"archive {number}: {reply}")
    import io
    import tarfile
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo("link")
            entry.type, entry.linkname = kind, "/etc"
            tar.addfile(entry)
            inner = tarfile.TarInfo("link/escape")
            tar.addfile(inner, io.BytesIO())
        reply = world.put("f", out.getvalue())
        expect(reply.status == 400 and "only files and directories" in reply.body.decode(), f"{kind}: {reply}")
    expect(not Path("/etc/escape").exists() and not list(world.path.rglob("escape")), "nothing was written")
    expect(not list((world.state / "functions/.staging").iterdir()), "nothing is left")
    expect(world.request("GET", "/api/functions", control=True).json() == [], "and no function is there")


def strangers_may_call_and_no_more(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    for method, path in (("GET", "/api/functions"), ("GET", "/api/functions/f/logs"), ("DELETE", "/api/functions/f"),
                         ("PUT", "/api/functions/g")):
        reply = world.request(method, path, "x" if method == "PUT" else None)
        expect(reply.status == 403, f"{method} {path}: {reply}")
    for headers in ({"Origin": "http://elsewhere.example"}, {"Host": "elsewhere.example"}, {"Origin": "null"}):
        reply = world.request("POST", "/run/f", "{}", headers)
        expect(reply.status == 403 and b"another site" in reply.body, f"a page of somebody else's: {headers}: {reply}")
    mode = (world.state / "control").stat().st_mode & 0o777
    expect(mode == 0o700, oct(mode))


def a_token_opens_everything_and_nothing_opens_without(world: World) -> None:
    token = world.path / "token"
    token.write_text("a secret of some length\n")
    settings = world.path / "settings"
    settings.write_text(f'token_file = "{token}"\n')
    world.start("--config", str(settings))
    expect(world.request("GET", "/healthz").status == 200, "that it lives is no secret")
    for given in (None, "Bearer wrong", "Bearer a secret of some lengt", "Bearer a secret of some length!", "Basic x"):
        reply = world.request("GET", "/api/functions", None, {"Authorization": given} if given else {})
        expect(reply.status == 401, f"{given}: {reply}")
    right = {"Authorization": "Bearer a secret of some length"}
    expect(world.request("GET", "/api/functions", None, right).json() == [], "the right one")
    named = {"Host": "functions.example", "Origin": "https://functions.example"}
    expect(world.request("GET", "/api/functions", None, {**right, **named}).status == 200, "behind a proxy with a name")
    expect(world.request("GET", "/api/functions", None, named).status == 401, "not without the token")
    expect(world.request("GET", "/", None, named).status == 200, "the page asks for it itself")


def a_large_function_gets_its_turn(world: World) -> None:
    """Small instances, which end after each call, take and free memory all the time; two at once fit, and a large one
    alone."""
    world.start("--memory", "200m")
    world.must_put("small", SLOW, 'memory = "64m"\ninstances = "fresh"\n')
    world.must_put("large", "def handler(event):\n    return 1\n", 'memory = "192m"\n')
    done = threading.Event()

    def keep_calling() -> None:
        while not done.is_set():
            world.invoke("small", "0.2")

    callers = [threading.Thread(target=keep_calling) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        expect(wait_until(lambda: world.now("small")["instances"] == 3), "the memory is taken")
        reply = world.invoke("large")
        expect(reply.status == 200, str(reply))
    finally:
        done.set()
        for caller in callers:
            caller.join()


def large_events_keep_nobody_waiting(world: World) -> None:
    world.start()
    world.must_put("length", "def handler(event):\n    return len(event)\n", 'memory = "256m"\ntimeout = "60s"\n')
    world.must_put("same", "def handler(event):\n    return event\n", 'memory = "256m"\ntimeout = "60s"\n')
    values = json.dumps([[index] for index in range(500_000)])
    expect(world.result("length", values) == 500_000, "many values")
    expect(world.result("same", values) == json.loads(values), "both ways")
    expect(world.request("POST", "/run/length", values).json() == 500_000, "as OpenLambda")
    expect(world.request("POST", "/run/length", values[:-1]).json() == len(values) - 1, "and what is none is a text")
    expect(world.invoke("length", values[:-1]).status == 400, "and no event")


def those_who_wait_are_bounded(world: World) -> None:
    settings = world.path / "settings"
    settings.write_text('function_queue = 2\nqueue_time = "2s"\n')
    world.start("--config", str(settings))
    world.must_put("slow", SLOW, 'concurrency = 1\ntimeout = "20s"\n')
    world.result("slow", "0")
    replies: dict[int, object] = {}
    threads = [threading.Thread(target=lambda n=n: replies.__setitem__(n, world.invoke("slow", "4" if n == 0 else "0")))
               for n in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        if number == 0:
            expect(wait_until(lambda: world.now("slow")["idle"] == 0), "the first is at work")
    for thread in threads:
        thread.join()
    expect(replies[0].status == 200, str(replies[0]))
    statuses = sorted(reply.status for number, reply in replies.items() if number > 0)
    expect(statuses == [429] * 4, f"two are refused at once, two after two seconds: {replies}")
    expect(all(reply.headers["Retry-After"] == "1" for n, reply in replies.items() if n > 0), "and may try again")
    expect(world.result("slow", "0") == 0, "it serves on")


def what_takes_too_much_memory_is_in_no_zygote(world: World) -> None:
    """Those of its application lose nothing by it."""
    world.add_package("greedy", "kept = bytearray(256 << 20)\n")
    world.add_package("small", "x = sum(range(3_000_000))\n")
    settings = world.path / "settings"
    settings.write_text('zygote_memory = "64m"\n')
    world.start("--config", str(settings))
    code = "import sys\nhad = sorted({'greedy', 'small'} & set(sys.modules))\nimport %s\ndef handler(event):\n    return had\n"
    for name in ("small", "greedy"):
        world.must_put(name, code % name, f'packages = ["{name}"]\ninstances = "fresh"\nmemory = "512m"\n')
    expect(wait_until(lambda: world.result("small") == ["small"]), "imported in a zygote")

    def refusal() -> list[str]:
        expect(world.result("greedy") == [], "it imports by itself")
        return [line for line in world.log().split("\n") if "greedy" in line and "out of its domain's memory" in line]

    expect(wait_until(refusal), world.request("GET", "/status").body.decode())
    expect(wait_until(lambda: world.result("small") == ["small"]), world.log() + world.request("GET", "/status").body.decode())


def memory_is_never_promised_twice(world: World) -> None:
    world.start("--memory", "65m")
    for name in ("a", "b"):
        world.must_put(name, SLOW, 'memory = "64m"\n')
    expect(world.result("a", "0") == 0, "the first")
    world.idle("a", 1)
    expect(world.result("b", "0") == 0, "the idle one ends for it")
    expect(wait_until(lambda: world.now("a")["instances"] == 0), str(world.now("a")))
    replies = []
    threads = [threading.Thread(target=lambda n=name: replies.append(world.invoke(n, "0.2"))) for name in "abab"]
    most = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, world.request("GET", "/status").json()["memory"]["promised"])
    expect(all(reply.status == 200 for reply in replies) and len(replies) == 4, str(replies))
    expect(0 < most <= 65 << 20, str(most))
    reply = world.put("huge", "def handler(event):\n    return 1\n", 'memory = "200m"\n')
    expect(reply.status == 400 and "for all instances" in reply.body.decode(), f"what never fits: {reply}")


def careless_clients_disturb_nobody(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    expect(world.result("f") == 1, "it answers")

    def send(data: bytes, shut: bool = False) -> bytes:
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as client:
            client.sendall(data)
            if shut:
                client.shutdown(socket.SHUT_WR)
            out = b""
            try:
                while part := client.recv(65536):
                    out += part
            except OSError:
                pass
            return out

    expect(b" 400 " in send(b"no HTTP at all\r\n\r\n"), "what is no HTTP")
    expect(b" 431 " in send(b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"), "a long header")
    expect(b" 413 " in send(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"), "a long body")
    send(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc", shut=True)
    continued = send(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n"
                     b"Content-Length: 2\r\n\r\n{}")
    expect(continued.startswith(b"HTTP/1.1 100 ") and continued.endswith(b"1\n"), str(continued))
    both = send(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}" * 2
                + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    expect(both.count(b"HTTP/1.1 200 OK") == 3, str(both))
    silent = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(200)]
    expect(world.result("f") == 1, "with two hundred that say nothing")
    for client in silent:
        client.close()


TESTS = [what_a_function_raises_is_told, a_function_that_ends_or_hangs_is_named, one_that_is_slow_to_die_of_memory_is_named,
         an_idle_instance_that_has_died_is_not_called, an_idle_instance_that_speaks_is_not_called, code_that_cannot_be_loaded_says_why,
         answers_that_are_none_end_the_instance, deep_answers_do_not_end_the_daemon, results_are_bounded, what_is_not_there_is_404,
         a_function_that_cannot_be_is_refused, names_and_archives_that_lead_out_are_refused,
         strangers_may_call_and_no_more, a_token_opens_everything_and_nothing_opens_without, those_who_wait_are_bounded, a_large_function_gets_its_turn,
         large_events_keep_nobody_waiting,
         what_takes_too_much_memory_is_in_no_zygote, memory_is_never_promised_twice, careless_clients_disturb_nobody]
