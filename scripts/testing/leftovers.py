"""What a test run may leave behind on the machine: a picture before, a picture after.

Mounts must be the same. Of the rest nothing new may be there; something old may be gone, for
collecting what an earlier, killed run left is one of the things the library does.
"""

import os
import select
import time
from collections import Counter
from pathlib import Path

from testing.formats import Result, tail

SETTLE_SECONDS = 5  # teardown of namespaces and cgroups is asynchronous
MARK = "sock"


KTHREADD = "2"  # the parent of all kernel threads


def snapshot() -> dict[str, Counter]:
    return {
        "mounts": _mounts(),
        "cgroups": _cgroups(),
        "processes": _processes(),
        "shared memory": Counter(str(path) for path in _entries("/dev/shm")),
        "directories": Counter(
            str(path) for top in ("/tmp", "/run") for path in _entries(top)
            if MARK in path.name and path.is_dir()
        ),
    }


def compare(before: dict[str, Counter]) -> list[Result]:
    """One result for each kind of leftover; waits a little for what is still being torn down."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with open("/proc/self/mountinfo", "rb") as mountinfo:
        # The kernel announces changes of the mount table here. The other kinds have no
        # descriptor in common, so they are looked at again a few times a second.
        poll = select.poll()
        poll.register(mountinfo, select.POLLPRI)
        while True:
            found = {kind: _difference(kind, before[kind], now) for kind, now in snapshot().items()}
            if not any(found.values()) or time.monotonic() > deadline:
                break
            poll.poll(250)
    return [
        Result(kind, "failed" if lines else "passed", tail("\n".join(lines)))
        for kind, lines in found.items()
    ]


def _difference(kind: str, before: Counter, after: Counter) -> list[str]:
    lines = [f"left behind: {item}" for item in sorted((after - before).elements())]
    if kind == "mounts":
        lines += [f"gone: {item}" for item in sorted((before - after).elements())]
    return lines


def _entries(directory: str) -> list[Path]:
    try:
        return list(Path(directory).iterdir())
    except OSError:
        return []


def _mounts() -> Counter:
    # Without the first three fields, the mount's and its parent's number and the device: a
    # file system that was mounted again is the same to whoever uses the machine.
    lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    return Counter(line.split(" ", 3)[3] for line in lines)


def _cgroups() -> Counter:
    found: Counter = Counter()
    for directory, children, _ in os.walk("/sys/fs/cgroup"):
        found.update(os.path.join(directory, name) for name in children if MARK in name)
    return found


def _processes() -> Counter:
    found: Counter = Counter()
    for process in _entries("/proc"):
        if not process.name.isdigit():
            continue
        try:
            comm = (process / "comm").read_text(errors="replace").strip()
            # Fields after "(comm)"; the start time tells a recycled number from the same process.
            fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[1] == KTHREADD:
                continue  # "kworker/0:1-virtio_vsock" has our mark too
            start = fields[19]
            inner = _is_in_container(process)
        except OSError:
            continue  # it ended meanwhile
        try:
            program = os.path.basename(os.readlink(process / "exe"))
        except OSError:
            program = ""  # a kernel thread, a zombie, or somebody else's
        if MARK in comm or MARK in program or inner:
            found[f"pid {process.name} ({comm}, started at tick {start})"] += 1
    return found


def _is_in_container(process: Path) -> bool:
    """Whether it lives in a pid namespace below ours: it then has a number in each."""
    status = (process / "status").read_text(errors="replace")
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return len(numbers.split()) > 2
