"""Kills and full disks in the middle of a checkpoint or a restore: nothing is left, nothing hangs."""

import contextlib
import os
import random
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from cases import PROJECT, expect
from world import World, wait_until

FULL = os.environ.get("SOCK_TEST_FULL") is not None
PAYLOADS = PROJECT / "tests" / "payloads" / "snapshot"
KILLS = 100 if FULL else 8
SEED = int(os.environ.get("SOCK_TEST_SEED", str(time.time_ns() % 1_000_000)))
COUNTING = ("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done")


def children(pid: int, name: str) -> list[int]:
    """Those of a process that have this name."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        if fields["Name"] == name and int(fields["PPid"]) == pid:
            found.append(int(status.parent.name))
    return found


class Watched:
    """Processes that have to end. One that hangs in its own end, as pid 1 does while somebody traces what is left of
    its namespace, has not ended."""

    def __init__(self, pids: list[int]) -> None:
        self.pidfds = {}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # It has ended already.
                self.pidfds[pid] = os.pidfd_open(pid)

    def all_end(self) -> None:
        def still_there() -> list[int]:
            ended = select.select(self.pidfds.values(), [], [], 0)[0]
            return [pid for pid, pidfd in self.pidfds.items() if pidfd not in ended]

        wait_until(lambda: not still_there(), 5)
        left = still_there()
        for pidfd in self.pidfds.values():
            os.close(pidfd)
        expect(not left, f"processes are left: {left}")


class Moments:
    """Points in the time that something takes, spread over all of it, and what was found at each. There are as many as
    wanted, and then more until each of these outcomes was seen: what takes a second takes two on a busy machine."""

    def __init__(self, count: int, takes: float, *outcomes: str) -> None:
        self.count, self.takes = count, takes
        self.seen = dict.fromkeys(outcomes, 0)
        self.dice = random.Random(SEED)
        print(f"# seed {SEED}, {takes:.3f} s", flush=True)

    def __iter__(self) -> Iterator[float]:
        number = 0
        while number < self.count or not all(self.seen.values()):
            expect(number < 5 * self.count, f"never all of these: {self.seen}")
            # The one after the other in a slice of its own; later rounds go further and less far in turn: the first time,
            # by which we measure, may have been a slow one.
            part = (number % self.count + self.dice.random()) / self.count
            later = number // self.count
            yield part * self.takes * (1.3 + later if later % 2 == 0 else 0.5 ** (2 * later))
            number += 1
        print(f"# {self.seen}", flush=True)

    def found(self, outcome: str) -> None:
        self.seen[outcome] = self.seen.get(outcome, 0) + 1


def kill_each(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def wait_at_most(asked: subprocess.Popen, seconds: float) -> None:
    try:
        asked.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def duration_of(world: World, *words: str) -> float:
    started = time.monotonic()
    world.must(*words)
    return time.monotonic() - started


def is_at_work(world: World, asked: subprocess.Popen) -> bool:
    """It has begun to write to the store, and is not done."""
    return asked.poll() is None and any((world.store / "staging").glob("*"))


def said_one_line(done: subprocess.Popen) -> str:
    _, errors = done.communicate(timeout=120)
    expect(done.returncode == 0 or errors.count("\n") == 1, f"{done.returncode}: {errors!r}")
    return errors.strip()


def a_killed_runtime_leaves_nothing_of_a_checkpoint(world: World) -> None:
    world.start("box", *COUNTING)
    moments = Moments(KILLS, duration_of(world, "checkpoint", "box", "whole"), "in the middle", "done before")
    world.must("rm", "--force", "box")
    for number, seconds in enumerate(moments):
        world.start("box", *COUNTING)
        shown = world.inspect("box")
        asked = world.begin("checkpoint", "box", f"snap{number}")
        wait_at_most(asked, seconds)
        watched = Watched([shown["pid"], *children(shown["monitor_pid"], "criu")])
        at_work = is_at_work(world, asked)
        kill_each([shown["monitor_pid"]])
        said_one_line(asked)
        if asked.returncode == 0:
            moments.found("done before")
        elif at_work:
            moments.found("in the middle")
        watched.all_end()
        # The first may still find the monitor, on its way out.
        expect(wait_until(lambda: world.run("rm", "--force", "box").returncode == 0, 5), "it cannot be removed")
        world.nothing_runs()
        world.store_is_clean()


def a_killed_runtime_leaves_nothing_of_a_restore(world: World) -> None:
    world.start("box", *COUNTING)
    world.lines_after("box", 1)
    world.must("checkpoint", "box", "snap", "--stop")
    world.must("rm", "--force", "box")
    moments = Moments(KILLS, duration_of(world, "restore", "snap", "--name", "copy"), "in the middle", "done before")
    world.must("rm", "--force", "copy")
    for seconds in moments:
        asked = world.begin("restore", "snap", "--name", "copy")
        lock = world.path / "state" / "containers" / "copy" / "lock"
        wait_until(lock.exists, 5)
        wait_at_most(asked, seconds)
        at_work = is_at_work(world, asked)
        kill_each([pid for pid in holders_of(lock)])
        said_one_line(asked)
        if asked.returncode == 0:
            moments.found("done before")
        elif at_work:
            moments.found("in the middle")
        world.run("rm", "--force", "copy")
        world.nothing_runs()
        world.store_is_clean()
    world.must("restore", "snap", "--name", "copy")
    world.goes_on("copy")


def links_of(pid: int) -> list[str]:
    """The names of what a process has open; none when it is gone."""
    found = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(link))
    return found


def holders_of(path: Path) -> list[int]:
    """The processes that have a file open, but for this one."""
    pids = [int(directory.name) for directory in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if pid != os.getpid() and str(path) in links_of(pid)]


def a_killed_criu_never_leaves_a_container_stuck(world: World) -> None:
    """It runs on, or it is gone and the error says so."""
    world.start("box", *COUNTING)
    world.lines_after("box", 1)
    # The moment before CRIU has touched anything, after which a container runs on, may be missed.
    moments = Moments(KILLS, duration_of(world, "checkpoint", "box", "whole"), "killed", "written")
    world.must("rm", "--force", "box")
    for number, seconds in enumerate(moments):
        world.start("box", *COUNTING)
        world.lines_after("box", 1)
        monitor = world.inspect("box")["monitor_pid"]
        asked = world.begin("checkpoint", "box", f"snap{number}")
        found: list[int] = []

        def sees_criu() -> bool:
            found[:] = children(monitor, "criu")
            return bool(found) or asked.poll() is not None

        wait_until(sees_criu, 10)
        wait_at_most(asked, seconds)
        kill_each(found)
        error = said_one_line(asked)
        if world.inspect("box")["state"] == "running":
            world.goes_on("box")
            moments.found("runs on" if error else "written")
        else:
            moments.found("killed")
            expect("the container was killed" in error, f"it is gone, and nobody said so: {error!r}")
        world.must("rm", "--force", "box")
        world.nothing_runs()
        world.store_is_clean()


def a_full_disk_costs_the_snapshot_only(world: World) -> None:
    world.store.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "none", world.store], check=True)
    try:
        world.start("box", "/usr/bin/python3", "-u", "/opt/counting.py", options=("-v", f"{PAYLOADS}:/opt:ro"))
        world.lines_after("box", 2)
        for how in ((), ("--stop",)):
            done = world.run("checkpoint", "box", "snap", *how)
            expect(done.returncode == 125 and done.stderr.count("\n") == 1, f"{done.returncode}: {done.stderr!r}")
            world.goes_on("box")
            expect(world.snapshots() == [], "there is a snapshot")
            world.store_is_clean()
        world.must("rm", "--force", "box")
    finally:
        subprocess.run(["umount", world.store], check=True)


def processes_that_come_and_go_are_caught_or_named(world: World) -> None:
    world.start("box", "sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; /bin/true; /bin/true; sleep 0.01; done")
    world.lines_after("box", 2)
    written = 0
    for number in range(8):
        asked = world.begin("checkpoint", "box", f"snap{number}")
        said_one_line(asked)
        written += asked.returncode == 0
        world.goes_on("box")
    expect(written > 0, "never written")
    name = world.snapshots()[0]
    world.must("restore", name, "--name", "copy")
    world.goes_on("copy")


TESTS = [a_killed_runtime_leaves_nothing_of_a_checkpoint, a_killed_runtime_leaves_nothing_of_a_restore,
         a_killed_criu_never_leaves_a_container_stuck, a_full_disk_costs_the_snapshot_only,
         processes_that_come_and_go_are_caught_or_named]
