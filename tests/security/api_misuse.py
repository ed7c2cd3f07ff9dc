"""API: garbage on the control socket and as configuration, and all verbs at once."""

import array
import json
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter

from model import USER, Scenario, check

DEEP = "[" * 200000
GARBAGE = [b"", b"\0", b"{", b"null", b"[]", b'"verb"', b"\xff\xfe{}", DEEP.encode()[:60000], b"{}", b'{"verb":7}',
           b'{"verb":"exec"}', b'{"verb":"exec","argv":"x"}', b'{"verb":"exec","argv":[1],"env":{}}',
           b'{"verb":"exec","argv":[],"fds":["in","out"]}', b'{"verb":"signal","number":1e400}',
           b'{"verb":"signal","number":-9}', b'{"verb":"signal","number":"KILL"}', b'{"verb":"wait","verb":"nothing"}',
           b'{"verb":"exec","argv":["/bin/true"],"terminal":7}', b'{"verb":"exec","argv":["/bin/true"],"user":"-1"}',
           b'{"verb":"remove","force":"yes"}', b'{"verb":"\\ud800"}', b'{"verb":"exec","argv":["a\\u0000b"]}']
# What no option takes. JSON's own idea of a number ends where ours does.
ODD_VALUES = [None, True, -1, 2 ** 64, 1e308, "", "\0", "\ud800", [], [[]], {}, ["x"], "9" * 400]
ODD_OPTIONS = [("-m", "99999999999999999999"), ("-m", "nan"), ("-m", "-1"), ("-m", "16777216t"), ("--cpus", "nan"),
               ("--cpus", "inf"), ("--cpus", "1e308"), ("--cpus", "-1"), ("--wall", "1e999"), ("--wall", "nan"),
               ("--wall", "9223372036854775807h"), ("--pids", "-1"), ("--pids", "4294967296"),
               ("--rlimit", "nofile=-1"), ("--rlimit", "nofile=1e3"),
               ("--tmpfs", "/x:size=18446744073709551616"), ("--tmpfs", "/x:mode=-1"),
               ("--tmpfs", "/x:inodes=99999999999999999999"), ("--userns", "0:0:4294967296"),
               ("--userns", "4294967295:0:2"), ("--log-max", "-5"), ("--net", "-1"), ("--net", "99999999999")]
THREADS, SECONDS = 16, 4


