"""ESC: images whose devices are links, and whose libraries are traps."""

import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from images import make_image
from model import PLAIN_ROOT, USER, Scenario, check

CORE_PATTERN = "/proc/sys/kernel/core_pattern"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "console", "ptmx")
STARTS = 12
USR = ("-v", "/usr:/usr:ro")


def linked_devices(world, starter) -> str:
    """CVE-2025-31133: what is to be masked or opened as /dev/null is the image's link. Our /dev is our own, and
    nothing is bound from the image's, so its links are never seen."""
    image = make_image(world, "devices", {f"dev/{name}": CORE_PATTERN for name in DEVICES})
    outside = world.directory("device-outside", 0o777)
    (image / "dev.link").symlink_to(outside)
    check(Path(image / "dev" / "null").resolve() == Path(CORE_PATTERN), "the link does not lead there")
    script = ("stat -c '%F %t:%T' /dev/null; readlink /dev/null /dev/zero; grep -c -e core_pattern -e /sys/ "
              f"/proc/self/mountinfo; echo evil > /dev/null; echo evil > {CORE_PATTERN}; echo end")
    wanted = ["character special file 1:3", "0", "end"]
    def start(*more: str):
        return starter.run(PLAIN_ROOT, ("--rootfs", str(image), *USR, *more), "/bin/sh", "-c", script)
    for more in ((), ("--no-init",), ("--own-mounts",)):
        quiet = start(*more)
        check(quiet.stdout.splitlines() == wanted, f"{more}: {quiet}")
    refused = 0
    with flipping(image):
        for number in range(STARTS):
            result = start(*(("--no-init",) if number % 2 else ()))
            refused += result.returncode >= 125
            # An image without a /dev may get none. What it must not get is a mount of something else's.
            check(result.returncode in (0, 1, 2, 125, 126, 127), f"{number}: {result}")
            check("core_pattern" not in result.stdout and str(outside) not in result.stdout, f"{number}: {result}")
    check(not any(outside.iterdir()), f"{list(outside.iterdir())} appeared outside")
    return f"its own null device in every start; while they flip, {refused} of {STARTS} starts are refused"


@contextmanager
def flipping(image: Path):
    stop = threading.Event()
    flipper = threading.Thread(target=_flip, args=(image, stop))
    flipper.start()
    try:
        yield
    finally:
        stop.set()
        flipper.join()


def _flip(image: Path, stop: threading.Event) -> None:
    """dev <-> dev.link and dev/null <-> dev/regular, in turns."""
    (image / "dev" / "regular").write_text("")
    while not stop.is_set():
        for a, b in (("dev", "dev.link"), ("dev/null", "dev/regular")):
            try:
                (image / a).rename(image / f"{a}.old")
                (image / b).rename(image / a)
                (image / a).rename(image / b)
                (image / f"{a}.old").rename(image / a)
            except OSError:
                continue


def evil_libraries(world, starter) -> str:
    """CVE-2019-14271: after the change of root, does anything of ours load what the image offers?"""
    image = make_image(world, "libraries", {})
    (image / "evil").mkdir()
    for name in ("evil_preload.so", "libnss_evil.so.2"):
        shutil.copy(world.fixtures / "evil_preload.so", image / "evil" / name)
    (image / "etc" / "ld.so.preload").write_text("/evil/evil_preload.so\n")
    (image / "etc" / "nsswitch.conf").write_text("passwd: evil\ngroup: evil\nhosts: evil\n")
    marks = world.directory("marks", 0o777)
    options = ("--rootfs", str(image), *USR, "-v", f"{marks}:/marks:rw", "-e", "LD_LIBRARY_PATH=/evil")
    for more in ((), ("--no-init",), ("--own-mounts",)):
        starter.run(USER, (*options, *more), "/usr/bin/id", "-un", "1234")
    with starter.detached("evil", *options, "-u", "1000", "--", "sleep", "30"):
        starter.sockctl("exec", "evil", "--", "/usr/bin/env")
        starter.sockctl("exec", "-t", "-i", "evil", "--", "/usr/bin/true")
    found = {path.name: path.read_text().split() for path in marks.iterdir()}
    loaded = sorted({name.split(".")[0] for name in found})
    check(set(loaded) >= {"id", "sleep", "env", "true"}, f"the trap does not work in payloads either: {loaded}")
    host = os.readlink("/proc/self/ns/pid")
    ours = {name: words for name, words in found.items()
            if words[0] == host or "sock" in name or not words[1].startswith("/usr/bin/")}
    check(not ours, f"processes of ours loaded it: {ours}")
    programs = [world.sockctl, world.build / "libexec" / "sock-init"]
    dynamic = subprocess.run(["readelf", "-d", programs[1]], capture_output=True, text=True, check=True).stdout
    check("NEEDED" not in dynamic, "sock-init, which runs behind the change of root, loads libraries")
    return f"loaded by {' '.join(loaded)} only"


TESTS = [
    Scenario("ESC-11", "links in an image's /dev are neither masked with nor opened", linked_devices),
    Scenario("ESC-19", "libraries of an image are loaded by its payload only", evil_libraries),
]
