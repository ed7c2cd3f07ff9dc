"""Many who restore one snapshot while others remove it, take it in again and clean up: each gets what he asked for, or
one line that names the snapshot."""

import random
import subprocess

from archives import exported
from cases import expect
from faults import FULL, SEED, said_one_line
from world import World

RESTORES = 16
ROUNDS = 8  # at most


def said_well(done: subprocess.Popen) -> bool:
    """Whether it has done its work; if not, it has said so in one line."""
    error = said_one_line(done)
    expect(done.returncode == 0 or (done.returncode == 125 and "snapshot snap" in error),
           f"{done.args[1:4]}: {done.returncode}: {error}")
    return done.returncode == 0


def restores_and_removals_at_once_get_all_or_nothing(world: World) -> None:
    path = exported(world, "sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done")
    dice = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    counts = {"restored": 0, "refused": 0, "rm": 0, "gc": 0, "import": 0}

    def change() -> None:
        words = dice.choice((("rm", "snap"), ("gc",), ("import", str(path))))
        done = said_well(world.begin("snapshot", *words))
        expect(done or words[0] != "gc", "gc has failed")
        counts[words[0]] += done

    for round_ in range(ROUNDS):
        restores = {}
        removal = None
        for number in range(RESTORES):
            if number == round_:  # The first time it comes before all of them.
                removal = world.begin("snapshot", "rm", "snap")
            restores[f"copy{number}"] = world.begin("restore", "snap", "--name", f"copy{number}")
            if number % 4 == 3:
                change()
        counts["rm"] += said_well(removal)
        while any(restore.poll() is None for restore in restores.values()):
            change()
        made = {name for name, restore in restores.items() if said_well(restore)}
        counts["restored"] += len(made)
        counts["refused"] += RESTORES - len(made)
        running = set(world.must("ps", "--quiet").split())
        expect(running == made, f"{running} instead of {made}")
        for name in made:
            world.goes_on(name)
        if made:
            world.must("rm", "--force", *made)
        world.nothing_runs()
        world.store_is_clean()
        expect(set(world.snapshots()) <= {"snap"}, f"{world.snapshots()}")
        if all(counts.values()) and not FULL:
            break
        world.run("snapshot", "import", str(path))  # Unless it is there.
    print(f"# {counts}", flush=True)
    expect(all(counts.values()), f"no race in {ROUNDS} rounds: {counts}")


TESTS = [restores_and_removals_at_once_get_all_or_nothing]
