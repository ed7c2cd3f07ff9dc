"""ESC: directories that move, and names that change, while a container is made or runs."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from images import make_image
from model import PLAIN_ROOT, USER, Scenario, check
from starter import IDENTITY, PAYLOADS

FLIP_SECONDS = 3
# What a start that lost the race may give: the payload's own 0 and 1, or a refusal.
CLEAN = (0, 1, 2, 125, 126, 127)
# These change by themselves.
RESTLESS = ("random", "inode", "dentry", "file-nr", "ns_last_pid", "aio-nr", "nr_", "drop_caches", "timeouts",
            "cpu", "neigh", "conf", "ipfrag", "rt_", "sched", "count", "stat")

MOUNTS = Path("/proc/self/mountinfo")


def settings() -> dict[str, bytes]:
    """The kernel's settings that a misdirected write would change."""
    found = {}
    for path in sorted([*Path("/proc/sys/kernel").rglob("*"), *Path("/proc/sys/fs").rglob("*"),
                        *Path("/proc/sys/vm").rglob("*")]):
        if not any(word in str(path) for word in RESTLESS):
            try:
                found[str(path)] = path.read_bytes()
            except OSError:
                continue
    return found


def mount_table(text: str) -> list[tuple[str, str, str]]:
    """Of a mountinfo: device, the directory in it, mount point."""
    lines = [line.split() for line in text.splitlines() if " - " in line]
    return [(fields[2], fields[3], fields[4]) for fields in lines]


@contextmanager
def flipping(starter, shared: Path, names: list[str]):
    """Another container, with the same volume, exchanges the names two by two."""
    options = ("-v", f"{PAYLOADS}:/payloads:ro", "-v", f"{starter.world.facts_directory}:/facts:ro",
               "-v", f"{shared}:/shared:rw")
    command = starter.command("run", *IDENTITY[USER], *options, "--", "/usr/bin/python3", "-I", "-B",
                              "/payloads/flip.py", str(FLIP_SECONDS), "/shared", *names)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as flipper:
        try:
            check(flipper.stdout.readline() == "flipping\n", "the other container does not flip")
            yield flipper
        finally:
            flipper.kill()


def race(starter, shared: Path, names: list[str], trap: Path, start) -> str:
    """Starts containers while names flip; `trap` is a path that exists only while the link is there."""
    world = starter.world
    before, led_astray, looks, results = settings(), 0, 0, []
    with flipping(starter, shared, names) as flipper:
        end = time.monotonic() + FLIP_SECONDS
        while time.monotonic() < end:
            results.append(start())
            for _ in range(200):
                looks += 1
                led_astray += trap.exists()
        flips = flipper.stdout.readline().strip()
    check(flips, "the flipping container did not end by itself")
    for result in results:
        check(result.returncode in CLEAN, f"an unclean end: {result}")
        check(world.secret not in result.stdout + result.stderr, f"the secret was read: {result}")
    after = settings()
    changed = [path for path in before if after.get(path) != before[path]]
    check(not changed, f"settings changed: {changed}")
    # The control: a careless look-up by path was led astray.
    check(0 < led_astray < looks, f"the trap was seen in {led_astray} of {looks} looks: no race")
    good = sum(result.returncode < 125 for result in results)
    return f"{good} of {len(results)} starts, {flips} flips, a careless look astray {led_astray} of {looks} times"


def shared_image(world, starter) -> str:
    """CVE-2025-52881: whatever a start opens or writes, the names below it change."""
    image = make_image(world, "flipping", {})
    outside = world.directory("flip-outside", 0o777)
    (outside / "canary").symlink_to(world.canary)
    climb = f"/../../../../..{outside}"
    names = []
    for place, target in (("tmp", climb), ("etc", climb), ("proc", "/../../../proc/sys/kernel"),
                          ("dev", climb)):
        (image / f"{place}.link").symlink_to(target.removeprefix("/../../../../..") if place == "tmp" else target)
        names += [place, f"{place}.link"]
    image.chmod(0o777)
    mounts = ("--rootfs", str(image), "-v", "/usr:/usr:ro")
    with starter.detached("flipped", *mounts, "-u", "0", "--", "sleep", "60") as victim:
        check(victim.returncode == 0, str(victim))
        turn = iter(range(10**6))

        def start():
            script = f"cat {world.canary} /tmp/canary /etc/canary; : > /tmp/new; : > /proc/core_pattern"
            if next(turn) % 2:
                return starter.sockctl("exec", "-w", "/tmp", "flipped", "--", "/bin/sh", "-c", script)
            return starter.run(PLAIN_ROOT, mounts, "/bin/sh", "-c", script)
        seen = race(starter, image, names, image / "tmp" / "canary", start)
    check([path.name for path in outside.iterdir()] == ["canary"], "something appeared outside")
    return seen


