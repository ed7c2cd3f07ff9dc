"""Packages as Debian and pip have them, and containers that see those that they declare."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cases import expect
import wheels
from debs import make_deb
from world import World


def imports(world: World, packages: str, modules: str, *words: str) -> str:
    done = world.python(packages, f"import {modules}; print({modules.split(',')[0]}.__file__)", *words)
    expect(done.returncode == 0, f"{packages}: {done.stderr.strip()}")
    return done.stdout.strip()


def does_not_import(world: World, packages: str, module: str, *words: str) -> None:
    done = world.python(packages, f"import {module}", *words)
    expect(done.returncode == 1 and "ModuleNotFoundError" in done.stderr,
           f"{module} beside {packages or 'nothing'}: {done.returncode} {done.stderr.strip()[-200:]}")


def code_of(world: World, packages: str, module: str, *words: str) -> set[str]:
    """What the modules of packages are read from when it is imported: of ".pyc" and ".py"."""
    done = world.run("run", "--package", packages, *words, "--", "/usr/bin/python3", "-v", "-c", f"import {module}")
    expect(done.returncode == 0, f"{packages}: {done.stderr.strip()[-300:]}")
    return {Path(path).suffix for path in re.findall(r"code object from '?(/packages/[^'\n]+)", done.stderr)}


def fetched_pandas_is_imported(world: World) -> None:
    names = [package["name"] for package in json.loads(world.package("fetch", "pandas", "--format", "json"))]
    for name in ("pandas", "numpy", "python-dateutil", "pytz", "six"):
        expect(name in names, f"{name} is not among {names}")
    numpy = json.loads(world.package("inspect", "numpy", "--format", "jsonl"))
    expect(numpy["abi"].startswith("cp311-") and numpy["kind"] == "deb", f"{numpy}")
    expect(imports(world, "pandas", "pandas").startswith("/packages/pandas/"), "another pandas")
    expect(imports(world, "numpy", "numpy").startswith("/packages/numpy/"), "another numpy")
    does_not_import(world, "numpy", "pandas")
    expect(code_of(world, "pandas", "pandas") == {".pyc"}, "modules are compiled anew by who imports them")
    for package in ("pandas", "numpy"):
        world.package("verify", package)
    world.package("rm", "numpy")
    done = world.python("pandas", "import pandas")
    expect(done.returncode == 125 and "python3-numpy" in done.stderr and "needed by pandas" in done.stderr,
           done.stderr)


def modules_are_compiled_when_asked(world: World) -> None:
    path = wheels.make(world.sources, {"demo.py": b"value = 1\n", "broken.py": b"value = \n"})
    expect(world.add(path, "--no-compile")["compiled"] == [] and code_of(world, "demo", "demo") == {".py"}, "it is compiled")
    for _ in range(2):
        compiled = json.loads(world.package("compile", "demo", "--format", "jsonl"))
        expect(compiled["compiled"] == ["3.11"] and code_of(world, "demo", "demo") == {".pyc"}, f"{compiled}")
    world.package("verify", "demo")
    expect(world.add(path) == compiled, "the same, taken in again, is another")
    # One that is for another interpreter keeps nobody else from being compiled.
    world.add(wheels.make(world.sources, {"demo.cpython-39-x86_64-linux-gnu.so": b"none"}, tags="cp39-cp39-linux_x86_64"), "--no-compile")
    expect(json.loads(world.package("compile", "demo", "--format", "jsonl")) == compiled, "which are compiled")
    for words, status, reason in ((("demo", "--python", "2.7"), 125, "a version like 3.11"),
                                  (("demo", "--python", "3.97"), 127, "python3.97"), (("nothing",), 125, "not in the package cache"),
                                  (("demo", "--image", "nothing"), 125, "nothing")):
        done = world.run("package", "compile", *words)
        expect(done.returncode == status and reason in done.stderr, f"{words}: {done.returncode} {done.stderr}")
        expect(done.stderr.count("\n") == 1, f"more than one line: {done.stderr}")


def the_machines_packages_are_hidden(world: World) -> None:
    """numpy and pandas are installed on this machine, in a place that its own /usr shows."""
    expect(Path("/usr/lib/python3/dist-packages/numpy").is_dir(), "python3-numpy is not installed")
    wheels.make(world.sources, {"demo.py": b"value = 7\n"})
    world.add(world.sources / "demo-1.0-py3-none-any.whl")
    imports(world, "", "numpy")  # The default root has it, while nothing is declared.
    expect(imports(world, "demo", "demo") == "/packages/demo/1.0/site-packages/demo.py", "another demo")
    does_not_import(world, "demo", "numpy")
    # What is hidden can be neither listed nor changed, and packages cannot be written to.
    for program in ("import os; assert os.listdir('/usr/lib/python3/dist-packages') == []",
                    "open('/usr/lib/python3/dist-packages/x.py', 'w')",
                    "open('/packages/demo/1.0/site-packages/demo.py', 'w')"):
        done = world.python("demo", program, "--user", "0")
        expect(("Error" in done.stderr) == ("open" in program), f"{program}: {done.stderr}")


def real_wheels_are_imported(world: World) -> None:
    """pip and setuptools, as Debian ships them for virtual environments."""
    found = sorted(Path("/usr/share/python-wheels").glob("*.whl"))
    expect(bool(found), "no wheels of python3-pip-whl and python3-setuptools-whl")
    for path in found:
        package = world.add(path)
        world.package("verify", package["name"])
    version = next(path.name.split("-")[1] for path in found if path.name.startswith("setuptools-"))
    done = world.python("setuptools", "import setuptools; print(setuptools.__version__)")
    expect(done.stdout.strip() == version, f"{done.stdout}{done.stderr}")


def a_wheel_is_where_its_schemes_say(world: World) -> None:
    path = wheels.make(world.sources, {
        "demo/__init__.py": b"value = 1\n", "demo-1.0.data/purelib/more.py": b"value = 2\n",
        "demo-1.0.data/scripts/tool": b"#!python\nprint(3)\n", "demo-1.0.data/data/share/demo.txt": b"four",
        "demo-1.0.data/headers/demo.h": b"", "gr\u00fc\u00df.txt": b"UTF-8"})
    tree = world.tree(world.add(path))
    for name in ("site-packages/demo/__init__.py", "site-packages/more.py", "bin/tool", "share/demo.txt",
                 "include/demo.h", "site-packages/gr\u00fc\u00df.txt", "site-packages/demo-1.0.dist-info/RECORD"):
        expect((tree / name).is_file(), f"no {name}")
    world.package("verify", "demo")


def dependencies_are_followed(world: World) -> None:
    for name, version, requires in (("top", "1.0", ("middle>=2", "absent; python_version < '3'", "extra; extra == 'x'")),
                                    ("middle", "2.5", ("leaf",)), ("middle", "1.0", ()), ("leaf", "1.0", ())):
        world.add(wheels.make(world.sources, {f"{name}.py": f"version = '{version}'\n".encode()}, name, version,
                              requires=requires))
    done = world.python("top", "import top, middle, leaf; print(middle.version)")
    expect(done.stdout == "2.5\n", f"{done.stdout}{done.stderr}")
    done = world.python("middle==1.0", "import middle; print(middle.version)")
    expect(done.stdout == "1.0\n", f"{done.stdout}{done.stderr}")
    does_not_import(world, "middle==1.0", "leaf")
    for packages, reason in (("top,middle==1.0", "needed by top==1.0"), ("nothing", "not in the package cache"),
                             ("middle==3", "not in the package cache")):
        done = world.python(packages, "pass")
        expect(done.returncode in (2, 125) and reason in done.stderr, f"{packages}: {done.stderr}")


def every_compression_of_debs(world: World) -> None:
    for compression in ("", "gz", "xz", "zst"):
        name = f"python3-demo{compression or 'plain'}"
        make_deb(world.sources, {"usr/lib/python3/dist-packages/demo.py": b"x = 1\n",
                                 "usr/share/doc/demo/copyright": b""}, name=name, compression=compression)
        package = world.add(f"deb:{world.sources}/{name}_1.0-1_all.deb", "--no-compile")
        expect([path.name for path in world.tree(package).rglob("*.*")] == ["demo.py"], "other files")


def parts_become_one_package(world: World) -> None:
    lib = "usr/lib/python3/dist-packages/demo"
    first = make_deb(world.sources, {f"{lib}/__init__.py": b"from . import _c\n"},
                     depends="python3-demo-lib (= 1.0-1), python3-other")
    second = make_deb(world.sources, {f"{lib}/_c.py": b""}, name="python3-demo-lib")
    package = world.add(f"deb:{first},{second}")
    expect(package["provides"] == ["python3-demo", "python3-demo-lib"], f"{package}")
    expect(package["dependencies"] == ["python3-other"], f"{package}")


def an_installer_fills_a_directory(world: World) -> None:
    path = wheels.make(world.sources, {"demo.py": b"value = 1\n"}, requires=("leaf",))
    out = world.sources / "out"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(path), str(out)], check=True)
    package = world.add(f"dir:{out}")
    expect(package["name"] == "demo" and package["dependencies"] == ["leaf"], f"{package}")
    shutil.rmtree(out / "demo-1.0.dist-info")
    done = world.run("package", "add", f"dir:{out}")
    expect(done.returncode == 125 and "NAME==VERSION" in done.stderr, done.stderr)
    done = world.run("package", "add", f"dir:{out}", "--name", "demo==1.0")
    expect(done.returncode == 125 and "(exists)" in done.stderr, done.stderr)


def a_zygote_has_them_too(world: World) -> None:
    world.add(wheels.make(world.sources, {"demo.py": b"value = 1\n"}))
    try:
        done = world.run("zygote", "create", "z", "--package", "demo", "--preload", "demo")
        expect(done.returncode == 0, done.stderr)
        # A newer one comes; the zygote and what is forked from it keep theirs.
        world.add(wheels.make(world.sources, {"demo.py": b"value = 2\n"}, version="2.0"))
        done = world.run("zygote", "fork", "z", "--", "python3", "-c",
                         "import demo, os; print(demo.value, os.listdir('/packages/demo'))")
        expect(done.stdout == "1 ['1.0']\n", f"{done.stdout}{done.stderr}")
        done = world.run("zygote", "fork", "z", "--", "python3", "-c", "import numpy")
        expect("ModuleNotFoundError" in done.stderr, done.stderr)
    finally:
        world.run("zygote", "rm", "--force", "z")


TESTS = [fetched_pandas_is_imported, modules_are_compiled_when_asked, the_machines_packages_are_hidden, real_wheels_are_imported,
         a_wheel_is_where_its_schemes_say, dependencies_are_followed, every_compression_of_debs,
         parts_become_one_package, an_installer_fills_a_directory, a_zygote_has_them_too]
