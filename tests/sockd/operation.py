"""The daemon itself: its start, its end, and what is left of both."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from cases import Failed, expect
from world import FORKED, SLOW, SOCKD, ControlConnection, Reply, World, descriptors, wait_until

FULL = os.environ.get("SOCK_TEST_FULL") is not None


def functions_are_there_after_a_restart(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    world.must_put("f", "def handler(event):\n    return 2\n")
    world.must_put("gone", "def handler(event):\n    return 2\n")
    expect(world.request("DELETE", "/api/functions/gone", control=True).status == 200, "one is removed")
    expect(world.stop() == 0, world.log())
    world.start()
    expect(world.result("f") == 2 and world.invoke("gone").status == 404, "the others are there")
    expect([path.name for path in (world.state / "functions").iterdir() if path.name != ".staging"] == ["f"], "and no more")


def a_killed_daemon_leaves_nothing(world: World) -> None:
    world.start()
    world.must_put("f", SLOW, 'timeout = "60s"\n')
    world.result("f", "0")
    caller = threading.Thread(target=lambda: failing(world))
    caller.start()
    expect(wait_until(lambda: world.now("f")["idle"] == 0), "one call is at work")
    daemon = world.daemon.pid
    janitor = subprocess.run(["pgrep", "-P", str(daemon)], capture_output=True, text=True, check=False).stdout.split()
    expect(len(janitor) > 0, "it has children")
    world.stop(signal.SIGKILL)
    caller.join()
    expect(wait_until(lambda: not alive(janitor)), f"children are left: {alive(janitor)}")
    world.start()
    expect(world.result("f", "0") == 0, "the next one serves")


def failing(world: World) -> None:
    try:
        world.invoke("f", "50")
    except (OSError, __import__("http.client").client.HTTPException):
        pass


def alive(pids: list[str]) -> list[str]:
    return subprocess.run(["ps", "-o", "pid=,stat=,comm=", "-p", ",".join(pids)], capture_output=True, text=True,
                          check=False).stdout.split("\n")[:-1]


def a_daemon_may_end_as_soon_as_it_is_ready(world: World) -> None:
    for _ in range(20):
        world.start()
        status = world.stop()
        expect(status == 0, f"{status}: {world.log()}")


def calls_may_end_when_the_daemon_does(world: World) -> None:
    world.start()
    world.must_put("f", SLOW)
    replies = []
    caller = threading.Thread(target=lambda: replies.append(world.invoke("f", "1")))
    caller.start()
    expect(wait_until(lambda: world.now("f")["instances"] == 1), "it is at work")
    expect(world.stop() == 0, world.log())
    caller.join()
    expect(replies[0].status == 200 and replies[0].json() == 1, str(replies))


def answers_that_are_on_their_way_arrive(world: World) -> None:
    """A daemon that ends waits for who reads slowly, within its time, and for nobody who asks nothing."""
    world.start()
    world.must_put("f", "def handler(event):\n    return 'x' * event\n")
    world.result("f", "1")
    idle, slow = (socket.socket(socket.AF_UNIX) for _ in range(2))
    with idle, slow:
        for client in (idle, slow):
            client.settimeout(30)
            client.connect(str(world.state / "control"))
        slow.sendall(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n5000000")
        expect(wait_until(lambda: len(world.logs("f")) == 2), "the function has answered; that is more than a socket holds")
        world.daemon.send_signal(signal.SIGTERM)
        ending = select.select([world.daemon.stdout], [], [], 10)[0]
        expect(bool(ending) and "ending" in world.daemon.stdout.readline(), "it ends")
        expect(wait_until(lambda: not world.payloads()), "no instance is left")
        idle.sendall(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1")
        refused = http.client.HTTPResponse(idle)
        refused.begin()
        expect(refused.status == 503 and refused.headers["Retry-After"] == "1", f"{refused.status} {refused.headers}")
        expect(refused.headers["Connection"] == "close", f"and nobody asks again here: {refused.headers}")
        answer = b""
        while part := slow.recv(1 << 20):
            answer += part
        expect(len(answer) > 5_000_000 and answer.endswith(b'x"\n'), f"{len(answer)} bytes: {answer[:200]}")
        expect(world.daemon.wait(timeout=5) == 0, f"it does not wait for who asks nothing: {world.log()}")


def a_second_signal_waits_for_nobody(world: World) -> None:
    """Nor for requests that take part of the room for large ones."""
    world.start()
    world.must_put("f", "import signal\ndef handler(event):\n    signal.pause()\n", 'timeout = "60s"\nconcurrency = 1\n')
    body = b'"' + b"x" * 200_000 + b'"'
    clients = [socket.create_connection(("127.0.0.1", world.port), timeout=30) for _ in range(3)]
    for client in clients:
        client.sendall(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    expect(wait_until(lambda: world.now("f")["waiting"] == 2), "one is at work, two wait")
    clients[0].sendall(b"POST /run/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
    world.daemon.send_signal(signal.SIGTERM)
    expect("ending" in world.daemon.stdout.readline(), "it ends")
    start = time.monotonic()
    status = world.stop()
    expect(status == 0 and time.monotonic() - start < 10, f"{status} after {time.monotonic() - start:.1f} s: {world.log()}")
    for client in clients:
        client.close()
    expect(not world.payloads(), str(world.payloads()))


def two_daemons_do_not_share_a_state(world: World) -> None:
    world.start()
    second = subprocess.run([SOCKD, "--state", str(world.state)], capture_output=True, text=True, timeout=60, check=False)
    expect(second.returncode == 1 and "another sockd uses it" in second.stderr, str(second))


def settings_that_cannot_be_are_refused(world: World) -> None:
    settings = world.path / "settings"
    for text, words in (("listen = 5", "listen"), ("colour = 1", "colour"), ("state =", "line 1"), ("queue = 0", "queue"),
                        ('listen = ["0.0.0.0:0"]', "token_file"), ('listen = ["127.0.0.1:http"]', "a port is a number"),
                        ('token_file = "/dev/null"', "at least 16")):
        settings.write_text(text + "\n")
        done = subprocess.run([SOCKD, "--state", str(world.state), "--config", str(settings)], capture_output=True,
                              text=True, timeout=60, check=False)
        expect(done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, f"{text}: {done}")


def a_state_may_be_named_by_a_link(world: World) -> None:
    (world.path / "place").mkdir()
    (world.path / "link").symlink_to("place")
    world.state = world.path / "link" / "state"
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    expect(world.result("f") == 1 and (world.path / "place/state/functions/f").is_dir(), "it serves")


def the_service_manager_is_told(world: World) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(world.path / "notify"))
        manager.settimeout(20)
        world.start(env={**os.environ, "NOTIFY_SOCKET": str(world.path / "notify")})
        expect(manager.recv(1000).startswith(b"READY=1\n"), "that it is ready")
        expect(world.stop() == 0, world.log())
        expect(manager.recv(1000).startswith(b"STOPPING=1\n"), "that it ends")


def passed_sockets_are_served(world: World) -> None:
    # systemd gives descriptors from 3 on, and says whose they are.
    def start_with(socket_: socket.socket) -> None:
        world.start(listen=(), prefix=("bash", "-c", 'LISTEN_PID=$$ exec "$@" 3<&"$PASSED"', "bash"),
                    env={**os.environ, "LISTEN_FDS": "1", "PASSED": str(socket_.fileno())}, pass_fds=(socket_.fileno(),))

    for bind, family in (("127.0.0.1", socket.AF_INET), (str(world.path / "calls"), socket.AF_UNIX)):
        with socket.socket(family) as listening:
            listening.bind((bind, 0) if family == socket.AF_INET else bind)
            listening.listen()
            start_with(listening)
            world.put("f", "def handler(event):\n    return 1\n")
            if family == socket.AF_INET:
                expect(world.port == listening.getsockname()[1] and world.result("f") == 1, "by TCP")
            else:
                caller = ControlConnection(Path(bind))
                caller.request("POST", "/run/f", "1")
                expect(Reply(caller.getresponse()).status == 200, "by a unix socket")
                caller.request("GET", "/api/functions")
                expect(Reply(caller.getresponse()).status == 403, "as a stranger")
                caller.close()
            expect(world.stop() == 0, world.log())
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        try:
            start_with(listening)
        except Failed as error:
            expect("needs token_file" in str(error), str(error))
        else:
            expect(False, "it listens beyond this machine")


def units_can_be_loaded(world: World) -> None:
    for unit in ("sockd.service", "sockd.socket"):
        text = Path(SOCKD).with_name(unit).read_text()
        text = "\n".join(f"ExecStart={SOCKD}" if line.startswith("ExecStart=") else line for line in text.splitlines())
        (world.path / unit).write_text(text + "\n")
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", str(world.path / unit)], capture_output=True,
                              text=True, check=False)
        expect(said.returncode == 0 and said.stderr == "", f"{unit}: {said.stderr}")


def logs_can_be_followed(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return event\n")
    first = world.request("GET", "/api/functions/f/logs?lines=0", control=True)
    position = first.headers["X-Sock-Log-Position"]
    expect(first.body == b"", "nothing yet")
    replies = []
    follower = threading.Thread(target=lambda: replies.append(
        world.request("GET", f"/api/functions/f/logs?after={position}", control=True)))
    follower.start()
    world.result("f", "1")
    follower.join()
    expect(len(replies[0].body.splitlines()) == 1, str(replies))
    world.result("f", "2")
    world.result("f", "3")
    later = world.request("GET", f"/api/functions/f/logs?after={replies[0].headers['X-Sock-Log-Position']}", control=True)
    expect(len(later.body.splitlines()) == 2, str(later))
    other = world.request("GET", "/api/functions/f/logs?after=deadbeef-7", control=True)
    expect(len(other.body.splitlines()) == 3, "all of this run, after a position of another one")


def it_tells_how_it_is(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return 1\n")
    forked = world.invoke("f").headers["X-Sock-Path"]
    world.idle("f", 1)
    world.result("f")
    world.idle("f", 1)
    world.invoke("nobody-knows-it")
    expect(world.request("GET", "/healthz").body == b"ok\n", "it lives")
    text = world.request("GET", "/metrics").body.decode()
    expect(forked in FORKED, forked)
    for line in (f'sockd_calls_total{{function="f",outcome="result",path="{forked}"}} 1',
                 'sockd_calls_total{function="f",outcome="result",path="paused"} 1',
                 'sockd_calls_total{function="",outcome="unknown_function",path=""} 1',
                 'sockd_http_answers_total{code="404"} 1',
                 'sockd_call_seconds_count{function="f",path="paused"} 1', 'sockd_instances{function="f"} 1',
                 'sockd_idle_instances{function="f"} 1', "sockd_memory_promised_bytes "):
        expect(line in text, f"{line} is not in {text}")
    expect("nobody-knows-it" not in text, "names that are made up are not counted by name")
    refused = "refused with 404: POST /2015-03-31/functions/nobody-knows-it/invocations"
    expect(refused in world.log(), world.log())
    status = world.request("GET", "/status").json()
    expect(status["functions"][0]["name"] == "f" and 0 < status["memory"]["promised"] <= 128 << 20, json.dumps(status))
    zygotes = status["import_caches"][0]["zygotes"]
    expect(zygotes[0]["replicas"] >= 1 and zygotes[0]["forks"] == 1, json.dumps(zygotes))


def status_tells_what_became_of_calls(world: World) -> None:
    world.start()
    code = "def handler(event):\n    if event == 'raise': raise ValueError('no')\n    return event\n"
    world.must_put("f", code)
    world.must_put("unused", code, 'application = "shop"\n')
    forked = world.invoke("f", '"raise"').headers["X-Sock-Path"]
    for event in ("1", "2"):
        world.idle("f", 1)
        world.invoke("f", event)
    world.idle("f", 1)
    world.invoke("nobody-knows-it")
    status = world.request("GET", "/status").json()
    functions = {each["name"]: each for each in status["functions"]}
    expect(status["calls"] == {"raised": 1, "result": 2, "unknown_function": 1}, str(status["calls"]))
    expect(functions["f"]["calls"] == {"raised": 1, "result": 2} and 0 < functions["f"]["median_ms"] < 10_000, str(functions["f"]))
    expect(functions["unused"]["calls"] == {} and functions["unused"]["median_ms"] is None, str(functions["unused"]))
    expect(0 < status["uptime_seconds"] < 600 and status["version"][0].isdigit(), str(status))
    bounds, paths = status["starts"]["bounds_seconds"], status["starts"]["paths"]
    expect(bounds == sorted(bounds) and forked in FORKED and set(paths) == {forked, "paused"}, str(paths))
    expect(sum(paths[forked]["counts"]) == 1 and sum(paths["paused"]["counts"]) == 2, str(paths))
    expect(len(paths[forked]["counts"]) == len(bounds) + 1 and paths[forked]["sum_seconds"] > 0, str(paths))
    expect('sockd_start_seconds_count{path="paused"} 2' in world.request("GET", "/metrics").body.decode(), "in /metrics too")
    expect(sorted(cache["application"] for cache in status["import_caches"]) == ["", "shop"], str(status["import_caches"]))


def nothing_grows_with_calls(world: World) -> None:
    world.start()
    world.must_put("f", "def handler(event):\n    return event\n", 'instances = "fresh"\n')
    world.must_put("g", "def handler(event):\n    return event\n")

    def call_all() -> None:
        for number in range(60):
            expect(world.result("f" if number % 2 else "g", str(number)) == number, "an answer")
        expect(wait_until(lambda: world.now("f")["instances"] == 0), str(world.now("f")))
        world.idle("g", 1)

    call_all()
    before = descriptors(world.daemon.pid)
    call_all()
    expect(wait_until(lambda: descriptors(world.daemon.pid) <= before),
           f"{before} descriptors became {descriptors(world.daemon.pid)}")


def who_is_not_called_for_a_while_ends(world: World) -> None:
    settings = world.path / "settings"
    settings.write_text('idle_time = "2s"\n')
    world.start("--config", str(settings))
    world.must_put("f", "def handler(event):\n    return event\n")
    start = time.monotonic()
    expect(world.result("f", "1") == 1, "it answers")
    world.idle("f", 1)
    # It is looked at every ten seconds.
    expect(wait_until(lambda: world.now("f")["instances"] == 0, 15), f"{world.now('f')}")
    expect(time.monotonic() - start >= 2, "and not before its time")
    expect(world.result("f", "2") == 2, "and another one answers")


TESTS = [the_service_manager_is_told, passed_sockets_are_served, units_can_be_loaded, logs_can_be_followed,
         functions_are_there_after_a_restart, a_killed_daemon_leaves_nothing,
         a_daemon_may_end_as_soon_as_it_is_ready, calls_may_end_when_the_daemon_does, answers_that_are_on_their_way_arrive, a_second_signal_waits_for_nobody, two_daemons_do_not_share_a_state,
         settings_that_cannot_be_are_refused, a_state_may_be_named_by_a_link, it_tells_how_it_is,
         status_tells_what_became_of_calls, nothing_grows_with_calls,
         *([who_is_not_called_for_a_while_ends] if FULL else [])]
