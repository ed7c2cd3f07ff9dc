"""Power cuts while a snapshot is imported or written (tests/support/disk.py). Afterwards the store opens, whatever it
lists verifies, gc leaves nothing else, and what was done before the cut is there."""

from archives import exported
from cases import expect
from disk import Disk
from faults import FULL, Moments, duration_of, is_at_work, wait_at_most
from world import World

CUTS = 100 if FULL else 6
HOLDING = ("sh", "-c", "head -c 20M /dev/urandom >/tmp/random; echo ready; exec sleep 1000")


class Cuts:
    """A snapshot store on a disk whose power fails, and what was to be done then."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.disk = Disk(world.path / "disk", world.path / "mounted")
        world.store = self.disk.mounted / "store"

    def cut_during(self, seconds: float, *words: str, box: str = "") -> str:
        """What `seconds` after the start of a command the power cut has met."""
        asked = self.world.begin(*words)
        wait_at_most(asked, seconds)
        met = "in the middle" if is_at_work(self.world, asked) else "done before" if asked.poll() == 0 else "too early"
        self.disk.cut()
        if not box:
            asked.kill()
        asked.communicate(timeout=120)
        if box:  # Who has a file of a dead disk open keeps it.
            self.world.must("rm", "--force", box)
            self.world.nothing_runs()
        self.disk.unmount()
        self.disk.mount()
        return met

    def judge(self, met: str, name: str, before: list[str]) -> None:
        self.world.store_is_clean()
        listed = self.world.snapshots()
        there = sorted(path.name for path in (self.world.store / "snapshots").iterdir())
        expect(there == listed, f"{there} in the store, {listed} listed")
        expect(sorted({*listed, name}) == sorted({*before, name}), f"{listed} instead of {before}")
        expect(name in listed or met != "done before", "it was done, and is not there")
        if name in listed:
            self.world.must("snapshot", "rm", name)


def power_cuts_leave_an_import_whole_or_nothing_of_it(world: World) -> None:
    path = exported(world)
    cuts = Cuts(world)
    try:
        moments = Moments(CUTS, duration_of(world, "snapshot", "import", str(path), "--name", "whole"), "in the middle")
        for seconds in moments:
            met = cuts.cut_during(seconds, "snapshot", "import", str(path), "--name", "cut")
            moments.found(met)
            cuts.judge(met, "cut", ["whole"])
    finally:
        cuts.disk.unmount()


def power_cuts_leave_a_checkpoint_whole_or_nothing_of_it(world: World) -> None:
    cuts = Cuts(world)
    try:
        world.start("box", *HOLDING)
        world.lines_after("box", 1)
        moments = Moments(CUTS, duration_of(world, "checkpoint", "box", "whole"), "in the middle")
        world.must("rm", "--force", "box")
        for seconds in moments:
            world.start("box", *HOLDING)
            world.lines_after("box", 1)
            met = cuts.cut_during(seconds, "checkpoint", "box", "cut", box="box")
            moments.found(met)
            cuts.judge(met, "cut", ["whole"])
        world.must("restore", "whole", "--name", "copy")
        world.must("rm", "--force", "copy")
        world.nothing_runs()
    finally:
        cuts.disk.unmount()


TESTS = [power_cuts_leave_an_import_whole_or_nothing_of_it, power_cuts_leave_a_checkpoint_whole_or_nothing_of_it]
