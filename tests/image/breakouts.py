"""Links of one layer, and what another layer does with them (IMG-02, IMG-03 and IMG-05 of the threat model): the
table of containerd's TestBreakouts, and more.

Each case is unpacked by a careless hand first, which it leads outside: or else it would prove nothing.
"""

import io
import os
import shutil
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

from cases import expect
from hostile import clear
from layouts import Layout, directory, entry, hard_link, symlink, tar
from world import World

EVIL = b"evil"
REFUSED = None


@dataclass
class Case:
    what: str
    layers: list[list[bytes]]  # from the lowest
    root: dict[str, str] | None  # what each path is in the end; REFUSED where the image may not be imported


class Outside:
    """What nobody may touch, beside the store."""

    def __init__(self, world: World):
        self.path = world.path / "m/outside"

    def make(self) -> list[tuple]:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        os.chmod(self.path, 0o750)
        (self.path / "precious").write_text("untouched")
        os.chmod(self.path / "precious", 0o640)
        return self.look()

    def look(self) -> list[tuple]:
        seen = []
        for path in [self.path, *sorted(self.path.rglob("*"))]:
            found = path.lstat()
            content = path.read_text() if stat.S_ISREG(found.st_mode) else ""
            seen.append((path.name, found.st_mode, found.st_uid, found.st_gid, found.st_ino, content,
                         found.st_nlink if content else 0))
        return seen


def file(name: str, **fields) -> bytes:
    return entry(name, data=EVIL, **fields)


def cases(out: str, further_out: str) -> list[Case]:
    """`out` is a link's target at the root, `further_out` that of one in a directory."""
    link, written = symlink("a", out), {"a": "dir", "a/precious": "evil"}
    precious = f"{out}/precious"
    return [
        Case("a file below it", [[link], [file("a/precious")]], written),
        Case("in the same layer", [[link, file("a/precious")]], REFUSED),
        Case("after another file of its layer", [[link], [entry("b"), file("./a/./precious")]], {"b": "", **written}),
        Case("a link with a slash at its end", [[symlink("a/", out)], [file("a//precious")]], written),
        Case("a link to a link", [[symlink("b", out), symlink("a", "b")], [file("a/precious")]],
             {"b": f"-> {out}", **written}),
        Case("links of two layers", [[symlink("b", out)], [symlink("a", "b")], [file("a/precious")]],
             {"b": f"-> {out}", **written}),
        Case("a link that goes up, to another", [[symlink("b", out), symlink("d/a", "../b")], [file("d/a/precious")]],
             {"b": f"-> {out}", "d": "dir", "d/a": "dir", "d/a/precious": "evil"}),
        Case("in a directory", [[symlink("d/a", further_out)], [file("d/a/precious")]],
             {"d": "dir", "d/a": "dir", "d/a/precious": "evil"}),
        Case("a directory in its place", [[link], [directory("a"), file("a/precious")]], written),
        Case("the same in one layer, and back", [[link, directory("a"), file("a/precious"), symlink("a", out), file("a/new")]],
             REFUSED),
        Case("a mode and an owner", [[link], [directory("a", mode=0o777, uid=1234, gid=1234)]], {"a": "dir"}),
        Case("directories on the way", [[link], [file("a/new/deep/f")]],
             {"a": "dir", "a/new": "dir", "a/new/deep": "dir", "a/new/deep/f": "evil"}),
        Case("a pipe below it", [[link], [entry("a/pipe", tarfile.FIFOTYPE)]], {"a": "dir", "a/pipe": "pipe"}),
        Case("a link below it", [[link], [symlink("a/l", "x")]], {"a": "dir", "a/l": "-> x"}),
        Case("a link in a directory's place", [[directory("a"), entry("a/low")], [link, file("a/precious")]], REFUSED),
        Case("the same, a layer later", [[directory("a"), entry("a/low")], [link], [file("a/precious")]], written),
        Case("a file in its place", [[symlink("f", precious)], [file("f")]], {"f": "evil"}),
        Case("a file in its place, in one layer", [[symlink("f", precious), file("f")]], {"f": "evil"}),
        Case("a hard link, then data", [[symlink("s", precious), hard_link("h", "s"), file("h")]],
             {"s": f"-> {precious}", "h": "evil"}),
        Case("a hard link with a mode and an owner",
             [[symlink("s", precious), entry("h", tarfile.LNKTYPE, linkname="s", mode=0o777, uid=1234)]],
             {"s": f"-> {precious}", "h": f"-> {precious}"}),
        Case("a hard link, and data a layer later", [[symlink("s", precious), hard_link("h", "s")], [file("h")]],
             {"s": f"-> {precious}", "h": "evil"}),
        Case("a hard link to a link of another layer", [[symlink("s", precious)], [hard_link("h", "s"), file("h")]], REFUSED),
        Case("a hard link to what is below it", [[link], [hard_link("h", "a/precious"), file("h")]], REFUSED),
        Case("the same in one layer", [[link, hard_link("h", "a/precious")]], REFUSED),
        Case("a hard link below it", [[link], [file("f"), hard_link("a/precious", "f")]],
             {"f": "evil", **written}),
        Case("a whiteout below it", [[link], [entry("a/.wh.precious")]], {"a": f"-> {out}"}),
        Case("an opaque directory below it", [[link], [entry("a/.wh..wh..opq")]], {"a": f"-> {out}"}),
        Case("an opaque directory, then a file", [[link], [entry("a/.wh..wh..opq"), directory("a"), file("a/precious")]],
             written),
        Case("a whiteout below two links", [[symlink("b", out), symlink("a", "b")], [entry("a/.wh.precious")]],
             {"b": f"-> {out}", "a": "-> b"}),
    ]


