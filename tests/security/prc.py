"""PRC: other processes, their memory, and the scheduler."""

import subprocess
import time
from pathlib import Path

from model import PLAIN_ROOT, UNCONFINED, USER, Control, Probe, Scenario, check
from processes import named_zombies, with_marker

ANY = Control(UNCONFINED)
ALL = "URZ"
STUBBORN = """
import os, signal
for number in range(1, 32):
    if number not in (9, 19):
        signal.signal(number, signal.SIG_IGN)
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
while True:
    signal.pause()
"""


def unkillable(world, starter) -> str:
    marker = f"sock-stubborn-{world.process.pid}"
    begin = time.monotonic()
    result = starter.run(USER, ("--wall", "1s"), "/usr/bin/python3", "-I", "-c", STUBBORN, marker)
    took = time.monotonic() - begin
    check(result.returncode == 124, f"exit status {result.returncode}: {result.stderr}")
    check(took < 3, f"it took {took:.2f} s to end what had 1 s")
    check(not with_marker(marker), f"left: {with_marker(marker)}")
    return f"gone after {took:.2f} s"


def no_zombies_outside(world, starter) -> str:
    def none_stay(when):  # Whoever ends is one for a moment, until it is reaped.
        end = time.monotonic() + 5
        left = set(named_zombies("orphans"))  # New ones come while others go.
        while left and time.monotonic() < end:
            left &= set(named_zombies("orphans"))
        check(not left, f"zombies of the machine, {when}: {left}")
    mounts = ("-v", f"{world.fixtures}:/fixtures:ro", "-u", "1000")
    with starter.detached("orphans", *mounts, "--", "/bin/sh", "-c", "/fixtures/orphans 500; exec sleep 60"):
        done = starter.sockctl("exec", "orphans", "--", "/fixtures/orphans", "500")
        check(int(done.stdout or 0) > 100, f"orphans of a further process: {done}")
        none_stay("meanwhile")
    none_stay("afterwards")
    return f"{done.stdout.strip()} orphans of a further process, no zombie"


def pid_reuse(world, starter) -> str:
    """In a pid namespace of its own, where numbers can be dealt again at once."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "/usr/bin/python3", "-I", "-B",
               str(Path(__file__).with_name("reborn.py")), str(world.sockctl), str(world.root / "reborn")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=60)
    check(done.returncode == 0 and done.stdout, f"{done.stdout}{done.stderr}")
    return done.stdout.strip()


TESTS = [
    Probe("PRC-01", "no other process's memory, nor its own child's by ptrace", ANY, ALL),
    Probe("PRC-02", "init shows nothing of the embedder", Control(("-e", "SOCK_CANARY")), ALL),
    Scenario("PRC-03", "a number that was a container's is not killed when it is somebody else's", pid_reuse),
    Scenario("PRC-04", "processes that ignore, stop and daemonize are ended in time", unkillable),
    Probe("PRC-05", "orphans are reaped", Control(("--no-init", "--pids", "64")), ALL,
          options=("--pids", "64")),
    Scenario("PRC-05h", "nor do they become the machine's zombies", no_zombies_outside),
    Probe("PRC-06", "no core dumps", Control(("--rlimit", "core=1048576")), ALL),
    Probe("PRC-07", "no priority beyond the ordinary",
          Control((*UNCONFINED, "--cap-add", "sys_nice"), PLAIN_ROOT), ALL),
    Probe("PRC-08", "no sibling by CLONE_PARENT", ANY, ALL, errors=frozenset({"EPERM"})),
]
