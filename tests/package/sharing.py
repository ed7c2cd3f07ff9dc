"""One cache, many processes: those who add at once, those who are killed, and what is in use."""

import json
import os
import random
import shutil
import signal
import subprocess
import time

from cases import expect
from moments import Moments
import wheels
from world import World

FULL = os.environ.get("SOCK_TEST_FULL") is not None
KILLS = 200 if FULL else 20
MOST_KILLS = 1000  # Until all outcomes have been seen.
SEED = int(os.environ.get("SOCK_TEST_SEED", str(time.time_ns() % 1_000_000)))


def large(world: World, files: int = 200) -> str:
    return str(wheels.make(world.sources, {f"demo/f{i}.py": os.urandom(3000) for i in range(files)}))


def ten_add_the_same(world: World) -> None:
    path = large(world)
    adders = [world.start("package", "add", path, "--format", "jsonl") for _ in range(10)]
    digests = set()
    for adder in adders:
        out, errors = adder.communicate(timeout=300)
        expect(adder.returncode == 0, f"{adder.returncode}: {errors.strip()}")
        digests.add(json.loads(out)["digest"])
    expect(len(digests) == 1 and len(list((world.cache / "trees").iterdir())) == 1, "it is there twice")
    expect(not list((world.cache / "staging").iterdir()), "something is left in staging")
    world.package("verify", "demo")


def killed_ones_leave_nothing(world: World) -> None:
    print(f"# seed {SEED}", flush=True)
    path = large(world)
    begin = time.monotonic()
    world.add(path)
    moments = Moments(random.Random(SEED), time.monotonic() - begin)
    seen = {"there": 0, "gone": 0, "killed at work": 0}
    for round_ in range(MOST_KILLS):
        if round_ >= KILLS and all(seen.values()):
            break
        shutil.rmtree(world.cache)
        adder = world.start("package", "add", path)
        if not moments.wait_for(adder):
            adder.send_signal(signal.SIGKILL)
        adder.communicate()
        staging = world.cache / "staging"
        seen["killed at work"] += staging.exists() and any(staging.iterdir())
        if world.package("ls", "--quiet"):
            seen["there"] += 1
            world.package("verify", "demo")  # Either it is there, and whole ...
            continue
        seen["gone"] += 1
        world.package("gc")  # ... or nothing of it is.
        world.is_empty()
    # Of those that were killed while an interpreter compiled in its container.
    expect(world.run("gc").returncode == 0, "what the dead have left is not removed")
    print(f"# {seen}", flush=True)
    expect(all(seen.values()), f"only some outcomes: {seen}")
    world.add(path)
    world.package("verify", "demo")


def what_is_in_use_stays(world: World) -> None:
    world.add(wheels.make(world.sources, {"demo.py": b"value = 1\n"}))
    started = world.run("run", "-d", "--name", "holder", "--package", "demo", "--", "/usr/bin/python3", "-c",
                        "import signal; signal.pause()")
    expect(started.returncode == 0, started.stderr)
    try:
        world.package("rm", "demo")
        expect(world.package("ls", "--quiet") == "", "it is still listed")
        removed = json.loads(world.package("gc", "--format", "jsonl"))
        expect((removed["trees"], removed["in_use"]) == (0, 1), f"{removed}")
        # And another may take its name meanwhile.
        world.add(wheels.make(world.sources, {"demo.py": b"value = 2\n"}))
    finally:
        world.run("rm", "--force", "holder")
    removed = json.loads(world.package("gc", "--format", "jsonl"))
    expect((removed["trees"], removed["in_use"]) == (1, 0), f"{removed}")
    world.package("verify", "demo")


def other_content_is_refused(world: World) -> None:
    world.add(wheels.make(world.sources, {"demo.py": b"value = 1\n"}))
    done = world.run("package", "add", str(wheels.make(world.sources, {"demo.py": b"value = 2\n"})))
    expect(done.returncode == 125 and "(exists)" in done.stderr, done.stderr)
    expect(len(list((world.cache / "trees").iterdir())) <= 2, "more than one is left")
    world.package("gc")
    expect(len(list((world.cache / "trees").iterdir())) == 1, "gc has left it")
    world.package("verify", "demo")


def damage_is_found(world: World) -> None:
    path = wheels.make(world.sources, {"demo.py": b"value = 1\n", "other.py": b""})
    for spoil in (lambda root: os.chmod(root / "demo.py", 0o600), lambda root: os.unlink(root / "other.py"),
                  lambda root: (root / "demo.py").write_text("value = 9\n"),
                  lambda root: (root / "strange.py").write_text("")):
        package = world.add(path)
        spoil(world.tree(package) / "site-packages")
        done = world.run("package", "verify", "demo")
        expect(done.returncode == 1 and "site-packages" in done.stderr, f"{done.stdout}{done.stderr}")
        shutil.rmtree(world.cache)


def caches_that_are_refused(world: World) -> None:
    world.package("ls")
    for text, reason in (("sock-packages 2\n", "(unsupported)"), ("sock-images 1\n", "(corrupt)"), ("", "(corrupt)")):
        (world.cache / "format").write_text(text)
        done = world.run("package", "ls")
        expect(done.returncode == 125 and reason in done.stderr, f"{text!r}: {done.stderr}")
    shutil.rmtree(world.cache)
    world.cache.mkdir(mode=0o700)
    (world.cache / "thesis.txt").write_text("years of work")
    done = world.run("package", "ls")
    expect(done.returncode != 0 and os.listdir(world.cache) == ["thesis.txt"], "it was taken")


TESTS = [ten_add_the_same, killed_ones_leave_nothing, what_is_in_use_stays, other_content_is_refused,
         damage_is_found, caches_that_are_refused]
