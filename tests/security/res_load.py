"""RES: what one container takes from the others, and what a machine under load answers."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from model import USER, Scenario, check
from starter import IDENTITY

# Each prints how many MiB it got the kernel to hold; nothing of it is the process's own memory.
HOLD = {
    "pipes": """
import fcntl, os
held, got = [], 0
for _ in range(160):
    reader, writer = os.pipe()
    held.append(reader)
    try:
        fcntl.fcntl(writer, 1031, 1 << 20)
    except OSError:
        pass
    os.set_blocking(writer, False)
    try:
        while True:
            got += os.write(writer, bytes(65536))
    except OSError:
        pass
print(got >> 20)
""",
    "sockets": """
import socket
held, got = [], 0
for _ in range(240):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    a.setblocking(False)
    held += [a, b]
    try:
        while True:
            got += a.send(bytes(32768))
    except OSError:
        pass
print(got >> 20)
""",
    "names": """
import os
for n in range(60000):
    try:
        os.stat("/usr/" + "n" * 200 + str(n))
    except OSError:
        pass
print(60000 * 400 >> 20)
""",
}
INOTIFY = """
import ctypes
libc, made = ctypes.CDLL(None), 0
while made < 4000 and libc.inotify_init1(0) >= 0:
    made += 1
print(made, flush=True)
import sys
sys.stdin.readline()
"""
HOG = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for _ in range(int(sys.argv[1]) - 1):
    if os.fork() == 0:
        break
end = time.monotonic() + 2.5
while time.monotonic() < end:
    pass
"""
CRASH = """
import ctypes, os, time
gate, crashes, end = ctypes.CDLL(None).syscall, 0, time.monotonic() + 3
while time.monotonic() < end:
    if os.fork() == 0:
        ctypes.string_at(0) if crashes % 3 else gate(0x40000000 + 39)
        os._exit(0)
    crashes += os.wait()[1] != 0
print(crashes)
"""
PYTHON = ("/usr/bin/python3", "-I", "-c")


def kernel_memory(world, starter) -> str:
    seen = []
    for name, script in HOLD.items():
        tight = starter.run(USER, ("-m", "24m"), *PYTHON, script)
        roomy = starter.run(USER, ("-m", "512m"), *PYTHON, script)
        check(roomy.returncode == 0, f"{name} with 512 MiB: {roomy}")
        got = int(tight.stdout) if tight.returncode == 0 else 0
        if name == "names":  # These the kernel can give up when it must.
            check(tight.returncode in (0, 137), f"{name} with 24 MiB: {tight}")
        else:
            check(int(roomy.stdout) > 32, f"{name}: the attack gets {roomy.stdout} MiB only")
            check(tight.returncode in (0, 137) and got <= 24, f"{name} with 24 MiB: {tight}")
        seen.append(f"{name}: {'killed' if tight.returncode else f'{got} MiB'} of {roomy.stdout.strip()} MiB")
    return "; ".join(seen)


def counts_of_a_user(world, starter) -> str:
    """inotify instances are counted for each user: another user, or user namespace, has its own."""
    def instances(identity):
        result = starter.run(identity, (), *PYTHON, INOTIFY) if isinstance(identity, str) else \
            starter.sockctl("run", *identity, "--", *PYTHON, INOTIFY)
        check(result.returncode == 0, str(result))
        return int(result.stdout)
    alone = instances(USER)
    command = starter.command("run", "-i", *IDENTITY[USER], "--", *PYTHON, INOTIFY)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as greedy:
        check(int(greedy.stdout.readline()) == alone, "the greedy one did not get them all")
        same, other = instances(USER), instances(("-u", "1001"))
        greedy.communicate("\n", timeout=20)
    check(other == alone, f"another user gets {other} of {alone}")
    check(same < alone, f"even the same user gets {same} of {alone}: nothing was used up")
    return f"{alone} for another user, {same} for the same one"


