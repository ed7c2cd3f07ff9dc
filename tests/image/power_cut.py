"""Power cuts while images are imported and removed (tests/support/disk.py). Afterwards the image is there, and
verifies, or is not there, and gc leaves nothing of it; and another one that was in the store before is as it was.
"""

import os
import random
import shutil
import signal
import subprocess
import time

from cases import expect
from disk import LOG_FLUSH, NO_LOG_FLUSH, Disk
from layouts import Layout, directory, entry, tar
from moments import Moments
from sharing import FULL, SEED, is_at_work, layered, start
from world import World

CUTS = 200 if FULL else 10
MOST_CUTS = 400  # Until all outcomes have been seen.
WORK = ("import", "import", "rm", "import", "gc")  # With and without another image: their number is odd.
PARTS = ("names", "images", "layers", "roots", "documents", "staging")


class Store:
    """On the disk, with another image in it or without."""

    def __init__(self, world: World, disk: Disk, elsewhere: World, dice: random.Random):
        self.world, self.disk = world, disk
        self.source = layered(elsewhere, 40)
        layers = [tar(directory("d"), *(entry(f"d/kept{n}", data=os.urandom(5000)) for n in range(9))), tar(entry("top"))]
        Layout(elsewhere.path / "m", layers).write()
        self.other = f"oci:{elsewhere.path}/m:t"
        self.words = {"import": ("import", self.source, "--name", "t", "--quiet"), "rm": ("rm", "t"), "gc": ("gc",)}
        world.store = disk.mounted / "store"
        self.prepare("import", False)
        self.moments = {}
        for work, words in self.words.items():
            begin = time.monotonic()
            world.image(*words)
            self.moments[work] = Moments(dice, time.monotonic() - begin)

    def prepare(self, work: str, with_other: bool) -> None:
        """As it is when that work begins."""
        shutil.rmtree(self.world.store, ignore_errors=True)
        self.world.image("ls")
        if with_other:
            self.world.add(self.other, "other")
        self.before = self.contents()
        if work != "import":
            self.world.add(self.source)
        if work == "gc":
            self.world.image("rm", "t")
        os.sync()

    def contents(self) -> dict[str, list[str]]:
        return {part: sorted(path.name for path in (self.world.store / part).iterdir()) for part in PARTS}

    def cut(self, work: str, how: int) -> bool:
        """Whether an importer was at work when the power went."""
        worker = start(self.world, *self.words[work])
        self.moments[work].wait_for(worker)
        at_work = work == "import" and is_at_work(self.world)
        self.disk.cut(how)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        self.disk.unmount()
        self.disk.mount()
        return at_work

    def judge(self, work: str, where: str) -> str:
        """The outcome. The image is whole, or nothing of it is left; and of the other everything is."""
        if self.before["names"]:
            self.world.verifies("other")
        if "t:latest" in self.world.image("ls", "--quiet").split():
            expect(work != "gc", f"{where}: a removed image is there again")
            self.world.verifies()
            return f"{work}: there"
        unfinished = self.contents() != self.before
        self.world.image("gc")
        found = self.contents()
        expect(found == self.before, f"{where}: {found} instead of {self.before}")
        if self.before["names"]:
            self.world.verifies("other")
        return f"{work}: {'there' if unfinished else 'gone'}" if work == "gc" else f"{work}: gone"


def power_cuts_leave_a_store_that_verifies(world: World) -> None:
    dice = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    elsewhere = World()
    disk = Disk(world.path / "m", world.store.parent / "l")
    seen = {f"{work}: {outcome}": 0 for work in dict.fromkeys(WORK) for outcome in ("there", "gone")}
    seen["cut at work"] = 0
    try:
        store = Store(world, disk, elsewhere, dice)
        for number in range(MOST_CUTS):
            if number >= CUTS and all(seen.values()):
                break
            work = WORK[number % len(WORK)]
            store.prepare(work, number % 2 == 1)
            seen["cut at work"] += store.cut(work, dice.choice((LOG_FLUSH, NO_LOG_FLUSH)))
            seen[store.judge(work, f"seed {SEED}, cut {number}")] += 1
            if number % 5 == 0:
                world.add(store.source)
                world.verifies()
    finally:
        disk.unmount()
        elsewhere.close()
    print(f"# {seen}", flush=True)
    expect(all(seen.values()), f"only some outcomes: {seen}")


TESTS = [power_cuts_leave_a_store_that_verifies]
