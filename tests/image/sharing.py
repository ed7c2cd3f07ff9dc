"""One store, many processes: importers at once, importers that are killed, users, and a full disk."""

import fcntl
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

from cases import SOCKCTL, expect
from layouts import Layout, directory, entry, tar
from moments import Moments
from world import World

FULL = os.environ.get("SOCK_TEST_FULL") is not None
KILLS = 200 if FULL else 20
MOST_KILLS = 1000  # Until all outcomes have been seen.
SEED = int(os.environ.get("SOCK_TEST_SEED", str(time.time_ns() % 1_000_000)))


def layered(world: World, files: int = 300) -> str:
    """An image of three layers of many files."""
    layers = [tar(directory(f"d{n}"), *(entry(f"d{n}/f{i}", data=os.urandom(2000)) for i in range(files)),
                  entry(f"big{n}", data=os.urandom(300_000))) for n in range(3)]
    Layout(world.path / "l", layers).write()
    return f"oci:{world.path}/l:t"


def start(world: World, *words: str) -> subprocess.Popen:
    environment = {**os.environ, "SOCK_IMAGE_STORE": str(world.store)}
    return subprocess.Popen([SOCKCTL, "image", *words], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def ten_importers_do_the_work_once(world: World) -> None:
    source = layered(world)
    importers = [start(world, "import", source, "--name", f"name{n}", "--quiet") for n in range(10)]
    for importer in importers:
        _, errors = importer.communicate(timeout=300)
        expect(importer.returncode == 0, f"{importer.returncode}: {errors.strip()}")
    expect(len(world.image("ls", "--quiet").split()) == 10, world.image("ls"))
    expect(len(list((world.store / "layers").iterdir())) == 3, "layers twice")
    expect(not list((world.store / "staging").iterdir()), "something is left in staging")
    world.verifies("name3")


def many_layers_need_few_descriptors(world: World) -> None:
    """As many layers as images may have elsewhere, each with files in directories of its own and of all."""
    deep = "/".join(f"d{n}" for n in range(9))
    layers = [tar(entry(f"{deep}/f{n}", data=b"%d" % n), entry(f"own{n}/{deep}/f", data=b"x")) for n in range(127)]
    Layout(world.path / "l", layers).write()
    done = world.run("image", "import", f"oci:{world.path}/l:t", "--name", "t", "--quiet",
                     before=("prlimit", "--nofile=256"))
    expect(done.returncode == 0, f"{done.returncode}: {done.stderr}")
    world.verifies()
    expect(sorted(os.listdir(world.root() / deep)) == sorted(f"f{n}" for n in range(127)), "not all files")


def is_at_work(world: World) -> bool:
    """Something of an importer is on the disk, and not yet in its place."""
    staging = world.store / "staging"
    return staging.exists() and any(staging.iterdir())


def killed_importers_leave_nothing(world: World) -> None:
    print(f"# seed {SEED}", flush=True)
    source = layered(world, 100)
    begin = time.monotonic()
    world.add(source, "whole")
    moments = Moments(random.Random(SEED), time.monotonic() - begin)
    seen = {"there": 0, "gone": 0, "killed at work": 0}
    for round_ in range(MOST_KILLS):
        if round_ >= KILLS and all(seen.values()):
            break
        shutil.rmtree(world.store)
        importer = start(world, "import", source, "--name", "t", "--quiet")
        if not moments.wait_for(importer):
            importer.send_signal(signal.SIGKILL)
        importer.communicate()
        where = f"seed {SEED}, round {round_}: "
        seen["killed at work"] += is_at_work(world)
        if world.image("ls", "--quiet"):
            seen["there"] += 1
            world.verifies()  # Either it is there, and whole ...
        else:
            seen["gone"] += 1
            world.image("gc")  # ... or nothing of it is.
            for part in ("layers", "roots", "images", "documents", "staging"):
                expect(not list((world.store / part).iterdir()), f"{where}left in {part}")
        if round_ % 5 == 0:
            world.add(source)
            world.verifies()
    print(f"# {seen}", flush=True)
    expect(all(seen.values()), f"only some outcomes: {seen}")


def names_move_and_go(world: World) -> None:
    for number in (1, 2):
        Layout(world.path / "l", [tar(entry("f", data=b"%d" % number))]).write()
        image = world.add(f"oci:{world.path}/l:t", "app")
        shutil.rmtree(world.path / "l")
    expect(world.image("ls", "--quiet") == "app:latest\n", world.image("ls"))
    removed = json.loads(world.image("gc", "--format", "jsonl"))
    expect((removed["images"], removed["layers"]) == (1, 1), f"{removed}")
    world.image("inspect", f"@{image['id']}")
    world.image("inspect", f"app@{image['id']}")
    world.image("rm", f"@{image['id']}")
    expect(world.run("image", "inspect", "app").returncode == 125, "it is still found")
    world.image("gc")
    expect(not list((world.store / "layers").iterdir()), "its layer is still there")


def shared_layers_stay(world: World) -> None:
    base = tar(entry("base", data=os.urandom(5000)))
    for name in ("one", "two"):
        Layout(world.path / "l", [base, tar(entry(name))]).write()
        world.add(f"oci:{world.path}/l:t", name)
        shutil.rmtree(world.path / "l")
    expect(len(list((world.store / "layers").iterdir())) == 3, "the base twice")
    world.image("rm", "one")
    removed = json.loads(world.image("gc", "--format", "jsonl"))
    expect((removed["layers"], removed["roots"]) == (1, 1), f"{removed}")
    world.verifies("two")


def damage_is_found(world: World) -> None:
    source = layered(world, 5)
    world.add(source)
    root = world.root()
    spoils = {
        "content": lambda: write_in_place(root / "d1/f1", b"X"),
        "mode": lambda: os.chmod(root / "d1/f2", 0o600),
        "owner": lambda: os.chown(root / "d1/f3", 12, 12),
        "link": lambda: (os.unlink(root / "d1/f4"), os.symlink("f3", root / "d1/f4")),
        "added": lambda: (root / "d2/strange").write_text("x"),
        "missing": lambda: os.unlink(root / "big2"),
        "attribute": lambda: os.setxattr(root / "d0", "user.x", b"1"),
    }
    for what, spoil in spoils.items():
        spoil()
        done = world.run("image", "verify", "t")
        expect(done.returncode == 1 and "/d" in done.stderr + "/d", f"{what}: {done.stdout}{done.stderr}")
        shutil.rmtree(world.store)
        world.add(source)
        world.verifies()
        root = world.root()


def write_in_place(path: Path, data: bytes) -> None:
    found = path.stat()
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))