def cpu_time(world, starter) -> str:
    """Eight hogs in one container, one in the other, on one processor; then a quota."""
    meta = world.root / "cpu-meta"

    def hog(count: str, used: dict, key: str, *options: str) -> None:
        path = f"{meta}-{key}"
        result = starter.run(USER, (*options, "--meta", path), *PYTHON, HOG, count)
        check(result.returncode == 0, str(result))
        said = json.loads(Path(path).read_text())
        used[key] = (said["stats"]["cpu_total_ns"] / 1e9, said["wall_ns"] / 1e9)

    used: dict = {}
    both = [threading.Thread(target=hog, args=(count, used, key)) for count, key in (("8", "many"), ("1", "one"))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    check(len(used) == 2, f"one of them failed: {used}")
    share = used["one"][0] / (used["one"][0] + used["many"][0])
    check(share > 0.3, f"one hog beside eight gets {share:.0%}: {used}")
    hog("8", used, "quota", "--cpus", "0.2")
    processors = used["quota"][0] / used["quota"][1]
    check(processors < 0.3, f"0.2 processors: {used}")
    return f"one beside eight gets {share:.0%}; with a quota of 0.2 processors, eight get {processors:.2f}"


def stuck_processes(world, starter) -> str:
    """A parent in vfork, stopped ones and a paused container end as fast as others."""
    mounts = ("-v", f"{world.fixtures}:/fixtures:ro")
    begin = time.monotonic()
    result = starter.run(USER, (*mounts, "--wall", "500ms"), "/bin/sh", "-c",
                         "kill -STOP $$ & /fixtures/stuck & /fixtures/stuck")
    took = time.monotonic() - begin
    check(result.returncode == 124 and took < 3, f"after {took:.2f} s: {result}")
    with starter.detached("frozen", *mounts, "-u", "1000", "--", "/fixtures/stuck"):
        paused = starter.sockctl("pause", "frozen")
        begin = time.monotonic()
        killed = starter.sockctl("kill", "frozen")
        ended = starter.sockctl("wait", "frozen")
        frozen = time.monotonic() - begin
        check(paused.returncode == killed.returncode == 0 and ended.returncode == 137 and frozen < 3,
              f"after {frozen:.2f} s: {paused} {killed} {ended}")
    return f"gone after {took:.2f} s (limit 0.5 s), paused after {frozen:.2f} s"


def kernel_log(world, starter) -> str:
    """Processes that crash write to the machine's log; the kernel has to bound that."""
    with open("/dev/kmsg", "rb", buffering=0) as log:
        os.set_blocking(log.fileno(), False)
        os.lseek(log.fileno(), 0, os.SEEK_END)
        result = starter.run(USER, (), *PYTHON, CRASH)
        check(result.returncode == 0 and int(result.stdout) > 60, str(result))
        lines = 0
        try:
            while record := os.read(log.fileno(), 8192):
                lines += bool(re.search(rb"segfault|traps|audit|seccomp", record))
        except OSError:
            pass
    fatal = Path("/proc/sys/kernel/print-fatal-signals").read_text().strip()
    check(fatal == "0", "print-fatal-signals is on: every crash writes pages")
    # KERNEL: ten in five seconds, of each kind.
    check(lines < 50, f"{lines} lines of {result.stdout.strip()} crashes")
    return f"{lines} lines of {result.stdout.strip()} crashes"


def overload(world, starter) -> str:
    """Ten times as many starts at once as processors can take: each ends, and says how."""
    results, clients = [], 10 * 2 * (os.cpu_count() or 1)

    def client(number: int) -> None:
        for turn in range(2):
            name = ("--name", f"load-{(number + turn) % (clients // 2)}") if number % 2 else ()
            results.append(starter.sockctl("run", *name, "-u", "1000", "--", "/bin/sh", "-c", "exit 7"))
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    unclean = [result for result in results if result.returncode not in (7, 125)
               or (result.returncode == 125) != bool(result.stderr)]
    check(not unclean, f"{len(unclean)} of {len(results)}: {unclean[:3]}")
    good = sum(result.returncode == 7 for result in results)
    check(good >= len(results) // 2, f"only {good} of {len(results)} ran")
    left = list((world.state / "hosts").iterdir())
    check(not left, f"left: {left}")
    return f"{clients} clients, {good} of {len(results)} ran, the others were told why, in {took:.1f} s"


def never_answering(world, starter) -> str:
    """What never becomes ready, and a monitor that does not answer: nobody waits for ever."""
    begin = time.monotonic()
    result = starter.run(USER, ("-i", "--wall", "500ms"), "/bin/cat", stdin=subprocess.PIPE)
    check(result.returncode in (0, 124), str(result))
    with starter.detached("mute", "-u", "1000", "--", "sleep", "60"):
        monitor = json.loads(starter.sockctl("inspect", "mute").stdout)
        monitor = (monitor[0] if isinstance(monitor, list) else monitor)["monitor_pid"]
        os.kill(monitor, signal.SIGSTOP)
        try:
            answers: dict = {}

            def ask(verb: str, *names: str) -> None:
                begin = time.monotonic()
                answer = starter.sockctl(verb, *names)
                answers[verb] = (round(time.monotonic() - begin, 1), answer)
            threads = [threading.Thread(target=ask, args=words) for words in
                       (("inspect", "mute"), ("stats", "mute"), ("ps",), ("kill", "mute"), ("rm", "mute"))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            os.kill(monitor, signal.SIGCONT)
    for verb, (seconds, answer) in answers.items():
        check(answer.returncode == (0 if verb == "ps" else 125) and seconds < 12, f"{verb}: {seconds} s, {answer}")
    return " ".join(f"{verb} {seconds} s" for verb, (seconds, _) in answers.items())


TESTS = [
    Scenario("RES-05", "memory that the kernel holds for it counts as the container's", kernel_memory),
    Scenario("RES-05u", "what is counted for each user is not another user's loss", counts_of_a_user),
    Scenario("RES-09", "processor time is shared between containers, not processes, and has a quota", cpu_time),
    Scenario("RES-10k", "processes that wait uninterrupted are ended in time", stuck_processes),
    Scenario("RES-11", "crashes do not flood the kernel's log", kernel_log),
    Scenario("RES-13", "an overload of starts ends cleanly", overload),
    Scenario("RES-14", "nobody waits for ever for what does not answer", never_answering),
]