def mount_target(world, starter) -> str:
    """CVE-2021-30465: a mount point lies in a volume where somebody else exchanges it for a link."""
    shared = world.directory("flip-volume", 0o777)
    precious = world.directory("flip-precious")
    (precious / "mine").write_text("precious")
    shared.joinpath("x").mkdir()
    shared.joinpath("x.link").symlink_to("/")
    options = ("-v", f"{shared}:/vol:rw", "-v", f"{precious}:/vol/x:ro")
    script = (f"cat {world.canary} /vol/x{world.canary} /vol/x.link{world.canary}; "
              "cat /proc/self/mountinfo; ls /vol/x")

    # The machine's root as mountinfo has it: where it is mounted twice, the upper one.
    machine = [(device, source) for device, source, point in mount_table(MOUNTS.read_text()) if point == "/"][-1]
    points, turn = set(), iter(range(10**6))

    def start():
        # Only in a mount namespace of its own does a container see what is mounted.
        own = () if next(turn) % 2 else ("--own-mounts",)
        result = starter.run(PLAIN_ROOT, (*own, *options), "/bin/sh", "-c", script)
        for device, source, point in mount_table(result.stdout):
            check((device, source) != machine, f"the machine's root is mounted on {point}")
            if source.endswith("/flip-precious"):
                points.add(point)
        check("flip-precious" not in MOUNTS.read_text(), "the other volume is mounted on the machine")
        return result
    seen = race(starter, shared, ["x", "x.link"], Path(f"{shared}/x{world.canary}"), start)
    # A mount point keeps what is mounted on it when its name is exchanged, and the link is to the container's own root.
    check(points and points <= {"/vol/x", "/vol/x.link", "/"}, f"the other volume was mounted on {points}")
    check({path.name for path in shared.iterdir()} == {"x", "x.link"}, "the volume has new names")
    check([path.name for path in precious.iterdir()] == ["mine"], "the other volume has new names")
    return seen


def moved_away(world, starter) -> str:
    """CVE-2015-2925: the working directory leaves the bind mount through which it was entered."""
    inside, away = world.directory("move/inside", 0o777), world.directory("move/away")
    (inside / "deep").mkdir()
    climber = ("/usr/bin/python3", "-I", "-B")
    mounts = ("-v", f"{PAYLOADS}:/payloads:ro", "-v", f"{inside}:/vol:rw")
    seen = []
    for identity in IDENTITY:
        command = starter.command("run", "-i", *IDENTITY[identity], *mounts, "--", *climber,
                                  "/payloads/climb.py", "/vol/deep", str(world.canary))
        said = _move_while_it_waits(command, inside / "deep", away / "deep")
        (away / "deep").rename(inside / "deep")
        check("step" in said, f"{identity}: it did not walk: {said}")
        check(world.secret not in said, f"{identity}: the secret was read: {said}")
        seen.append(f"{identity}: {said.splitlines()[-1]}")
    careless = [sys.executable, "-I", str(PAYLOADS / "climb.py"), str(inside / "deep"), str(world.canary)]
    said = _move_while_it_waits(careless, inside / "deep", away / "deep")
    check(world.secret in said, f"even without a container it does not get there: {said}")
    return "; ".join(seen)


def _move_while_it_waits(command: list[str], source: Path, target: Path) -> str:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as climber:
        check(climber.stdout.readline() == "waiting\n", f"it did not start: {command}")
        source.rename(target)
        return climber.communicate("\n", timeout=20)[0]


TESTS = [
    Scenario("ESC-05", "a directory moved out of its bind mount leads nowhere", moved_away),
    Scenario("ESC-14", "names that flip in an image misdirect nothing", shared_image),
    Scenario("ESC-15", "a mount point that flips in a volume leads no mount outside", mount_target),
]