def careless(root: Path, layers: list[list[bytes]]) -> None:
    """Unpacks as one would who joins paths, and trusts them."""
    root.mkdir(parents=True)
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(tar(*layer))) as archive:
            for item in archive:
                place(root, item, archive)


def place(root: Path, item: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
    path = root / item.name
    os.makedirs(path.parent, exist_ok=True)
    if path.name == ".wh..wh..opq":
        for left in path.parent.iterdir():
            left.unlink()
    elif path.name.startswith(".wh."):
        (path.parent / path.name[4:]).unlink()
    elif item.isdir():
        path.mkdir(exist_ok=True)
    elif item.issym():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(item.linkname)
    elif item.islnk():
        path.unlink(missing_ok=True)
        os.link(root / item.linkname, path)
    elif item.isfifo():
        os.mkfifo(path)
    else:
        path.write_bytes(archive.extractfile(item).read())
    if path.exists() and not item.issym():
        os.chown(path, item.uid, item.gid)
        os.chmod(path, item.mode)


def content(root: Path) -> dict[str, str]:
    def of(path: Path) -> str:
        if path.is_symlink():
            return f"-> {os.readlink(path)}"
        return "dir" if path.is_dir() else "pipe" if path.is_fifo() else path.read_text()
    return {str(path.relative_to(root)): of(path) for path in root.rglob("*")}


def judge(world: World, outside: Outside, case: Case) -> None:
    before = outside.make()
    careless(world.path / "m/as/deep/tree", case.layers)
    expect(outside.look() != before, "a careless hand is not led outside")
    shutil.rmtree(world.path / "m/as")
    before = outside.make()
    Layout(world.path / "l", [tar(*layer) for layer in case.layers]).write()
    if case.root is REFUSED:
        world.refuses(f"oci:{world.path}/l:t", "(corrupt)")
    else:
        world.add(f"oci:{world.path}/l:t")
        world.verifies()
        world.is_untouched()
        found = content(world.root())
        expect(found == case.root, f"{found}")
    expect(outside.look() == before, f"touched: {outside.look()}")
    clear(world)


def links_lead_out_in_no_case(world: World) -> None:
    outside = Outside(world)
    # The second is the way from a tree in the store, and from where the careless hand unpacks.
    targets = [(str(outside.path), str(outside.path)), ("../../../../m/outside", "../../../../../m/outside")]
    wrong = []
    for target in targets:
        for case in cases(*target):
            try:
                judge(world, outside, case)
            except Exception as failure:  # noqa: BLE001 - the other cases are tried all the same
                wrong.append(f"{case.what} ({target[0]}): {failure!r}")
                clear(world)
                shutil.rmtree(world.path / "m", ignore_errors=True)
    expect(not wrong, "; ".join(wrong))


TESTS = [links_lead_out_in_no_case]
