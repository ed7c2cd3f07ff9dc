"""Images and snapshots that machines share by a registry: docs/cluster.md, with a directory for each machine."""

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from cases import SOCKCTL, expect
from registry import Registry
from world import World


class Machine:
    """sockctl with stores and a state of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path / "tmp"
        self.temporary.mkdir(parents=True)

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """In its own directory."""
        places = {"SOCK_STATE_DIR": "state", "SOCK_IMAGE_STORE": "images", "SOCK_SNAPSHOT_STORE": "snapshots", "TMPDIR": "tmp"}
        return subprocess.run([SOCKCTL, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False, cwd=self.path,
                              env={**os.environ, **{name: str(self.path / place) for name, place in places.items()}})

    def must(self, *words: str) -> str:
        done = self.run(*words)
        expect(done.returncode == 0, f"{' '.join(words)}: {done}")
        return done.stdout

    def fails(self, words: tuple[str, ...], status: int, why: str) -> None:
        done = self.run(*words)
        own = [line for line in done.stderr.splitlines() if line.startswith("sockctl: ") and "pulling" not in line]
        expect(done.returncode == status and len(own) == 1 and why in done.stderr, f"{' '.join(words)}: {done}")

    def close(self) -> None:
        for names, verb in ((self.run("ps", "--quiet"), ("rm",)), (self.run("zygote", "ls", "--quiet"), ("zygote", "rm"))):
            if names.stdout.split():
                self.run(*verb, "--force", *names.stdout.split())
        self.run("gc")


@contextmanager
def machines(world: World):
    """A registry, the machine that pushes, and the one that pulls."""
    one, two = Machine(world.path / "one"), Machine(world.path / "two")
    try:
        with Registry(world.path / "registry") as registry:
            yield registry, one, two
        for machine in (one, two):
            expect(not list(machine.temporary.iterdir()), f"left behind: {list(machine.temporary.iterdir())}")
    finally:
        one.close()
        two.close()


def make_root(root: Path) -> str:
    """This machine's shell and its libraries."""
    libraries = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout.split()
    for file in ("/bin/sh", *(word for word in libraries if word.startswith("/"))):
        target = root / file[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(file).read_bytes())
        target.chmod(0o755)
    return f"dir:{root}"


def images_are_pushed_and_pulled(world: World) -> None:
    with machines(world) as (registry, one, two):
        one.must("image", "import", make_root(world.path / "root"), "--name", "app:v1")
        told = json.loads(one.must("image", "push", "app:v1", registry.name("app:v1"), "--insecure", "--format", "jsonl"))
        expect(told == {"image": "app:v1", "target": registry.name("app:v1")}, str(told))
        two.must("image", "pull", registry.name("app:v1"), "--insecure", "--quiet", "--name", "app:v1")
        said = two.must("run", "--image", "app:v1", "--", "/bin/sh", "-c", "echo from an image")
        expect(said == "from an image\n", said)


def relative_paths_are_those_of_the_caller(world: World) -> None:
    with machines(world) as (registry, one, two):
        one.must("image", "import", make_root(world.path / "root"), "--name", "app")
        access = ("--insecure", "--authfile", "auth.json")
        (one.path / "auth.json").write_text("no JSON")
        one.fails(("image", "push", "app", registry.name("app"), *access), 125, "auth.json")
        (one.path / "auth.json").write_text("{}")
        one.must("image", "push", "app", registry.name("app"), *access)
        one.must("image", "push", "app", "oci:../two/layout:v1")
        two.must("image", "pull", "oci:layout:v1", "--quiet", "--name", "app")
        expect(two.must("run", "--image", "app", "--", "/bin/sh", "-c", "echo here") == "here\n", "it is the same")


def snapshots_of_zygotes_are_forked_from_elsewhere(world: World) -> None:
    with machines(world) as (registry, one, two):
        one.must("zygote", "create", "ds", "--preload", "json")
        one.must("checkpoint", "--stop", "ds", "ds-1")
        said = one.must("snapshot", "push", "ds-1", registry.name("snapshots/ds:1"), "--insecure")
        expect(said == f"ds-1 to {registry.name('snapshots/ds:1')}\n", said)
        told = json.loads(two.must("snapshot", "pull", registry.name("snapshots/ds:1"), "--insecure", "--quiet", "--format", "jsonl"))
        expect(told["name"] == "ds-1" and told["kind"] == "zygote", str(told))
        two.must("snapshot", "verify", "ds-1")
        said = two.must("run", "--snapshot", "ds-1", "--", "python3", "-c", "import sys; print('json' in sys.modules)")
        expect(said == "True\n", said)
        two.fails(("snapshot", "pull", registry.name("snapshots/ds:1"), "--insecure"), 125, "the name is in use")
        two.must("snapshot", "pull", registry.name("snapshots/ds:1"), "--insecure", "-q", "--name", "ds-2")
        expect(two.must("snapshot", "ls", "--quiet") == "ds-1\nds-2\n", "both are there")


def snapshots_of_containers_are_restored_elsewhere(world: World) -> None:
    with machines(world) as (registry, one, two):
        one.must("run", "-d", "--name", "box", "--", "sleep", "1000")
        one.must("checkpoint", "--stop", "box", "box-1")
        one.must("snapshot", "push", "box-1", registry.name("box"), "--insecure", "-q")
        two.must("snapshot", "pull", registry.name("box"), "--insecure", "-q")
        expect(two.must("restore", "box-1", "--name", "again") == "again\n", "it is restored")
        two.must("exec", "again", "--", "true")


def what_is_no_snapshot_is_refused(world: World) -> None:
    with machines(world) as (registry, one, two):
        root = world.path / "root"
        for make in (lambda file: file.write_text("no archive\n"), lambda file: file.symlink_to("/dev/zero"), os.mkfifo,
                     lambda file: file.mkdir(), lambda file: None):
            root.mkdir()
            make(root / "snapshot.tar")
            one.must("image", "import", f"dir:{root}", "--name", "other")
            one.must("image", "push", "other", registry.name("other"), "--insecure")
            is_file = (root / "snapshot.tar").is_file()
            two.fails(("snapshot", "pull", registry.name("other"), "--insecure"), 125,
                      "snapshot.tar" if is_file else "no snapshot that sockctl snapshot push has written")
            subprocess.run(["rm", "-r", str(root)], check=True)
        for words, status, why in ((("push", "none", registry.name("x"), "--insecure"), 125, "none"),
                                   (("push", "none", "x"), 2, "docker://NAME"), (("pull", "x"), 2, "docker://NAME"),
                                   (("pull", registry.name("none"), "--insecure"), 125, "skopeo"),
                                   (("pull", "docker://127.0.0.1:1/x", "--insecure"), 125, "skopeo")):
            two.fails(("snapshot", *words), status, why)
        expect(two.must("snapshot", "ls", "--quiet") == "", "nothing has come")


TESTS = [images_are_pushed_and_pulled, relative_paths_are_those_of_the_caller, snapshots_of_zygotes_are_forked_from_elsewhere,
         snapshots_of_containers_are_restored_elsewhere, what_is_no_snapshot_is_refused]