def connect(world, name: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    directory = os.open(world.state / "containers" / name, os.O_PATH)
    try:
        client.connect(f"/proc/self/fd/{directory}/control")
    finally:
        os.close(directory)
    client.settimeout(5)
    return client


def monitor_of(starter, name: str) -> int:
    shown = json.loads(starter.sockctl("inspect", name).stdout)
    return (shown[0] if isinstance(shown, list) else shown)["monitor_pid"]


def descriptors(pid: int) -> Counter:
    """Kinds and files, as the numbers and sockets themselves are new ones each time."""
    found = Counter()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[os.readlink(f"/proc/{pid}/fd/{fd}").split(":[")[0]] += 1
        except OSError:
            continue
    return found


def hostile_clients(world, starter) -> str:
    """A payload has no socket of ours: this is whoever else is the same user."""
    inside = starter.run(USER, (), "/bin/sh", "-c", "ls -l /proc/self/fd /proc/1/fd 2>/dev/null; ls /run /var 2>&1")
    check("socket:" not in inside.stdout, f"the payload holds a socket: {inside}")
    with starter.detached("attacked", "-u", "1000", "--", "sleep", "60") as started:
        check(started.returncode == 0, str(started))
        monitor = monitor_of(starter, "attacked")
        starter.sockctl("exec", "attacked", "--", "/bin/true")  # It keeps the last one until the next.
        before = descriptors(monitor)
        for message in GARBAGE:
            with connect(world, "attacked") as client:
                if message:
                    client.send(message)
                    client.recv(65536)
        _too_many_descriptors(world)
        _never_reading(world)
        _idle(world, starter)
        answer = starter.sockctl("exec", "attacked", "--", "/bin/echo", "fine")
        check(answer.stdout == "fine\n", f"after all that: {answer}")
        check(monitor_of(starter, "attacked") == monitor, "it is another monitor")
        end = time.monotonic() + 5
        while (more := descriptors(monitor) - before) and time.monotonic() < end:
            os.sched_yield()
        check(not more, f"descriptors that were not there before: {more}")
    return f"{len(GARBAGE)} messages, too many descriptors, 200 unread answers, 80 idle clients"


def _too_many_descriptors(world) -> None:
    for count in (1, 4, 5, 200):
        with connect(world, "attacked") as client:
            rights = array.array("i", [0] * count)
            client.sendmsg([b'{"verb":"inspect"}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            client.recv(65536)
    with connect(world, "attacked") as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        client.send(b'{"verb":"' + b"x" * 100000)
        client.recv(65536)


def _never_reading(world) -> None:
    with connect(world, "attacked") as client:
        for _ in range(200):
            try:
                client.send(b'{"verb":"inspect"}')
            except OSError:  # It has hung up on us.
                return


def _idle(world, starter) -> None:
    """More than it serves at once: whoever comes then is told in time, and served when they go."""
    idle = [connect(world, "attacked") for _ in range(80)]
    begin = time.monotonic()
    answer = starter.sockctl("inspect", "attacked")
    check(time.monotonic() - begin < 5, f"it took {time.monotonic() - begin:.1f} s: {answer}")
    check(answer.returncode == 0 or answer.stderr, f"it failed without a word: {answer}")
    for client in idle:
        client.close()


def odd_configuration(world, starter) -> str:
    """The options of a detached container as JSON, and those of the command line."""
    with starter.detached("plain", "-u", "1000", "--", "sleep", "60"):
        shown = json.loads(starter.sockctl("inspect", "plain").stdout)
        options = (shown[0] if isinstance(shown, list) else shown)["options"]
    bodies = [body for body in GARBAGE if body] + [DEEP.encode(), b'{"a":' * 100000, b" " * (1 << 21),
                                                  json.dumps(options).encode()[:-1]]
    options["name"] = "no-such-entry"
    bodies.append(json.dumps(options).encode()[:-1] + b',"name":"other"}')
    chosen = random.Random(5)
    for key in options:
        for value in chosen.sample(ODD_VALUES, 3):
            bodies.append(json.dumps({**options, key: value}).encode())
    for body in bodies:
        done = subprocess.run(starter.command("monitor"), input=body, capture_output=True, timeout=30, check=False)
        check(done.returncode in (2, 125), f"{body[:60]!r}: {done.returncode} {done.stderr!r}")
    for option in ODD_OPTIONS:
        done = starter.sockctl("run", *option, "-u", "1000", "--", "/bin/true")
        check(done.returncode in (2, 125) and done.stderr, f"{option}: {done}")
    return f"{len(bodies)} configurations, {len(ODD_OPTIONS)} options refused"


def after_the_end(world, starter) -> str:
    """Verbs on what has ended or is gone, twice; the library's own handles are in tests/integration/misuse_test."""
    with starter.detached("ended", "-u", "1000", "--", "/bin/sh", "-c", "exit 3"):
        check(starter.sockctl("wait", "ended").returncode == 3, "it did not end with 3")
        wanted = {"wait": 3, "inspect": 0, "logs": 0, "kill": 125, "pause": 125, "resume": 125, "rm": 0}
        for verb, status in wanted.items():
            answers = [starter.sockctl(verb, "ended") for _ in range(1 if verb == "rm" else 2)]
            check({answer.returncode for answer in answers} == {status}, f"{verb}: {answers}")
        for verb in ("exec", *wanted):
            answer = starter.sockctl(verb, "ended", *(("--", "/bin/true") if verb == "exec" else ()))
            check(answer.returncode == 125 and answer.stderr, f"{verb}, gone: {answer}")
    return f"{len(wanted)} verbs after the end, {len(wanted) + 1} after the removal"


def all_verbs_at_once(world, starter) -> str:
    """16 callers, 3 names, every verb: nothing crashes, waits for ever, or is left."""
    verbs = (("run", "-d", "--name", "NAME", "-u", "1000", "--", "sleep", "5"), ("inspect", "NAME"), ("ps",),
             ("stats", "NAME"), ("pause", "NAME"), ("resume", "NAME"), ("kill", "NAME"), ("rm", "--force", "NAME"),
             ("exec", "NAME", "--", "/bin/true"), ("logs", "NAME"), ("gc",), ("kill", "-s", "TERM", "NAME"))
    end, unclean, counts = time.monotonic() + SECONDS, [], [0] * THREADS

    def caller(number: int) -> None:
        chosen = random.Random(number)
        while time.monotonic() < end:
            words = [f"all-{chosen.randrange(3)}" if word == "NAME" else word for word in chosen.choice(verbs)]
            done = starter.sockctl(*words, seconds=20)
            counts[number] += 1
            if done.returncode < 0 or done.returncode in (134, 139) or (done.returncode == 125) != bool(done.stderr):
                unclean.append(f"{words}: {done.returncode} {done.stderr[:200]}")
    callers = [threading.Thread(target=caller, args=(number,)) for number in range(THREADS)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    for number in range(3):
        starter.sockctl("resume", f"all-{number}")
        starter.sockctl("rm", "--force", f"all-{number}")
    check(not unclean, f"{len(unclean)} of {sum(counts)}:\n" + "\n".join(unclean[:5]))
    left = [path.name for path in (world.state / "containers").iterdir() if path.name.startswith("all-")]
    check(not left, f"left: {left}")
    return f"{sum(counts)} calls"


TESTS = [
    Scenario("API-02", "garbage on a control socket harms nobody; payloads have none", hostile_clients),
    Scenario("API-05", "no configuration makes it crash", odd_configuration),
    Scenario("API-08", "what has ended or is gone answers, and no verb reaches anybody else", after_the_end),
    Scenario("API-07", "every verb at once, from many callers", all_verbs_at_once),
]
