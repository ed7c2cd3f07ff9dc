"""Exports and imports that are killed or find the disk full, and archives whose digests are right but whose words are
not. tests/integration has those that somebody has changed without the digests."""

import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from cases import expect
from faults import KILLS, Moments, duration_of, is_at_work, links_of, said_one_line, wait_at_most
from world import World

HOLDING = ("sh", "-c", "head -c 30M /dev/urandom >/tmp/random; echo kept >/tmp/kept; echo ready; exec sleep 1000")


class Archive:
    """What export has written, as a manifest and a list of entries that can be changed."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            self.entries = [(info, tar.extractfile(info).read() if info.isreg() else b"") for info in tar]
        for info, content in self.entries:  # Holes are written out.
            info.size = len(content)
            info.pax_headers = {key: value for key, value in info.pax_headers.items() if "sparse" not in key}
        self.manifest = json.loads(self.content("snap/manifest"))

    def index(self, name: str) -> int:
        return [info.name for info, _ in self.entries].index(name)

    def content(self, name: str) -> bytes:
        return self.entries[self.index(name)][1]

    def replace(self, name: str, content: bytes) -> None:
        at = self.index(name)
        info = self.entries[at][0]
        info.size = len(content)
        self.entries[at] = (info, content)

    def set_record(self, text: bytes) -> None:
        self.manifest["scratch"][0]["tree"] = "sha256:" + hashlib.sha256(text).hexdigest()
        self.replace("snap/scratch/0/record", text)

    def write(self, path: Path) -> None:
        text = json.dumps(self.manifest).encode()
        self.replace("snap/manifest", text)
        self.replace("snap/digest", f"sha256:{hashlib.sha256(text).hexdigest()}\n".encode())
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for info, content in self.entries:
                tar.addfile(info, io.BytesIO(content))


def exported(world: World, *command: str) -> Path:
    """The store has the snapshot too."""
    world.start("box", *(command or HOLDING))
    world.lines_after("box", 1)
    world.must("checkpoint", "box", "snap", "--stop")
    world.must("rm", "--force", "box")
    path = world.path / "snap.tar"
    world.must("snapshot", "export", "snap", str(path))
    expect(path.stat().st_mode & 0o7777 == 0o600, f"{path.stat().st_mode:o}")
    return path


def refused(world: World, path: Path, why: str) -> None:
    done = world.run("snapshot", "import", str(path), "--name", "forged")
    expect(done.returncode == 125 and done.stderr.count("\n") == 1 and why in done.stderr,
           f"{why}: {done.returncode}: {done.stderr[:500]!r}")
    expect("forged" not in world.snapshots() and not list((world.store / "staging").iterdir()), "something came of it")


def what_the_digests_do_not_tell_is_refused_all_the_same(world: World) -> None:
    path = exported(world, "sh", "-c", "echo kept >/tmp/kept; echo ready; exec sleep 1000")
    forged = world.path / "forged.tar"

    def refuse(change: Callable[[Archive], None], why: str) -> None:
        archive = Archive(path)
        change(archive)
        archive.write(forged)
        refused(world, forged, why)

    def set_file(**values: object) -> Callable[[Archive], None]:
        return lambda archive: archive.manifest["files"][0].update(values)

    for name in ("../canary", "a/b", ".hidden", "", "zzz"):
        refuse(set_file(name=name), "(corrupt)")
    refuse(set_file(bytes=1 << 62), "bytes_max")
    refuse(set_file(bytes=(1 << 64) - 1), "bytes_max")
    refuse(set_file(bytes=7), "where the manifest says 7")
    refuse(set_file(digest="sha256:" + "0" * 64), "not what was written")
    refuse(lambda archive: archive.manifest["files"].append(archive.manifest["files"][-1]), "out of order")
    refuse(lambda archive: archive.manifest.update(files=[]), "must be")
    refuse(lambda archive: archive.manifest["scratch"].append(archive.manifest["scratch"][0]), "missing")
    refuse(lambda archive: archive.manifest.update(scratch=[]), "no part of the snapshot")
    refuse(lambda archive: archive.manifest.update(format=2), "(unsupported)")
    refuse(lambda archive: archive.manifest.update(kind="zygote"), "(corrupt)")
    many = [{"name": f"f{number:07}", "bytes": 0, "digest": "sha256:" + "0" * 64} for number in range(100_000)]
    refuse(lambda archive: archive.manifest.update(files=many), "must be")

    # A record is of the tree that came with it, entry by entry.
    def set_lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Archive], None]:
        def act(archive: Archive) -> None:
            lines = change(archive.content("snap/scratch/0/record").splitlines()[1:])
            archive.set_record(b"\n".join([f"sock-tree 1 {len(lines)}".encode(), *lines, b""]))
        return act

    climbing = b" ".join([b"f 644 0 0 0 0 0 0 0", b"-" * 1, b"-", b"-", b"../../../canary"])
    refuse(set_lines(lambda lines: [*lines, climbing]), "not what was written, or of another tree")
    refuse(set_lines(lambda lines: [*lines[:-1], lines[-1].rsplit(b" ", 1)[0] + b" ../../canary"]), "not what was written")
    refuse(set_lines(lambda lines: [*lines[:-1], lines[-1].replace(b" 644 ", b" 4755 ")]), "not what was written")
    refuse(set_lines(lambda lines: []), "not what was written, or of another tree")
    refuse(lambda archive: archive.set_record(b"sock-tree 1 99999999999\n"), "not what was written, or of another tree")
    archive = Archive(path)
    archive.write(forged)
    world.must("snapshot", "import", str(forged), "--name", "unchanged")
    world.store_is_clean()


def what_another_user_has_written_becomes_ours(world: World) -> None:
    path = exported(world)
    os.chown(path, 65534, 65534)
    path.chmod(0o644)
    world.must("snapshot", "import", str(path), "--name", "copy")
    for directory, _, files in os.walk(world.store / "snapshots" / "copy"):
        if "/scratch/" in directory:
            continue
        for name in (".", *files):
            status = os.lstat(Path(directory) / name)
            expect(status.st_uid == os.geteuid() and status.st_mode & 0o077 == 0, f"{directory}/{name}")
    world.must("snapshot", "verify", "copy")
    world.must("restore", "copy", "--name", "again")
    expect(world.must("exec", "again", "--", "cat", "/tmp/kept") == "kept\n", "another content")


def a_killed_import_leaves_what_gc_removes(world: World) -> None:
    path = exported(world)
    moments = Moments(KILLS, duration_of(world, "snapshot", "import", str(path), "--name", "whole"),
                      "in the middle", "done before")
    for number, seconds in enumerate(moments):
        asked = world.begin("snapshot", "import", str(path), "--name", "killed")
        wait_at_most(asked, seconds)
        at_work = is_at_work(world, asked)
        asked.send_signal(signal.SIGKILL if number % 2 else signal.SIGINT)
        asked.communicate(timeout=60)
        world.store_is_clean()
        if "killed" in world.snapshots():
            moments.found("done before")
            world.must("snapshot", "rm", "killed")
        elif at_work:
            moments.found("in the middle")
    expect(world.snapshots() == ["snap", "whole"], f"{world.snapshots()}")


def a_killed_export_leaves_nothing(world: World) -> None:
    exported(world)
    place = world.path / "out"
    place.mkdir()
    moments = Moments(KILLS, duration_of(world, "snapshot", "export", "snap", str(place / "whole.tar")),
                      "in the middle", "done before")
    whole = (place / "whole.tar").read_bytes()
    for number, seconds in enumerate(moments):
        asked = world.begin("snapshot", "export", "snap", str(place / "killed.tar"))
        wait_at_most(asked, seconds)
        # What it writes has no name yet.
        at_work = any(name.startswith(f"{place}/#") for name in links_of(asked.pid))
        asked.send_signal(signal.SIGKILL if number % 2 else signal.SIGINT)
        asked.communicate(timeout=60)
        left = {file.name for file in place.iterdir()} - {"whole.tar"}
        expect(left <= {"killed.tar"}, f"{left}")
        if left:
            moments.found("done before")
            expect((place / "killed.tar").read_bytes() == whole, "half a file has a name")
            (place / "killed.tar").unlink()
        elif at_work:
            moments.found("in the middle")
    world.store_is_clean()


def a_full_disk_leaves_nothing(world: World) -> None:
    path = exported(world)
    small = world.path / "small"
    small.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "none", small], check=True)
    try:
        for words in (("export", "snap", str(small / "x.tar")),
                      ("import", str(path), "--snapshot-store", str(small / "store"))):
            done = world.begin("snapshot", *words)
            error = said_one_line(done)
            expect(done.returncode == 125 and "space" in error, f"{done.returncode}: {error!r}")
        expect([file.name for file in small.iterdir()] == ["store"], f"{list(small.iterdir())}")
        for part in ("staging", "snapshots"):
            expect(not list((small / "store" / part).iterdir()), f"something is left in {part}")
    finally:
        subprocess.run(["umount", small], check=True)


TESTS = [what_the_digests_do_not_tell_is_refused_all_the_same, what_another_user_has_written_becomes_ours,
         a_killed_import_leaves_what_gc_removes, a_killed_export_leaves_nothing, a_full_disk_leaves_nothing]
