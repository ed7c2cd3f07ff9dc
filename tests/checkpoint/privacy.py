"""A secret that a container had in memory and in a tmpfs: who may read what is written of it, and for how long."""

import os
import stat
from pathlib import Path

from cases import expect
from world import World

HOLDING = ("import signal\nsecret = open('/opt/secret').read()\nopen('/tmp/copy', 'w').write(secret)\n"
           "print('ready', flush=True)\nsignal.pause()")


def files_below(top: Path) -> list[Path]:
    return [Path(directory) / name for directory, _, names in os.walk(top) for name in names]


def with_secret(top: Path, secret: bytes) -> list[Path]:
    return [file for file in files_below(top) if not file.is_symlink() and secret in file.read_bytes()]


def start_with_secret(world: World) -> bytes:
    """Nothing on the command line or in the environment has it, but the process."""
    secret = os.urandom(20).hex()
    (world.path / "bound").mkdir()
    (world.path / "bound" / "secret").write_text(secret)
    world.start("box", "/usr/bin/python3", "-c", HOLDING, options=("-v", f"{world.path}/bound:/opt:ro"))
    world.lines_after("box", 1)
    return secret.encode()


def expect_private(path: Path) -> None:
    found = path.lstat()
    allowed = 0o700 if stat.S_ISDIR(found.st_mode) else 0o600
    expect(found.st_uid == os.geteuid() and found.st_mode & 0o7777 & ~allowed == 0,
           f"{path}: user {found.st_uid}, mode {found.st_mode:o}")


def a_secret_is_private_and_goes_with_its_snapshot(world: World) -> None:
    before = os.umask(0)  # What is private must not be so by the caller's grace.
    try:
        secret = start_with_secret(world)
        world.must("checkpoint", "box", "snap")
        world.must("checkpoint", "box", "copied", "--memory", "copied", "--stop")
        world.must("snapshot", "export", "snap", str(world.path / "snap.tar"))
        world.must("snapshot", "import", str(world.path / "snap.tar"), "--name", "imported")
    finally:
        os.umask(before)
    expect_private(world.path / "snap.tar")
    for name in ("snap", "copied", "imported"):
        # In memory, and in the tmpfs: else its absence afterwards means nothing.
        places = {file.relative_to(world.store / "snapshots" / name).parts[0]
                  for file in with_secret(world.store / "snapshots" / name, secret)}
        expect(places == {"images", "scratch"}, f"{name}: {places}")
    for directory, _, files in os.walk(world.store):
        if "/tree" in directory:  # The modes of a payload's own files are the payload's; the way there is closed.
            continue
        for path in (Path(directory), *(Path(directory) / file for file in files)):
            expect_private(path)
    # Whoever was restored has it; removing the snapshot does not take it away from him, and leaves nothing else.
    world.must("restore", "snap", "--name", "copy")
    for name in ("snap", "copied", "imported"):
        world.must("snapshot", "rm", name)
        expect(with_secret(world.store / "snapshots" / name, secret) == [], f"something of {name} is left")
    expect(world.must("exec", "copy", "--", "cat", "/tmp/copy").encode() == secret, "the copy has lost it")
    left = with_secret(world.store, secret)
    expect(not left, f"the secret is left in {left}")


def a_store_that_others_can_reach_is_refused(world: World) -> None:
    world.start("box", "sh", "-c", "echo ready; exec sleep 1000")
    world.lines_after("box", 1)
    world.store.mkdir()
    for mode in (0o755, 0o750, 0o701):
        world.store.chmod(mode)
        for words in (("checkpoint", "box", "snap"), ("snapshot", "ls"), ("restore", "snap"), ("snapshot", "gc")):
            done = world.run(*words)
            expect(done.returncode == 125 and done.stderr.count("\n") == 1 and "chmod 700" in done.stderr,
                   f"{mode:o}: {words[0]}: {done.returncode}: {done.stderr!r}")
        expect(not list(world.store.iterdir()), f"{mode:o}: something was written")
    world.store.chmod(0o700)
    world.must("checkpoint", "box", "snap")
    world.store.chmod(0o755)
    expect(world.run("restore", "snap", "--name", "copy").returncode == 125, "restored of what others can reach")
    world.store.chmod(0o700)
    world.must("restore", "snap", "--name", "copy")


TESTS = [a_secret_is_private_and_goes_with_its_snapshot, a_store_that_others_can_reach_is_refused]
