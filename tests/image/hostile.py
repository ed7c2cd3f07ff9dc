"""What a hostile image may try (IMG-01 to IMG-10 of the threat model): a named refusal, or the files
where they belong; never anything outside of the store, and nothing half-published."""

import gzip
import os
import stat
import struct
import tarfile
import zlib
from pathlib import Path

from cases import expect
from layouts import (LAYER, Layout, directory, entry, gzipped, hard_link, pax_header, sha256, symlink,
                     tar, zstd)
from world import World


def source(world: World, *entries: bytes, **fields) -> str:
    Layout(world.path / "l", [tar(*entries)], **fields).write()
    return f"oci:{world.path}/l:t"


def refused(world: World, *entries: bytes, why: tuple[str, ...] = ("(corrupt)",)) -> None:
    world.refuses(source(world, *entries), *why)


def imported(world: World, *entries: bytes) -> Path:
    world.add(source(world, *entries))
    world.is_untouched()
    world.verifies()
    return world.root()


def paths_that_climb(world: World) -> None:
    for name in ("../canary", "a/../../canary", "a/b/../../../canary", "./../canary", "..", "a/.."):
        refused(world, entry(name, data=b"x"))
        clear(world)


def clear(world: World) -> None:
    import shutil
    shutil.rmtree(world.path / "l", ignore_errors=True)
    shutil.rmtree(world.store, ignore_errors=True)


def absolute_paths_are_the_roots(world: World) -> None:
    root = imported(world, entry(str(world.canary), data=b"x"), entry("//etc//./passwd", data=b"y"))
    expect((root / "etc/passwd").read_bytes() == b"y", "not in the root")


def odd_names(world: World) -> None:
    root = imported(world, entry(b"bad\xff\xfe", data=b"1"), entry("p", data=b"2", pax={"path": b"pax\xff\xc3\xbc"}),
                    entry("gr\u00fc\u00df", data=b"3"), entry("new\nline", data=b"4"), entry("-rf", data=b"5"))
    expect(sorted(os.listdir(os.fsencode(root))) ==
           sorted([b"bad\xff\xfe", b"pax\xff\xc3\xbc", "gr\u00fc\u00df".encode(), b"new\nline", b"-rf"]),
           f"{os.listdir(os.fsencode(root))}")


def names_beyond_the_limits(world: World) -> None:
    for name in ("n" * 256, "d/" * 70 + "f", "/".join(["x" * 200] * 25)):
        refused(world, entry("p", pax={"path": name}), why=("(exhausted)",))
        clear(world)
    # As pax and as GNU write long names.
    deep = "d/" * 100_000 + "f"
    for bomb in (entry("p", pax={"path": deep}), entry(deep), symlink("s", deep), hard_link("h", deep)):
        refused(world, bomb, why=("path_max", "over-long path"))
        clear(world)


def links_do_not_lead_out(world: World) -> None:
    for target in ("/", "..", "../../..", str(world.path)):
        for first in (symlink("a", target), symlink("d/a", target)):
            below = "a/canary" if first == symlink("a", target) else "d/a/canary"
            refused(world, first, entry(below, data=b"overwritten"))
            clear(world)
    # Links as such are an image's own affair.
    root = imported(world, symlink("abs", "/etc/shadow"), symlink("up", "../../../../canary"))
    expect(os.readlink(root / "up") == "../../../../canary", "another target")


def links_of_a_lower_layer(world: World) -> None:
    Layout(world.path / "l", [tar(symlink("a", str(world.path)), entry("f", data=b"low")),
                              tar(entry("a/canary", data=b"overwritten"))]).write()
    world.add(f"oci:{world.path}/l:t")
    world.is_untouched()
    world.verifies()
    root = world.root()
    expect((root / "a").is_dir() and not (root / "a").is_symlink(), "the link is still there")
    expect((root / "a/canary").read_bytes() == b"overwritten", "the file is missing")


def hard_links_stay_in_their_layer(world: World) -> None:
    for target in (str(world.canary), "../canary", "missing", "../../../../etc/passwd"):
        refused(world, hard_link("h", target))
        clear(world)
    refused(world, symlink("s", str(world.path)), hard_link("h", "s/canary"))
    clear(world)
    refused(world, directory("d"), hard_link("h", "d"))


