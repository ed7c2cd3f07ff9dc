"""Layers whose digests all fit, and whose tar streams nobody's tar would write (IMG-01, IMG-08, IMG-10 of the
threat model): a named refusal, or an image that verifies; never anything outside of the store."""

import os
import struct
import tarfile
from pathlib import Path

from cases import expect
from hostile import checksum, clear
from layouts import Layout, directory, entry, hard_link, pax_header, symlink, tar
from sharing import FULL
from world import World

STEP = 1 if FULL else 23
REASONS = ("(corrupt)", "(exhausted)", "(unsupported)", "(invalid_spec)")
# Where a header has which field.
NAME, MODE, UID, GID, SIZE, MTIME = (0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12)
TYPE, TARGET, MAJOR, MINOR, PREFIX = (156, 1), (157, 100), (329, 8), (337, 8), (345, 155)


class Outcomes:
    """What became of the layers that were tried, each in a store of its own."""

    def __init__(self, world: World):
        self.world, self.taken, self.refused = world, 0, 0

    def of(self, layer: bytes) -> Path | None:
        """Where the image's files are; None for one that was refused."""
        clear(self.world)
        Layout(self.world.path / "l", [layer]).write()
        done = self.world.run("image", "import", f"oci:{self.world.path}/l:t", "--name", "t", "--quiet")
        if done.returncode != 0:
            self.refused += 1
            self.world.was_refused(done, *REASONS)
            return None
        self.taken += 1
        self.world.is_untouched()
        self.world.verifies()
        return self.world.root()

    def both(self) -> None:
        print(f"# {self.taken} taken, {self.refused} refused", flush=True)
        expect(self.taken > 0 and self.refused > 0, f"{self.taken} taken, {self.refused} refused")


def changed(header: bytes, field: tuple[int, int], value: bytes) -> bytes:
    """The first block with another value in a field, and a checksum that fits."""
    offset, size = field
    block = bytearray(header)
    block[offset:offset + size] = value[:size].ljust(size, b"\0")
    checksum(block)
    return bytes(block)


def every_byte_of_a_header(world: World) -> None:
    """Flipped: with the checksum as it was, and with one that fits."""
    outcomes = Outcomes(world)
    first, second = directory("d", mode=0o700), entry("d/f", data=b"x" * 600, mode=0o640)
    whole = tar(first, second)
    for at in range(0, 1024, STEP):
        spoiled = bytearray(whole)
        spoiled[at] ^= 0x55
        is_padding = at % 512 >= 500
        root = outcomes.of(bytes(spoiled))
        # The checksum's own field may spell the same number in another way.
        expect(root is None or is_padding or 148 <= at % 512 < 156, f"byte {at}: taken with a wrong checksum")
        block = bytearray(spoiled[at - at % 512:at - at % 512 + 512])
        checksum(block)
        spoiled[at - at % 512:at - at % 512 + 512] = block
        outcomes.of(bytes(spoiled))
    outcomes.both()


def cut_at_each_block(world: World) -> None:
    outcomes = Outcomes(world)
    entries = [directory("d"), entry("d/f", data=b"x" * 3000), symlink("s", "d/f"), entry("g", data=b"y" * 700),
               entry("p", pax={"path": "h"}, data=b"z")]
    ends = [sum(map(len, entries[:n])) for n in range(len(entries) + 1)]
    for cut in range(0, ends[-1] + 1, 512):
        root = outcomes.of(tar(*entries)[:cut])
        if cut not in ends:
            expect(root is None, f"cut at {cut}, in the middle of an entry: taken")
            continue
        # An archive without a mark at its end: its digest says that this is all of it.
        names = ["d", "d/f", "s", "g", "h"][:ends.index(cut)]
        found = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
        expect(found == sorted(names), f"cut at {cut}: {found}")
    outcomes.both()


def garbage_behind_the_end(world: World) -> None:
    outcomes = Outcomes(world)
    evil = entry(str(world.canary), data=b"x") + entry("hidden", data=b"x")
    for garbage in (b"x", os.urandom(512), os.urandom(5000), b"\0" * 511, b"\x1f\x8b" + os.urandom(2000), evil):
        root = outcomes.of(tar(entry("f", data=b"x")) + garbage)
        expect(root is not None and os.listdir(root) == ["f"], "more than the archive has, or nothing")


