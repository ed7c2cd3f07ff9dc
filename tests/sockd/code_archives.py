"""The code of functions in zip files: good ones, ones that lead out, and ones that are far larger than they look."""

import io
import stat
import struct
import zipfile
from pathlib import Path

from cases import expect
from world import HANDLER, World

ECHO = "def handler(event):\n    return event\n"
MOST_BYTES = 512 << 20
MOST_ENTRIES = 50_000


def zipped(entries: list[tuple[str | zipfile.ZipInfo, bytes | str]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content)
    return out.getvalue()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry of a unix file system that is no regular file."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (mode | 0o777) << 16
    return entry


def zeros(count: int) -> bytes:
    """A zip file with one of so many of them, written piece by piece."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("function.toml", HANDLER)
        with file.open("zeros", "w") as entry:
            block = b"\0" * (1 << 20)
            for _ in range(count >> 20):
                entry.write(block)
    return out.getvalue()


def with_declared_size(archive: bytes, name: str, size: int) -> bytes:
    """The same, whose headers say that the entry has so many bytes."""
    told = bytearray(archive)
    for signature, at_size, at_name in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        at = -1
        while (at := archive.find(signature, at + 1)) >= 0:
            if archive[at + at_name:].startswith(name.encode()):
                told[at + at_size:at + at_size + 4] = struct.pack("<I", size)
    return bytes(told)


def expect_nothing_left(world: World) -> None:
    expect(not list((world.state / "functions/.staging").iterdir()), "nothing is left of what was refused")
    expect(not Path("/etc/escape").exists() and not list(world.path.rglob("*escape*")), "nothing was written elsewhere")


def a_zip_file_is_a_function(world: World) -> None:
    world.start()
    program = zipfile.ZipInfo("bin/run")
    program.create_system = 3
    program.external_attr = (stat.S_IFREG | 0o755) << 16
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        made = world.put("f", zipped([("function.toml", HANDLER), ("main.py", ECHO), ("lib/", ""), ("lib/x.txt", "x")], method))
        expect(made.status == 200, str(made))
        expect(world.result("f", '"it answers"') == "it answers", "it answers")
    made = world.put("g", zipped([("function.toml", 'runtime = "exec"\nhandler = "bin/run"\n'), (program, "#!/bin/sh\ncat\n")]))
    expect(made.status == 200 and world.result("g", "[1]") == [1], f"what may be executed still may: {made}")


def zip_files_that_lead_out_are_refused(world: World) -> None:
    world.start()
    good = [("function.toml", HANDLER), ("main.py", ECHO)]
    for name in ("../escape", "/etc/escape", "a/../../escape", "a/" * 70 + "escape", "x" * 300):
        reply = world.put("f", zipped([*good, (name, "x")]))
        expect(reply.status == 400, f"{name[:40]}: {reply}")
    for mode in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK):
        # Whatever libarchive takes for a file is one.
        words = "only files and directories" if mode == stat.S_IFLNK else ""
        reply = world.put("f", zipped([*good, (special("link", mode), "/etc"), ("link/escape", "x")]))
        expect(reply.status == 400 and words in reply.body.decode(), f"{oct(mode)}: {reply}")
    for entries in ([*good, ("dir", "x"), ("dir/escape", "x")], [*good, ("main.py/", ""), ("main.py/escape", "x")]):
        expect(world.put("f", zipped(entries)).status == 400, "a file is no directory")
    whole = zipped(good)
    for size in (10, len(whole) // 3):
        expect(world.put("f", whole[:size]).status == 400, f"the first {size} bytes alone")
    expect_nothing_left(world)
    expect(world.request("GET", "/api/functions", control=True).json() == [], "and no function is there")


def an_archive_has_bounds_whatever_it_says(world: World) -> None:
    world.start()
    world.must_put("f", ECHO)
    bomb = zeros(MOST_BYTES + (1 << 20))
    expect(len(bomb) < 8 << 20, "it is small")
    many = zipped([("function.toml", HANDLER), *((f"{number}", "") for number in range(MOST_ENTRIES))], zipfile.ZIP_STORED)
    for name, body, words in (("too many bytes", bomb, str(MOST_BYTES)),
                              ("too many bytes, which are not told", with_declared_size(bomb, "zeros", 4), ""),
                              ("too many entries", many, str(MOST_ENTRIES))):
        reply = world.put("f", body)
        expect(reply.status in (400, 413) and words in reply.body.decode(), f"{name}: {reply}")
    small = zipped([("function.toml", HANDLER), ("main.py", ECHO), ("told", "x")], zipfile.ZIP_STORED)
    reply = world.put("f", with_declared_size(small, "told", 0xfffffffe))
    expect(reply.status in (200, 400), f"few bytes, and many are told: {reply}")
    expect_nothing_left(world)
    expect(world.result("f", "1") == 1, "a version that can be serves on")


TESTS = [a_zip_file_is_a_function, zip_files_that_lead_out_are_refused, an_archive_has_bounds_whatever_it_says]