def hard_link_to_a_link(world: World) -> None:
    # A chmod or a write through the second name must not reach what the link points to.
    root = imported(world, symlink("s", str(world.canary)), hard_link("h", "s"),
                    entry("m", tarfile.LNKTYPE, linkname="s", mode=0o4777, uid=7), hard_link("w", "s"),
                    entry("w", data=b"overwritten"), entry("h2", data=b""), hard_link("h3", "h2"))
    for name in ("s", "h", "m"):
        expect(os.readlink(root / name) == str(world.canary), f"the link was followed: {name}")
    expect((root / "w").read_bytes() == b"overwritten" and not (root / "w").is_symlink(), "not the last")
    expect(os.stat(root / "h2").st_ino == os.stat(root / "h3").st_ino, "no hard link")


def types_that_change(world: World) -> None:
    root = imported(world, directory("x"), entry("x/in", data=b"1"), symlink("x", str(world.path)),
                    directory("x"), entry("x/canary", data=b"2"), entry("f", data=b"old"),
                    entry("f", data=b"new"), directory("g"), entry("g/deep"), entry("g", data=b"file"))
    expect(sorted(os.listdir(root / "x")) == ["canary"], f"{os.listdir(root / 'x')}")
    expect((root / "f").read_bytes() == b"new" and (root / "g").read_bytes() == b"file", "not the last")


def whiteouts_reach_no_further(world: World) -> None:
    for name in (".wh..", ".wh...", ".wh.", "d/.wh...", "../.wh.canary", ".wh.x/../../canary"):
        refused(world, entry(name))
        clear(world)
    Layout(world.path / "l", [
        tar(directory("d"), entry("d/low"), entry("gone"), directory("e"), entry("e/low"), entry("kept")),
        tar(entry(".wh.gone"), entry(".wh.never"), entry("d/new"), entry("d/.wh..wh..opq"),
            entry("e/.wh.low"), entry("e/low2"), entry(".wh..wh.plnk/1.2"), entry("kept2"), entry(".wh.kept2")),
    ]).write()
    world.add(f"oci:{world.path}/l:t")
    world.verifies()
    root = world.root()
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    expect(names == ["d", "d/new", "e", "e/low2", "kept", "kept2"], f"{names}")


def an_opaque_root(world: World) -> None:
    Layout(world.path / "l", [tar(entry("low")), tar(entry(".wh..wh..opq"), entry("new"))]).write()
    world.add(f"oci:{world.path}/l:t")
    expect(sorted(os.listdir(world.root())) == ["new"], f"{os.listdir(world.root())}")


def devices_are_left_out(world: World) -> None:
    root = imported(world, entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
                    entry("disk", tarfile.BLKTYPE, devmajor=8, devminor=0), entry("pipe", tarfile.FIFOTYPE),
                    entry("su", data=b"x", mode=0o4755))
    expect(sorted(os.listdir(root)) == ["pipe", "su"], f"{os.listdir(root)}")
    expect(world.store.stat().st_mode & 0o777 == 0o700, "others could run its set-user-ID programs")


def attributes_that_mean_something(world: World) -> None:
    keys = {"SCHILY.xattr.user.mine": "1", "SCHILY.xattr.trusted.overlay.opaque": "y",
            "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.security.selinux": "system",
            "SCHILY.xattr.system.posix_acl_access": "x"}
    root = imported(world, entry("f", data=b"x", pax=keys), directory("d", pax=keys))
    for name in ("f", "d"):
        expect(os.listxattr(root / name) == ["user.mine"], f"{os.listxattr(root / name)}")
    clear(world)
    refused(world, entry("f", pax={"SCHILY.xattr.user.big": "x" * (70 << 10)}),
            why=("(exhausted)", "(invalid_spec)", "(corrupt)", "(io)"))


def numbers_that_overflow(world: World) -> None:
    for keys in ({"uid": "4294967295"}, {"gid": "99999999999999999999"}, {"size": "-1"},
                 {"uid": "-5"}, {"size": "9223372036854775807"}):
        refused(world, entry("f", data=b"x", pax=keys), why=("(corrupt)", "(exhausted)"))
        clear(world)
    big = bytearray(entry("f"))
    big[124:136] = b"\x80" + b"\0" * 3 + struct.pack(">Q", 1 << 62)  # base-256
    checksum(big)
    refused(world, bytes(big), why=("(corrupt)", "(exhausted)"))
    clear(world)
    root = imported(world, entry("f", pax={"mtime": "99999999999999"}), entry("g", pax={"mtime": "-1.5"}))
    expect((root / "g").lstat().st_mtime < 0, "the time is another")