def names_of_nothing_and_of_two(world: World) -> None:
    outcomes = Outcomes(world)
    layers = [entry("p", data=b"x", pax={key: value}) for key in ("path", "linkpath")
              for value in ("", b"a\0b", b"\0", b"../canary\0", b"a\0/../../canary", "/", ".", "./", "../canary", "..")]
    layers += [changed(entry("f"), NAME, name) for name in (b"", b"\0f", b"a\0b", b"/", b"..", b"./", b"\xff\xfe")]
    ustar = tarfile.TarInfo("f").tobuf(tarfile.USTAR_FORMAT)  # Whose names are in two parts.
    layers += [changed(ustar, PREFIX, name) for name in (b"..", b"../..", b"/", b"\0x", b"a/../..", b"\xff" * 155)]
    layers += [pax_header({"path": b"../canary"}) + kind for kind in (symlink("s", "x"), hard_link("h", "s"), directory("d"))]
    layers += [pax_header({"linkpath": value}) + symlink("s", "x") for value in ("", b"a\0b", "../canary")]
    layers += [pax_header({"linkpath": value}) + hard_link("h", "f") for value in ("", b"f\0b", "../canary", "/")]
    for layer in layers:
        root = outcomes.of(tar(entry("f", data=b"f"), layer))
        expect(root is None or (root / "f").exists(), "what came before is gone")
    outcomes.both()


def records_that_are_none(world: World) -> None:
    """The text of a pax header: its lengths lie."""
    outcomes = Outcomes(world)
    for body in (b"", b"\n", b"9 path=a\n", b"99 path=a\n", b"0 path=a\n", b"-1 path=a\n", b"999999999999999999999 path=a\n",
                 b"5 a=\n", b"10 patha\n\n", b"10 path=a\n" * 2, b"path=a\n", b"\0" * 512, b"4 =\n", b"10 path=a"):
        info = tarfile.TarInfo("pax")
        info.type, info.size = tarfile.XHDTYPE, len(body)
        header = info.tobuf(tarfile.USTAR_FORMAT) + body + b"\0" * (-len(body) % 512)
        outcomes.of(tar(header, entry("f", data=b"x")))
    outcomes.both()


def numbers_of_all_kinds(world: World) -> None:
    """In every field: negative and huge ones in base 256, octal ones that overflow, and no numbers at all."""
    outcomes = Outcomes(world)
    fields = (MODE, UID, GID, SIZE, MTIME, MAJOR, MINOR)
    kinds = [(entry("f", data=b"x" * 100), fields), (entry("c", tarfile.CHRTYPE), fields if FULL else (MAJOR, MINOR))]
    kinds += [(other, fields if FULL else (SIZE,)) for other in (entry("b", tarfile.BLKTYPE), directory("d"), symlink("s", "t"))]
    for kind, those in kinds:
        for field in those:
            width = field[1]
            values = [b"\xff" * width, b"\x80" + b"\xff" * (width - 1), b"\xff" + b"\0" * (width - 1),
                      b"\x80" + b"\0" * (width - 5) + struct.pack(">I", 0xFFFFFFFF), b"7" * width, b"-" + b"7" * (width - 2),
                      b"-1", b"zzz", b" " * width, b"0x7f", b"+5", b"9" * (width - 1)]
            for value in values:
                outcomes.of(tar(changed(kind[:512], field, value) + kind[512:], entry("after", data=b"y")))
    outcomes.both()


def types_of_all_letters(world: World) -> None:
    outcomes = Outcomes(world)
    plain = entry("f", data=b"x" * 100, linkname="d", devmajor=1, devminor=3)
    for letter in range(0, 256, 1 if FULL else 5):
        outcomes.of(tar(directory("d"), changed(plain[:512], TYPE, bytes([letter])) + plain[512:]))
    outcomes.both()


TESTS = [every_byte_of_a_header, cut_at_each_block, garbage_behind_the_end, names_of_nothing_and_of_two,
         records_that_are_none, numbers_of_all_kinds, types_of_all_letters]
