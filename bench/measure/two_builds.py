"""The same lives by two builds, in turn: what is left of a difference is the builds'."""

import shutil
from pathlib import Path
from statistics import median

from measure.driver import Driver
from measure.peers import Programs, Workshop
from measure.samples import Rounds

MICROSECONDS = 60_000  # of each build in each round
MOST_LIVES = 60
Pairs = dict[str, tuple[Rounds, Rounds]]
SUBJECTS = ("create", "fork: -", "fork: numpy,pandas")


def is_build(path: Path) -> bool:
    return (path / "bench/driver").exists()


def command(subject: str, build: Path, workshop: Workshop, name: str) -> list[str]:
    own = ["--state", str(workshop.path / f"state-{name}"), "--libexec", str((build / "libexec").resolve())]
    if subject == "create":
        rootfs = workshop.path / "rootfs"
        return [str(build / "bench/driver"), "--rootfs", str(rootfs), "--init", "none", *own]
    return [str(build / "bench/zygote_driver"), "--how", "fork", "--modules", subject.removeprefix("fork: "),
            "--python", "/usr/bin/python3", *own]


def in_turn(subject: str, builds: tuple[Path, Path], workshop: Workshop, rounds: int) -> tuple[Rounds, Rounds]:
    found: tuple[Rounds, Rounds] = ([], [])
    drivers = []
    try:
        for number, build in enumerate(builds):
            drivers.append(Driver(command(subject, build, workshop, str(number)), workshop.path / f"complaints-{number}"))
        lives = max(2, min(MOST_LIVES, int(MICROSECONDS / min(median(driver.run(3)) for driver in drivers))))
        for number in range(rounds):
            for which in (0, 1) if number % 2 == 0 else (1, 0):
                found[which].append(drivers[which].run(lives))
    finally:
        for driver in drivers:
            driver.close()
    for number in range(len(builds)):
        shutil.rmtree(workshop.path / f"state-{number}", ignore_errors=True)
    return found


def measure(old: Path, new: Path, rounds: int) -> Pairs:
    with Workshop() as workshop:
        workshop.make_rootfs("rootfs", Programs(old).payload)
        return {subject: in_turn(subject, (old, new), workshop, rounds) for subject in SUBJECTS}