def checksum(header: bytearray) -> None:
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])


def sparse_bombs(world: World) -> None:
    size = 8 << 60
    for claimed in (size - 1, 1 << 50):
        refused(world, entry("f", data=b"", pax={"GNU.sparse.major": "0", "GNU.sparse.minor": "1",
                                                 "GNU.sparse.size": str(claimed), "GNU.sparse.numblocks": "0",
                                                 "GNU.sparse.map": f"{claimed},0"}),
                why=("(corrupt)", "(exhausted)"))
        clear(world)


def compression_bombs(world: World) -> None:
    zeros = b"\0" * (96 << 20)
    for layer in (tar(entry("f", data=zeros)), tar(entry("f", data=b"x")) + zeros):
        Layout(world.path / "l", [layer], pack=zstd).write()
        world.refuses(f"oci:{world.path}/l:t", "ratio_max")
        clear(world)
        # Everything else about it is right: gzip does not reach the ratio.
        Layout(world.path / "l", [layer], pack=gzipped).write()
        world.add(f"oci:{world.path}/l:t")
        world.verifies()
        clear(world)


def windows_of_gigabytes(world: World) -> None:
    layer = tar(entry("f", data=b"content"))
    for window_log in (28, 31, 41):
        Layout(world.path / "l", [layer], pack=lambda data, log=window_log: zstd(data, log)).write()
        world.refuses(f"oci:{world.path}/l:t", "too much memory")
        clear(world)
    # The largest that is taken, within half a gigabyte of addresses.
    Layout(world.path / "l", [layer], pack=lambda data: zstd(data, 27)).write()
    done = world.run("image", "import", f"oci:{world.path}/l:t", "--name", "t", before=("prlimit", f"--as={512 << 20}"))
    expect(done.returncode == 0, done.stderr)
    world.verifies()


def more_layers_than_allowed(world: World) -> None:
    layer = tar(entry("f", data=b"x"))
    Layout(world.path / "l", [layer] * 513).write()
    world.refuses(f"oci:{world.path}/l:t", "layers_max")
    clear(world)
    Layout(world.path / "l", [layer] * 512).write()
    world.add(f"oci:{world.path}/l:t")
    world.verifies()


def header_bombs(world: World) -> None:
    refused(world, pax_header({"comment": "x" * (2 << 20)}), entry("f"), why=("(corrupt)",))
    clear(world)
    # A list of holes, of which each byte takes twelve in memory before the entry is looked at.
    holes = 4 << 20
    data = f"{holes}\n".encode() + b"0\n0\n" * holes
    refused(world, entry("f", data=data, pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f",
                                              "GNU.sparse.realsize": "0"}), why=("header of an entry",))


def cut_and_flipped(world: World) -> None:
    whole = tar(directory("d"), entry("d/f", data=b"x" * 3000), symlink("s", "d/f"), entry("g", data=b"y" * 700))
    for cut in range(0, len(whole) - 1024, 512):
        layout = Layout(world.path / "l", [whole], spoil_blob=lambda blob, cut=cut: blob[:cut]).write()
        world.refuses(f"oci:{layout.path}:t", "(corrupt)")
        clear(world)
    for at in range(0, 512, 37):
        flip = lambda blob, at=at: blob[:at] + bytes([blob[at] ^ 0x55]) + blob[at + 1:]
        layout = Layout(world.path / "l", [whole], spoil_blob=flip).write()
        world.refuses(f"oci:{layout.path}:t", "(corrupt)")
        clear(world)


