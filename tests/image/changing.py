"""Blobs that change while they are imported (IMG-11 of the threat model): what has been checked is what is
stored, or nothing is."""

import os
import random
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

from cases import expect
from layouts import Layout, entry, sha256, tar
from sharing import FULL, SEED, start
from world import World

ROUNDS = 200 if FULL else 30
MOST_ROUNDS = 1000  # Until both outcomes have been seen.
GOOD, EVIL = b"GOOD", b"EVIL"


def layout(world: World) -> list[Path]:
    """A manifest, a config and a layer that say GOOD somewhere; their files."""
    layer = tar(entry("before", data=os.urandom(700_000)), entry("word", data=GOOD),
                entry("after", data=os.urandom(700_000)))
    Layout(world.path / "l", [layer], config={"Env": ["WORD=GOOD"]},
           spoil_manifest=lambda manifest: manifest.update(annotations={"word": "GOOD"})).write()
    blobs = list((world.path / "l/blobs/sha256").iterdir())
    expect(len(blobs) == 3 and all(blob.read_bytes().count(GOOD) == 1 for blob in blobs), f"{blobs}")
    return blobs


@contextmanager
def changing(blobs: list[Path], dice: random.Random):
    """Writes EVIL over GOOD and back, in one blob or the other, as long as the block runs."""
    stop = threading.Event()

    def change() -> None:
        places = [(os.open(blob, os.O_RDWR), blob.read_bytes().index(GOOD)) for blob in blobs]
        while not stop.is_set():
            file, offset = dice.choice(places)
            os.pwrite(file, EVIL, offset)
            stop.wait(dice.uniform(0, 0.004))
            os.pwrite(file, GOOD, offset)
            stop.wait(dice.uniform(0, 0.004))
        for file, _ in places:
            os.close(file)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def is_good(world: World) -> None:
    world.verifies()
    expect((world.root() / "word").read_bytes() == GOOD, "the other word was stored")
    documents = [(path.name, path.read_bytes()) for path in (world.store / "documents").iterdir()]
    expect(len(documents) == 2, f"{len(documents)} documents instead of a manifest and a config")
    for name, text in documents:
        expect(sha256(text) == name and GOOD in text and EVIL not in text, f"{name} is another: {text}")


def what_is_stored_is_what_was_checked(world: World) -> None:
    dice = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    blobs = layout(world)
    seen = {"stored": 0, "refused": 0}
    with changing(blobs, dice):
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and all(seen.values()):
                break
            shutil.rmtree(world.store, ignore_errors=True)
            done = world.run("image", "import", f"oci:{world.path}/l:t", "--name", "t", "--quiet")
            if done.returncode == 0:
                seen["stored"] += 1
                is_good(world)
                continue
            seen["refused"] += 1
            expect(done.returncode == 125 and "(corrupt)" in done.stderr, f"{done.returncode}: {done.stderr}")
            for part in ("layers", "roots", "images", "names", "documents", "staging"):
                expect(not list((world.store / part).iterdir()), f"left behind in {part}")
    print(f"# {seen}", flush=True)
    expect(all(seen.values()), f"only one outcome: {seen}")


def sixteen_importers_publish_once_what_was_checked(world: World) -> None:
    dice = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    blobs = layout(world)
    stored = 0
    for _ in range(20 if FULL else 4):
        shutil.rmtree(world.store, ignore_errors=True)
        with changing(blobs, dice):
            importers = [start(world, "import", f"oci:{world.path}/l:t", "--name", "t", "--quiet")
                         for _ in range(16)]
            for importer in importers:
                _, errors = importer.communicate(timeout=300)
                expect(importer.returncode == 0 or "(corrupt)" in errors, f"{importer.returncode}: {errors}")
        if any(importer.returncode == 0 for importer in importers):
            stored += 1
            is_good(world)
        expect(len(list((world.store / "layers").iterdir())) <= 1, "a layer twice")
        expect(not list((world.store / "staging").iterdir()), "something is left in staging")
    print(f"# stored {stored} times", flush=True)


TESTS = [what_is_stored_is_what_was_checked, sixteen_importers_publish_once_what_was_checked]
