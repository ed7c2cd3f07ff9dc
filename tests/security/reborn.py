"""PRC-03, in a pid namespace of its own: reborn.py SOCKCTL STATE-DIR.

A container's first process and then its monitor die, their numbers become an innocent process's,
and every verb is tried on the container. Ends with an error when the innocent was touched.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sockctl, state = sys.argv[1:]
VERBS = (("inspect",), ("stats",), ("pause",), ("resume",), ("kill", "-s", "TERM"), ("kill",),
         ("exec", "NAME", "--", "/bin/true"), ("wait",), ("rm",), ("rm", "--force"))
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def run(*arguments: str) -> subprocess.CompletedProcess:
    verb, *others = arguments
    return subprocess.run([sockctl, verb, "--state-dir", state, *others], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)


def reap_orphans() -> None:
    """We are this namespace's init; a zombie, too, keeps the number of its session."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def rebirth(pid: int) -> None:
    """An innocent child of ours gets this number. It counts as touched if a signal ends or stops it."""
    deadline = time.monotonic() + 10
    # KERNEL: not while it is still the number of a session or group that has members.
    while time.monotonic() < deadline:
        reap_orphans()
        LAST_PID.write_text(str(pid - 1))
        child = os.fork()
        if child == 0:
            while True:
                signal.pause()
        if child == pid:
            return
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sys.exit(f"the number {pid} is not dealt again")


def try_all(name: str, innocent: int) -> list[str]:
    answers = []
    for verb, *others in VERBS:
        words = [name if word == "NAME" else word for word in others] or [name]
        answer = run(verb, *(words if name in words else [*words, name]))
        answers.append(f"{verb}={answer.returncode}")
        if os.waitpid(innocent, os.WNOHANG | os.WUNTRACED) != (0, 0):
            sys.exit(f"{verb} reached process {innocent}, which was somebody else: {answer}")
    # The control: a number alone would have reached it.
    os.kill(innocent, signal.SIGKILL)
    if os.waitpid(innocent, 0)[1] != signal.SIGKILL:
        sys.exit(f"process {innocent} was not there")
    return answers


def start(name: str) -> dict:
    started = run("run", "-d", "--name", name, "--", "sleep", "60")
    if started.returncode:
        sys.exit(f"it does not start: {started}")
    shown = json.loads(run("inspect", name).stdout)
    return shown[0] if isinstance(shown, list) else shown


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            os.sched_yield()


first = start("reborn")
end(first["pid"])
run("wait", "reborn")
rebirth(first["pid"])
print("first process:", *try_all("reborn", first["pid"]))

second = start("orphaned")
end(second["monitor_pid"])
rebirth(second["monitor_pid"])
print("monitor:", *try_all("orphaned", second["monitor_pid"]))
run("gc")
if left := [path for path in Path(state, "hosts").iterdir()]:
    sys.exit(f"left: {left}")