def packed_and_spoiled(world: World) -> None:
    whole = tar(entry("f", data=os.urandom(20000)))
    packed = gzipped(whole)
    wrong = zlib.crc32(b"") ^ 1
    for name, blob in {"truncated": packed[:-9], "no end": packed[:-20], "crc": packed[:-8] + struct.pack("<I", wrong) + packed[-4:],
                       "garbage": packed + b"garbage after the end"}.items():
        # The digest is of the spoiled blob, so only what is in it can betray it.
        layout = Layout(world.path / "l", [whole], pack=lambda data, blob=blob: blob).write()
        world.refuses(f"oci:{layout.path}:t", "(corrupt)")
        clear(world)
    layout = Layout(world.path / "l", [whole], pack=lambda data: gzipped(data[:5000]) + gzipped(data[5000:])).write()
    world.add(f"oci:{layout.path}:t")
    world.verifies()


def digests_and_sizes(world: World) -> None:
    whole = tar(entry("f", data=b"x"))
    other = "sha256:" + sha256(b"other")

    def wrong_size(manifest: dict) -> None:
        manifest["layers"][0]["size"] += 1

    def wrong_diff_id(config: dict) -> None:
        config["rootfs"]["diff_ids"] = [other]

    def too_many(config: dict) -> None:
        config["rootfs"]["diff_ids"] *= 2

    def wrong_algorithm(manifest: dict) -> None:
        manifest["layers"][0]["digest"] = "md5:" + "0" * 32

    def climbing_digest(manifest: dict) -> None:
        manifest["layers"][0]["digest"] = "sha256:../../../canary"

    def unknown_type(manifest: dict) -> None:
        manifest["layers"][0]["mediaType"] = LAYER + "+encrypted"

    def no_layers(manifest: dict) -> None:
        manifest["layers"] = []

    def no_digest(manifest: dict) -> None:
        del manifest["config"]["digest"]

    def negative(manifest: dict) -> None:
        manifest["layers"][0]["size"] = -1

    for spoil in (wrong_size, wrong_algorithm, climbing_digest, unknown_type, no_layers, no_digest, negative):
        Layout(world.path / "l", [whole], spoil_manifest=spoil).write()
        world.refuses(f"oci:{world.path}/l:t", "(corrupt)", "(unsupported)")
        clear(world)
    for spoil in (wrong_diff_id, too_many):
        Layout(world.path / "l", [whole], spoil_config=spoil).write()
        world.refuses(f"oci:{world.path}/l:t", "(corrupt)")
        clear(world)
    Layout(world.path / "l", [whole], architecture="vax").write()
    world.refuses(f"oci:{world.path}/l:t", "(unsupported)")


def documents_that_are_none(world: World) -> None:
    for text in ("", "{", "[]", "null", "7", '{"manifests": 1}', "[" * 100_000, "\0", '{"manifests": [{}]}',
                 '{"manifests": []}', '{"manifests": [{"digest": "sha256:' + "0" * 64 + '"}]}', "x" * (5 << 20)):
        layout = Layout(world.path / "l", [tar(entry("f"))]).write()
        (layout.path / "index.json").write_text(text)
        world.refuses(f"oci:{layout.path}", "(corrupt)", "(not_found)", "(exhausted)")
        clear(world)


def blobs_that_are_links(world: World) -> None:
    layout = Layout(world.path / "l", [tar(entry("f"))]).write()
    for blob in (layout.path / "blobs/sha256").iterdir():
        data = blob.read_bytes()
        blob.unlink()
        blob.symlink_to(world.canary)
        world.refuses(f"oci:{layout.path}:t", "(invalid_spec)", "(corrupt)")
        blob.unlink()
        os.mkfifo(blob)
        world.refuses(f"oci:{layout.path}:t", "(corrupt)")
        blob.unlink()
        blob.write_bytes(data)
    world.add(f"oci:{layout.path}:t")
    expect(stat.S_ISREG((world.root() / "f").stat().st_mode), "the layout was good again")


TESTS = [paths_that_climb, absolute_paths_are_the_roots, odd_names, names_beyond_the_limits,
         links_do_not_lead_out, links_of_a_lower_layer, hard_links_stay_in_their_layer, hard_link_to_a_link,
         types_that_change, whiteouts_reach_no_further, an_opaque_root, devices_are_left_out,
         attributes_that_mean_something, numbers_that_overflow, sparse_bombs, compression_bombs, windows_of_gigabytes,
         more_layers_than_allowed, header_bombs, cut_and_flipped, packed_and_spoiled, digests_and_sizes, documents_that_are_none, blobs_that_are_links]
