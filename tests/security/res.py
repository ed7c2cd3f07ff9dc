"""RES: what one container can use up."""

import re
from pathlib import Path

import res_load
from model import MOUNTING, PLAIN_ROOT, UNCONFINED, USER, Control, Probe, Scenario, check

ALL = "URZ"
TOUCH = "block = bytearray(b'x') * (96 << 20); print(len(block))"


def memory(world, starter) -> str:
    bomb = starter.run(USER, ("-m", "32m"), "/usr/bin/python3", "-I", "-c", TOUCH)
    check(bomb.returncode == 137, f"96 MiB with a limit of 32: {bomb}")
    roomy = starter.run(USER, ("-m", "256m"), "/usr/bin/python3", "-I", "-c", TOUCH)
    check(roomy.returncode == 0, f"96 MiB with a limit of 256: {roomy}")
    return bomb.stderr.strip()


def shared_memory(world, starter) -> str:
    """What is written to /tmp and /dev/shm counts as the container's memory."""
    seen = []
    for place in ("/tmp", "/dev/shm"):
        result = starter.run(USER, ("-m", "24m"), "/bin/sh", "-c",
                             f"head -c 200000000 /dev/zero > {place}/fill; wc -c < {place}/fill")
        wrote = int(result.stdout) if result.stdout.strip().isdecimal() else 0
        check(wrote < 200000000 and (result.returncode == 137 or wrote <= 24 << 20), f"{place}: {result}")
        seen.append(f"{place}: exit {result.returncode}, {wrote >> 20} MiB")
    return "; ".join(seen)


def inodes(world, starter) -> str:
    options = ("-m", "24m", "--tmpfs", "/many:inodes=300000")
    result = starter.run(USER, options, "/usr/bin/python3", "-I", "-c",
                         "import os\nfor n in range(200000): os.mkdir(f'/many/{n}')")
    check(result.returncode == 137, f"200000 directories with a limit of 24 MiB: {result}")
    return result.stderr.strip()


def flood(world, starter) -> str:
    name = "flood"
    started = starter.sockctl("run", "-d", "--name", name, "--log-max", "64k", "-u", "1000", "--",
                              "/bin/sh", "-c", "head -c 33554432 /dev/zero")
    try:
        check(started.returncode == 0, str(started))
        ended = starter.sockctl("wait", name)
        size = sum(path.stat().st_size for path in Path(world.state).rglob("*") if path.is_file())
        check(ended.returncode == 0, f"32 MiB of output: {ended}")
        check(size < 1 << 20, f"the state directory holds {size} bytes")
    finally:
        starter.sockctl("kill", name)
        starter.sockctl("rm", name)
    return f"{size >> 10} KiB kept of 32 MiB"


TESTS = [
    Probe("RES-01", "a fork bomb ends at the limit", Control(("--pids", "200")), ALL,
          options=("--pids", "24"), errors=frozenset({"EAGAIN"})),
    Scenario("RES-02", "a memory bomb is killed at its limit", memory),
    Probe("RES-03", "the OOM score cannot be lowered", None, ALL),
    Probe("RES-04", "a tmpfs has a size", Control(("--tmpfs", "/other", "-v", "@weak:/scratch:rw")), ALL),
    Scenario("RES-04m", "files in memory count as memory", shared_memory),
    Probe("RES-06", "a tmpfs has a number of inodes", Control(("--tmpfs", "/scratch:size=8m,inodes=20000")), ALL,
          errors=frozenset({"ENOSPC"})),
    Scenario("RES-06m", "inodes of a tmpfs count as memory", inodes),
    Scenario("RES-07", "a flood of output is bounded", flood),
    Probe("RES-08", "descriptors end at the limit", Control(), ALL, options=("--rlimit", "nofile=128"),
          errors=frozenset({"EMFILE"})),
    Probe("RES-10", "nothing that lets a payload hold up the kernel", Control(UNCONFINED), ALL),
    Probe("RES-12", "nothing nests", Control(MOUNTING, PLAIN_ROOT), ALL),
    *res_load.TESTS,
]