def stores_that_are_refused(world: World) -> None:
    world.image("ls")
    for text, reason in (("sock-images 2\n", "(unsupported)"), ("something\n", "(corrupt)"), ("", "(corrupt)")):
        (world.store / "format").write_text(text)
        done = world.run("image", "ls")
        expect(done.returncode == 125 and reason in done.stderr, f"{text!r}: {done.stderr}")
    shutil.rmtree(world.store)
    world.store.mkdir()
    (world.store / "thesis.txt").write_text("years of work")
    os.chmod(world.store, 0o700)
    done = world.run("image", "ls")
    expect(done.returncode == 2 or done.returncode == 125, "a directory of something else was taken")
    expect(os.listdir(world.store) == ["thesis.txt"], f"{os.listdir(world.store)}")
    (world.store / "thesis.txt").unlink()
    os.chmod(world.store, 0o755)
    done = world.run("image", "ls")
    expect(done.returncode == 125 and "(denied)" in done.stderr, f"{done.stderr}")


def a_full_disk(world: World) -> None:
    source = layered(world, 100)
    script = ('mkdir "$0" && mount -t tmpfs -o size=700k,mode=0700 none "$0" || exit 99\n'
              '"$1" image import "$2" --name t --quiet; echo "status $?"\n'
              '"$1" image ls --quiet; "$1" image gc; find "$0/layers" "$0/staging" -mindepth 1')
    environment = {**os.environ, "SOCK_IMAGE_STORE": str(world.store)}
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, str(world.store), SOCKCTL, source],
                          env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().split("\n")
    expect(lines[0] == "status 125" and "(exhausted)" in done.stderr, f"{done.stdout} {done.stderr}")
    expect(len(lines) == 2, f"left behind: {lines[2:5]}")


def a_directory_with_the_store_in_it(world: World) -> None:
    (world.path / "m").mkdir()
    done = world.run("image", "import", f"dir:{world.path}", "--name", "t")
    expect(done.returncode == 125 and "the store" in done.stderr, f"{done.returncode}: {done.stderr}")
    expect(not list((world.store / "staging").iterdir()) and world.image("ls", "--quiet") == "", "left behind")


def a_mount_waits_for_a_gc_at_work(world: World) -> None:
    """Which has looked already at what is mounted. We hold its lock, the first byte, in its place."""
    (world.path / "m").mkdir()
    (world.path / "l").mkdir()
    (world.path / "l/file").write_text("content")
    world.add(f"dir:{world.path}/l")
    with open(world.store / "locks", "r+b") as locks:
        fcntl.fcntl(locks, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        mount = start(world, "mount", "t", str(world.path / "m"))
        try:
            mount.wait(0.5)
            waited = False
        except subprocess.TimeoutExpired:
            waited = True
        there = (world.path / "m/file").exists()
    _, errors = mount.communicate(timeout=60)
    expect(mount.returncode == 0, errors)
    world.image("umount", str(world.path / "m"))
    expect(waited and not there, "it has not waited")


TESTS = [ten_importers_do_the_work_once, many_layers_need_few_descriptors, killed_importers_leave_nothing, names_move_and_go,
         shared_layers_stay, damage_is_found, stores_that_are_refused, a_directory_with_the_store_in_it, a_mount_waits_for_a_gc_at_work,
         a_full_disk]
