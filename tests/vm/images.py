"""What a machine boots: an initial memory disk, and disks made of files of this machine.

The system disk holds packages that are installed here, and all that they depend on; the project disk
the built test programs, mounted where they were built, since they know their place. Both are
thrown away by the machine as soon as it ends, so it may write to them.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What the tests run in containers, what the programs are linked with, what prepares the machine.
PACKAGES = ("bash", "busybox-static", "coreutils", "dash", "findutils", "grep", "gzip", "hostname", "libcap2", "libc-bin",
            "libarchive13", "libfmt9", "libhiredis0.14", "libnettle8", "libseccomp2", "libsmartcols1", "libsqlite3-0", "libstdc++6", "libtomlplusplus3", "liburing2", "libzstd1", "mount",
            "procps", "python3", "python3-numpy", "python3-pandas", "sed", "tar", "util-linux", "zlib1g")
# Made by the packages' scripts, so that no package lists them.
MADE_AT_INSTALLATION = ("/etc/group", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/shadow")
BUILT = ("lib/libsock.so*", "libexec", "tests/integration/sock_integration", "tests/payloads/native/*.so",
         "tests/unit/sock_unit", "tools/janitor/sock-janitor", "tools/sockctl/sockctl", "zygote/init/sock-init")
LINKS_OF_A_MERGED_USR = ("bin", "lib", "lib64", "sbin")
MOUNT_POINTS = ("dev", "mnt", "proc", "root", "run", "sys", "tmp")


def make_system(image: Path) -> None:
    """Kept, as it takes longest, until another set of packages is installed."""
    listed = image.with_suffix(".packages")
    packages = "\n".join(_versions(_closure(PACKAGES)))
    if image.exists() and listed.exists() and listed.read_text() == packages:
        return
    tree = _empty_directory(image.with_suffix(".tree"))
    for name in MOUNT_POINTS:
        (tree / name).mkdir()
    for name in LINKS_OF_A_MERGED_USR:
        (tree / name).symlink_to(f"usr/{name}")
    _copy(sorted(_files_of(_closure(PACKAGES))), tree)
    _make_disk(tree, image, megabytes_free=64)
    listed.write_text(packages)
    shutil.rmtree(tree)


def make_project(image: Path, build: Path, steps: str) -> None:
    """`steps` is what the machine is to run: a part of a shell script."""
    tree = _empty_directory(image.with_suffix(".tree"))
    files = [file for pattern in BUILT for file in build.glob(pattern)]
    for top in [*files, PROJECT / "tests" / "vm" / "guest"]:
        target = tree / top.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if top.is_dir():
            shutil.copytree(top, target, symlinks=True)
        else:
            shutil.copy2(top, target, follow_symlinks=False)
    (tree / "tests" / "vm" / "guest" / "steps").write_text(steps)
    _make_disk(tree, image, megabytes_free=16)
    shutil.rmtree(tree)


def make_initial(image: Path, modules: tuple[Path, ...]) -> None:
    tree = _empty_directory(image.with_suffix(".tree"))
    for name in ("bin", "modules", "new", "proc", "sys", "dev"):
        (tree / name).mkdir()
    shutil.copy2(shutil.which("busybox"), tree / "bin" / "busybox")
    shutil.copy2(PROJECT / "tests" / "vm" / "guest" / "init", tree / "init")
    for number, module in enumerate(modules):
        # Their order is that of their names.
        shutil.copy2(module, tree / "modules" / f"{number}-{module.name}")
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with open(image, "wb") as archive:
        subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=tree, input=names.encode(), stdout=archive,
                       stderr=subprocess.DEVNULL, check=True)
    shutil.rmtree(tree)


def _empty_directory(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _make_disk(tree: Path, image: Path, megabytes_free: int) -> None:
    kilobytes = int(subprocess.run(["du", "-sk", tree], check=True, capture_output=True, text=True).stdout.split()[0])
    image.unlink(missing_ok=True)
    size = f"{kilobytes * 11 // 10 + megabytes_free * 1024}k"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, image, size], check=True,
                   stdout=subprocess.DEVNULL)


# --- The packages of this machine -----------------------------------------------------------


def _query(field: str) -> dict[str, str]:
    form = "${Package}\t${db:Status-Status}\t" + field + "\n"
    lines = subprocess.run(["dpkg-query", "--show", "--showformat", form], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    rows = (line.split("\t") for line in lines)
    return {name: value for name, status, value in rows if status == "installed"}


def _closure(names: tuple[str, ...]) -> set[str]:
    depends = _query("${Pre-Depends}, ${Depends}")
    providers = {virtual: name for name, provided in _query("${Provides}").items()
                 for virtual in re.findall(r"[a-z0-9][a-z0-9+.-]+", re.sub(r"\(.*?\)", "", provided))}
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        name = name if name in depends else providers.get(name, name)
        if name in found:
            continue
        if name not in depends:
            raise FileNotFoundError(f"no package {name} (hint: scripts/install-packages --vm)")
        found.add(name)
        for alternatives in depends[name].split(","):
            plain = [re.sub(r"\(.*?\)|:\w+", "", one).strip() for one in alternatives.split("|")]
            todo += [one for one in plain if one in depends or one in providers][:1]
    return found


def _versions(packages: set[str]) -> list[str]:
    return sorted(f"{name} {version}" for name, version in _query("${Version}").items() if name in packages)


def _files_of(packages: set[str]) -> set[str]:
    listed = subprocess.run(["dpkg-query", "--listfiles", *packages], check=True, capture_output=True,
                            text=True).stdout.splitlines()
    paths = {os.path.join(os.path.realpath(os.path.dirname(line)), os.path.basename(line))
             for line in listed if line.startswith("/") and not line.startswith("/usr/share/doc")}
    paths |= _compiled_beside(paths) | _alternatives() | set(MADE_AT_INSTALLATION)
    top = {f"/{name}" for name in LINKS_OF_A_MERGED_USR}
    return {path for path in paths if os.path.lexists(path)} - top


def _compiled_beside(paths: set[str]) -> set[str]:
    """What Python has compiled: without it each import in a slow machine would compile again."""
    directories = {os.path.dirname(path) for path in paths if path.endswith(".py")}
    return {str(file) for directory in directories for file in Path(directory, "__pycache__").glob("*.pyc")}


def _alternatives() -> set[str]:
    links = [path for place in ("/usr/bin", "/usr/lib/x86_64-linux-gnu") for path in Path(place).iterdir()
             if path.is_symlink() and os.readlink(path).startswith("/etc/alternatives/")]
    return {str(path) for path in links} | {os.readlink(path) for path in links}


def _copy(paths: list[str], tree: Path) -> None:
    listed = "\0".join(path.lstrip("/") for path in paths).encode()
    packed = subprocess.Popen(["tar", "-C", "/", "--no-recursion", "--null", "-T", "-", "-c"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    unpacked = subprocess.Popen(["tar", "-C", tree, "-x", "-p"], stdin=packed.stdout)
    packed.stdout.close()
    packed.stdin.write(listed)
    packed.stdin.close()
    if packed.wait() != 0 or unpacked.wait() != 0:
        raise RuntimeError("the files of the packages could not be copied")
