"""PRC: other processes, their memory, and the scheduler."""

import time

from model import PLAIN_ROOT, UNCONFINED, USER, Control, Probe, Scenario, check
from processes import with_marker

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


TESTS = [
    Probe("PRC-01", "no other process's memory, nor its own child's by ptrace", ANY, ALL),
    Probe("PRC-02", "init shows nothing of the embedder", Control(("-e", "SOCK_CANARY")), ALL),
    Scenario("PRC-04", "processes that ignore, stop and daemonize are ended in time", unkillable),
    Probe("PRC-06", "no core dumps", Control(("--rlimit", "core=1048576")), ALL),
    Probe("PRC-07", "no priority beyond the ordinary",
          Control((*UNCONFINED, "--cap-add", "sys_nice"), PLAIN_ROOT), ALL),
    Probe("PRC-08", "no sibling by CLONE_PARENT", ANY, ALL, errors=frozenset({"EPERM"})),
]
