"""What a hostile package may try: a named refusal, nothing left, nothing outside touched."""

import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

from cases import PROJECT, SOCKCTL, expect
import wheels
from debs import endless_header, make_deb
from world import World

CODE = {"demo.py": b"value = 1\n"}


def wheel(world: World, files: dict[str, bytes] | None = None, **changes) -> Path:
    return wheels.make(world.sources, CODE if files is None else files, **changes)


def names_that_lead_out(world: World) -> None:
    for name in ("../canary", "demo/../../canary", "/etc/passwd", "demo-1.0.data/data/../../../canary",
                 "demo-1.0.data/scripts/../x", ".."):
        world.refuses(wheel(world, {name: b"x"}), "(corrupt)")


def links_in_wheels(world: World) -> None:
    for target in ("/etc/passwd", str(world.canary), "demo.py"):
        world.refuses(wheel(world, raw=wheels.link(target)), "(corrupt)")


def members_that_come_twice(world: World) -> None:
    def twice(archive: zipfile.ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of Python's own writer.
            archive.writestr("demo.py", b"value = 2\n")
    world.refuses(wheel(world, raw=twice), "twice")
    both = {"demo.py": b"1", "demo-1.0.data/purelib/demo.py": b"2"}
    world.refuses(wheel(world, both), "twice")
    world.refuses(wheel(world, {"demo": b"a file", "demo/inner.py": b""}), "(corrupt)")


def records_that_lie(world: World) -> None:
    def changed(path: str, field: int, value: str):
        def change(lines: list[str]) -> list[str]:
            parts = [line.split(",") for line in lines]
            for part in parts:
                if part[0] == path:
                    part[field] = value
            return [",".join(part) for part in parts]
        return change
    for record in (changed("demo.py", 1, wheels.recorded(b"other")), changed("demo.py", 2, "999"),
                   changed("demo.py", 1, ""), changed("demo.py", 0, "missing.py"),
                   lambda lines: lines[1:], lambda lines: lines + ["ghost.py,,"], lambda lines: ["no record"],
                   lambda lines: lines + ["../../x,sha256=x,1"], lambda lines: None):
        world.refuses(wheel(world, record=record), "")
    world.refuses(wheel(world, record=changed("demo.py", 1, "md5=x")), "(unsupported)")


def wheels_that_are_none(world: World) -> None:
    path = world.sources / "demo-1.0-py3-none-any.whl"
    for data in (b"", b"not a zip", b"PK\x05\x06" + bytes(18), os.urandom(5000)):
        path.write_bytes(data)
        world.refuses(path, "(corrupt)")
    whole = wheel(world).read_bytes()
    for size in (len(whole) // 2, len(whole) - 30, 100):
        path.write_bytes(whole[:size])
        world.refuses(path, "(corrupt)")
    damaged = bytearray(whole)
    damaged[40] ^= 0xff
    path.write_bytes(damaged)
    world.refuses(path, "(corrupt)")
    wheel(world)
    wheels.encrypted(path)
    world.refuses(path, "encrypted")
    os.unlink(path)
    os.mkfifo(path)
    world.refuses(path, "regular file")


def metadata_that_does_not_fit(world: World) -> None:
    other = wheels.METADATA.format(name="other", version="1.0")
    for changes in ({"metadata": other}, {"metadata": None}, {"wheel": None}, {"metadata": "nothing"},
                    {"wheel": "Wheel-Version: 2.0\n"}):
        world.refuses(wheel(world, **changes), "")
    path = wheel(world)
    renamed = path.with_name("another-1.0-py3-none-any.whl")
    path.rename(renamed)
    world.refuses(renamed, "(corrupt)")
    nameless = renamed.rename(path.with_name("demo.whl"))
    world.refuses(nameless, "NAME-VERSION")


def wheels_of_other_machines(world: World) -> None:
    for tags in ("cp311-cp311-win_amd64", "cp311-cp311-macosx_11_0_arm64", "cp27-cp27mu-manylinux1_x86_64",
                 "pp39-pypy39_pp73-manylinux1_x86_64", "cp311-cp311-manylinux2014_s390x", "py2-none-any"):
        world.refuses(wheel(world, tags=tags), "(unsupported)")


def bombs(world: World) -> None:
    world.refuses(wheel(world, {"zeros": bytes(100 << 20)}, compression=zipfile.ZIP_BZIP2), "ratio_max")
    world.refuses(wheel(world, {"/".join(["d"] * 80): b""}), "(exhausted)")
    world.refuses(wheel(world, {"n" * 300: b""}), "(exhausted)")


def debs_that_bring_more(world: World) -> None:
    def deb(**changes) -> str:
        return f"deb:{make_deb(world.sources, **changes)}"
    module = "usr/lib/python3/dist-packages/demo.py"
    world.refuses(deb(files={module: b""}, modes={module: 0o4755}), "set-user-ID")
    world.refuses(deb(files={"usr/bin/tool": b"", module: b""}, modes={"usr/bin/tool": 0o2755}), "set-user-ID")
    world.refuses(deb(files={module: b""}, device="usr/lib/python3/dist-packages/null"), "devices")
    world.refuses(deb(files={"../canary": b"", module: b""}), "(corrupt)")
    world.refuses(deb(files={module: b""}, architecture="s390x"), "(unsupported)")
    world.refuses(deb(files={"usr/bin/tool": b""}), "(invalid_spec)")
    world.refuses(deb(files={module: b""}, name="demo"), "python3-")
    world.refuses(deb(files={module: b""}, control="nonsense"), "(corrupt)")
    path = make_deb(world.sources, files={module: b"x = 1\n" * 1000})
    whole = path.read_bytes()
    for size in (0, 10, 100, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:size])
        world.refuses(path, "(corrupt)")


def debs_with_endless_headers(world: World) -> None:
    module = "usr/lib/python3/dist-packages/demo.py"
    before = endless_header(64 << 20)
    for compression in ("", "gz", "xz", "zst"):
        path = make_deb(world.sources, {module: b""}, compression=compression, before=before)
        world.refuses(path, "header of an entry")


def maintainer_scripts_do_not_run(world: World) -> None:
    mark = world.path / "mark"
    path = make_deb(world.sources, files={"usr/lib/python3/dist-packages/demo.py": b""},
                    scripts={"preinst": f"#!/bin/sh\ntouch {mark}\n", "postinst": f"#!/bin/sh\ntouch {mark}\n"})
    world.add(path)
    expect(not mark.exists(), "a maintainer script has run")


class SelfStarting:
    """A wheel full of code that nobody need call. Each leaves a mark of its own where it runs."""

    def __init__(self, world: World):
        self.world = world
        self.marks = world.sources / "marks"
        self.marks.mkdir()
        self.path = wheel(world, {**CODE, "evil.pth": self.code("pth"), "sitecustomize.py": self.code("sitecustomize"),
                                  "usercustomize.py": self.code("usercustomize"), "_demo.so": self.library(),
                                  "__pycache__/demo.cpython-311.pyc": self.compiled()})

    def code(self, mark: str) -> bytes:
        return f"import os; open({str(self.marks / mark)!r}, 'w').close()\n".encode()

    def library(self) -> bytes:
        made = self.world.sources / "evil.so"
        subprocess.run(["cc", "-shared", "-fPIC", f'-DMARKS="{self.marks}"', "-o", made,
                        PROJECT / "tests/payloads/evil_preload.c"], check=True)
        return made.read_bytes()

    def compiled(self) -> bytes:
        """Of another module than it says, and never compared with it."""
        source, made = self.world.sources / "poison.py", self.world.sources / "poison.pyc"
        source.write_bytes(self.code("pyc") + b"value = 666\n")
        py_compile.compile(str(source), str(made), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        return made.read_bytes()

    def seen(self) -> set[str]:
        """The marks since the last look, without the pids of processes."""
        found = {path.name.split(".")[0] for path in self.marks.iterdir()}
        for path in self.marks.iterdir():
            path.unlink()
        return found

    def inside(self, packages: str, program: str) -> str:
        done = self.world.python(packages, program, "--user", "0", "-v", f"{self.marks}:{self.marks}:rw")
        expect(done.returncode == 0, f"{packages}: {done.stderr}")
        return done.stdout.strip()


def code_that_starts_by_itself(world: World) -> None:
    evil = SelfStarting(world)
    tree = world.tree(world.add(evil.path)) / "site-packages"
    for verb in ("verify", "inspect"):
        world.package(verb, "demo")
    world.package("ls")
    unpacked = world.sources / "unpacked"
    shutil.copytree(tree, unpacked)
    world.add(f"dir:{unpacked}", "--name", "again==1")
    expect(evil.seen() == set(), "code of a package has run while it was added")
    # Each would leave its mark, if anybody ran it.
    careless = ("import ctypes, site, sys, demo, sitecustomize, usercustomize; "
                "site.addsitedir(sys.argv[1]); ctypes.CDLL(sys.argv[1] + '/_demo.so')")
    subprocess.run([sys.executable, "-c", careless, str(tree)], check=True, env={**os.environ, "PYTHONPATH": str(tree)})
    marks = evil.seen()
    expect(marks == {"pth", "sitecustomize", "usercustomize", "pyc", "python3"}, f"on the machine only {marks}")
    # In a container it is for those who declare it; and no container has .pth files run.
    world.add(wheels.make(world.sources, {"other.py": b"value = 1\n"}, "other"))
    for packages in ("other", ""):
        evil.inside(packages, "import os, site")
        expect(evil.seen() == set(), f"code of a package that is not declared has run beside {packages or 'nothing'}")
    expect(evil.inside("demo", "import demo; print(demo.value)") == "666", "the planted bytecode was not taken")
    marks = evil.seen()
    expect("sitecustomize" in marks and "pyc" in marks and "pth" not in marks, f"in a container that declares it: {marks}")


BYTECODE = "/packages/demo/1.0/site-packages/__pycache__/demo.cpython-311.pyc"
SPOIL_BYTECODE = f"""
import errno, os, pathlib
code = pathlib.Path('{BYTECODE}')
for attempt in (lambda: code.write_bytes(b'x'), lambda: code.with_name('other.pyc').write_bytes(b'x'),
                lambda: os.unlink(code), lambda: os.rename(code.parent, '/packages/demo/1.0/site-packages/y'),
                lambda: os.chmod(code, 0o777), lambda: pathlib.Path('/tmp/x').write_bytes(b'x')):
    try:
        attempt()
        print('done')
    except OSError as error:
        print(errno.errorcode[error.errno])
"""


def bytecode_that_is_replaced(world: World) -> None:
    evil = SelfStarting(world)
    tree = world.tree(world.add(evil.path)) / "site-packages"
    before = (tree / "__pycache__/demo.cpython-311.pyc").read_bytes()
    said = evil.inside("demo", SPOIL_BYTECODE).split()
    expect(said == ["EROFS"] * 5 + ["done"], f"{said}")
    # Another container is asked what it has.
    digest = f"import hashlib, pathlib; print(hashlib.sha256(pathlib.Path('{BYTECODE}').read_bytes()).hexdigest())"
    expect(evil.inside("demo", digest) == hashlib.sha256(before).hexdigest(), "another container sees other bytes")
    world.package("verify", "demo")


def directories_with_more_than_files(world: World) -> None:
    directory = world.sources / "d"
    directory.mkdir()
    os.mkfifo(directory / "pipe")
    words = ("package", "add", f"dir:{directory}", "--name", "demo==1")
    done = world.run(*words)
    expect(done.returncode == 125 and "pipes" in done.stderr, done.stderr)
    os.unlink(directory / "pipe")
    (directory / "tool").write_bytes(b"")
    os.chmod(directory / "tool", 0o4755)
    done = world.run(*words)
    expect(done.returncode == 125 and "set-user-ID" in done.stderr, done.stderr)
    world.is_empty()
    os.chmod(directory / "tool", 0o600)
    (directory / "link").symlink_to(world.canary)
    package = world.add(f"dir:{directory}", "--name", "demo==1")
    copy = world.tree(package) / "site-packages"
    expect((copy / "link").is_symlink() and (copy / "tool").stat().st_mode & 0o7777 == 0o644, "another mode")
    world.is_untouched()


def a_full_disk(world: World) -> None:
    path = wheel(world, {"big": os.urandom(3 << 20)})
    script = ('mkdir "$0" && mount -t tmpfs -o size=1m,mode=0700 none "$0" || exit 99\n'
              '"$1" package add "$2"; echo "status $?"\n'
              '"$1" package ls --quiet; "$1" package gc; find "$0/trees" "$0/staging" -mindepth 1')
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, str(world.cache),
                           SOCKCTL, str(path)],
                          env=world.environment(), capture_output=True, text=True, check=False)
    lines = done.stdout.strip().split("\n")
    expect(lines[0] == "status 125" and "(exhausted)" in done.stderr, f"{done.stdout} {done.stderr}")
    expect(len(lines) == 2, f"left behind: {lines[2:5]}")
    shutil.rmtree(world.cache, ignore_errors=True)


TESTS = [names_that_lead_out, links_in_wheels, members_that_come_twice, records_that_lie, wheels_that_are_none,
         metadata_that_does_not_fit, wheels_of_other_machines, bombs, debs_that_bring_more, debs_with_endless_headers,
         maintainer_scripts_do_not_run, code_that_starts_by_itself,
         bytecode_that_is_replaced, directories_with_more_than_files, a_full_disk]
