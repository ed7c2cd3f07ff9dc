"""ESC: what a payload leaves in a volume, and what becomes of whoever handles it afterwards."""

import errno
import json
import os
import stat
import subprocess
import time
from pathlib import Path

from model import MAPPED_ROOT, PLAIN_ROOT, USER, Failure, Scenario, check

DEEP, SPARSE = 3000, 1 << 40
LEAVE = f"""
import os, socket, sys
canary, vault = sys.argv[1:]
os.chdir("/vol")
os.symlink(canary, "out")
os.symlink(vault, "linked")
os.symlink("/", "root")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
with open("sparse", "w") as file:
    file.truncate({SPARSE})
open("line\\nbreak\\x1b[31m", "w").close()
os.mkdir("shut", 0)
os.mkdir("plain")
os.mkdir("deep")
os.chdir("deep")
for _ in range({DEEP}):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
print("left")
"""
FILL = """
import os
os.chdir("/tmp")
try:
    with open("sparse", "w") as file:
        file.truncate(1 << 62)
except OSError as error:
    print(error.strerror)
depth = 0
try:
    while True:
        os.mkdir("d")
        os.chdir("d")
        depth += 1
except OSError as error:
    print(depth, error.strerror)
"""


def leave(world, starter, identity: str, name: str) -> Path:
    volume = world.directory(name, 0o777)
    result = starter.run(identity, ("-v", f"{volume}:/vol:rw"), "/usr/bin/python3", "-I", "-c", LEAVE,
                         str(world.canary), str(world.canary.parent))
    check(result.stdout == "left\n", f"{identity}: it left nothing: {result}")
    return volume


def clear(volume: Path) -> None:
    # The depth is beyond what recursion can take.
    subprocess.run(["rm", "-rf", str(volume)], check=True)


def results_beside_leftovers(world, starter) -> str:
    """Judge0's holes: what the runtime writes for its caller goes where the payload says."""
    seen = []
    for identity in (USER, MAPPED_ROOT, PLAIN_ROOT):
        volume = leave(world, starter, identity, f"results-{identity}")
        check((volume / "out").read_text() == world.secret, "the link does not even lead to the secret")
        _check_that_it_would_block(volume / "fifo")
        for name in ("out", "fifo", "socket", "linked/meta", "root/sock-meta", "deep"):
            begin = time.monotonic()
            result = starter.run(identity, ("--meta", f"{volume}/{name}"), "/bin/true")
            check(result.returncode == 125 and result.stderr, f"--meta {name}: {result}")
            check(time.monotonic() - begin < 5, f"--meta {name} took {time.monotonic() - begin:.1f} s")
        check([path.name for path in world.canary.parent.iterdir()] == ["canary"], "a file in the vault")
        result = starter.run(identity, ("--meta", f"{volume}/meta"), "/bin/true")
        check(result.returncode == 0 and json.loads((volume / "meta").read_text())["code"] == 0, str(result))
        seen.append(f"{identity}: 6 refused")
        clear(volume)
    return "; ".join(seen)


def _check_that_it_would_block(fifo: Path) -> None:
    try:
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        check(error.errno == errno.ENXIO, str(error))
        return
    raise Failure("somebody reads the pipe")


def leftovers_as_parts(world, starter) -> str:
    """The next container is made of what the last one left."""
    look = ("/bin/sh", "-c", f"cat /part{world.canary} /part {world.canary}; ls /part | head -n 3")
    allowed = starter.run(PLAIN_ROOT, ("-v", "/:/part:ro"), *look)
    check(world.secret in allowed.stdout, f"even a bind of / does not show it: {allowed}")
    seen = []
    for identity in (USER, MAPPED_ROOT, PLAIN_ROOT):
        volume = leave(world, starter, identity, f"parts-{identity}")
        refused = [("-v", f"{volume}/{name}:/part:ro") for name in ("out", "linked", "root", "root/etc")]
        refused += [("--rootfs", f"{volume}/root"), ("--handler", f"{volume}/linked"),
                    ("--package", f"{volume}/root"), ("--package", f"{volume}/linked")]
        for options in refused:
            result = starter.run(PLAIN_ROOT, options, *look)
            check(result.returncode == 125, f"{options}: {result}")
            check(world.secret not in result.stdout + result.stderr, f"{options}: the secret was read")
        for name in ("fifo", "socket", "sparse", "deep", "shut"):
            begin = time.monotonic()
            result = starter.run(identity, ("-v", f"{volume}/{name}:/part:ro"), "/bin/true")
            check(result.returncode in (0, 125), f"{name}: {result}")
            check(time.monotonic() - begin < 5, f"{name} took {time.monotonic() - begin:.1f} s")
        _check_untouched(volume)
        seen.append(f"{identity}: {len(refused)} refused")
        clear(volume)
    return "; ".join(seen)


def _check_untouched(volume: Path) -> None:
    check(stat.S_ISFIFO((volume / "fifo").lstat().st_mode), "the pipe is something else now")
    sparse = (volume / "sparse").stat()
    check(sparse.st_size == SPARSE and sparse.st_blocks == 0, f"the sparse file was read or copied: {sparse}")
    check(stat.S_IMODE((volume / "shut").stat().st_mode) == 0, "a mode was changed")


def memory_left_behind(world, starter) -> str:
    """What is in a tmpfs ends with it, however deep and however large it says it is."""
    begin = time.monotonic()
    result = starter.run(USER, ("-m", "128m"), "/usr/bin/python3", "-I", "-c", FILL)
    took = time.monotonic() - begin
    check(result.returncode == 0, str(result))
    check(took < 10, f"it took {took:.1f} s")
    return f"{' '.join(result.stdout.split())}, gone after {took:.2f} s"


TESTS = [
    Scenario("ESC-17", "links, pipes and odd files of a payload do not become parts of the next root",
             leftovers_as_parts),
    Scenario("ESC-18", "results are not written through what a payload left", results_beside_leftovers),
    Scenario("ESC-18m", "a deep or huge tmpfs is given up in time", memory_left_behind),
]
