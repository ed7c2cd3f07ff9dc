"""A small world for one embedding program: cgroups of its own and a state directory of its own.

The library makes its cgroups below its caller's, so whatever is left of a program, of its
containers or of its janitor is found below the world's groups, and nothing of anybody else is.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUILD = Path(os.environ.get("SOCK_BUILD_DIR", Path(__file__).resolve().parents[2] / "build" / "debug"))
DRIVER = os.environ.get("SOCK_INJECT_DRIVER", str(BUILD / "tests" / "inject" / "inject_driver"))


def own_groups() -> list[Path]:
    """Our cgroup in each hierarchy. Not cpuset's: a new group of it takes no process."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path
    groups = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ")[:3]
        names = options.split(",")
        if kind == "cgroup2":
            groups.append(Path(left.split(" ")[4] + own[""]))
        elif kind == "cgroup" and "cpuset" not in names:
            path = next((p for c, p in own.items() if c and set(c.split(",")) <= set(names)), None)
            if path is not None:
                groups.append(Path(left.split(" ")[4] + path))
    return groups


def wait_until(condition, seconds: float) -> bool:
    """Looks every few milliseconds: cgroups and directories give no event for all that is asked."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.004)
    return True


class World:
    def __init__(self, number: int):
        self.scratch = Path(tempfile.mkdtemp(prefix="sock-world-"))
        self.state = self.scratch / "state"
        self.groups = [g / f"sock-world-{os.getpid()}-{number}" for g in own_groups()]
        for group in self.groups:
            group.mkdir()
        self.mounts = self._mounts()

    def close(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.processes(), 5)
        for group in self.groups:
            for directory, _, _ in os.walk(group, topdown=False):
                os.rmdir(directory)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        # A shell enters the groups, because the children of a program that enters them later would
        # not be in them.
        enter = 'for g in $WORLD; do echo $$ > "$g/cgroup.procs" || exit 9; done; exec "$@"'
        environment = {**os.environ, "WORLD": " ".join(map(str, self.groups))}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL,
                   "text": True, "bufsize": 1, **options}
        return subprocess.Popen(["/bin/sh", "-c", enter, "sh", *arguments], env=environment, **options)

    def drive(self, verb: str, *more: str) -> subprocess.Popen:
        return self.start(DRIVER, verb, str(self.state), *more)

    def recover(self) -> subprocess.CompletedProcess:
        return subprocess.run([DRIVER, "recover", str(self.state)], capture_output=True, text=True,
                              timeout=20)

    def look_at_images(self, was_imported: bool) -> list[str]:
        """What is wrong with the store of an import that has ended, which is removed."""
        said = self.drive("look-at-images").communicate(timeout=20)[0].strip()
        return [] if said == "whole" or said == "nothing" and not was_imported else [f"the store: {said}"]

    def processes(self) -> list[int]:
        pids = set()
        for group in self.groups:
            for directory, _, _ in os.walk(group):
                try:
                    pids.update(map(int, Path(directory, "cgroup.procs").read_text().split()))
                except OSError:
                    pass  # The group has gone meanwhile.
        return [pid for pid in pids if not is_zombie(pid)]

    def janitors(self) -> list[int]:
        return [pid for pid in self.processes() if comm(pid) == "sock-janitor"]

    def left(self) -> list[str]:
        """What there is of a program that has ended. Empty when all is clean."""
        found = [f"process {pid} {comm(pid)}" for pid in self.processes()]
        for group in self.groups:
            found += [str(d) for d in group.iterdir() if d.is_dir()]
        if self.state.exists():
            found += [f"instance {p.name}: {names(p)}" for p in self.state.iterdir()]
        return found + sorted(self._mounts() ^ self.mounts)

    def is_clean_within(self, seconds: float) -> bool:
        return wait_until(lambda: not self.left(), seconds)

    @staticmethod
    def _mounts() -> set[str]:
        # The suites run in a mount namespace of their own, so nobody else mounts in it.
        return set(Path("/proc/self/mountinfo").read_text().splitlines())


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] in "ZX"
    except OSError:
        return True


def comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"


def names(directory: Path) -> str:
    try:
        return " ".join(p.name for p in directory.iterdir())
    except OSError:
        return "gone"


def read_line(process: subprocess.Popen, start: str, seconds: float = 10) -> str | None:
    """The next line that begins so; None at the end of the output or the deadline."""
    deadline = time.monotonic() + seconds
    line = b""
    # Byte for byte, past the buffers of process.stdout, into which select() cannot look.
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        byte = os.read(process.stdout.fileno(), 1)
        if not byte:
            return None
        if byte != b"\n":
            line += byte
        elif line.decode().startswith(start):
            return line.decode()
        else:
            line = b""
    return None


def in_private_mounts() -> None:
    """Restarts the program in a mount namespace into which nobody else's mounts propagate."""
    # So that a deadline of the caller's still runs what cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.environ.get("SOCK_WORLD_PRIVATE") is None:
        os.environ["SOCK_WORLD_PRIVATE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "python3", "-B",
                              *sys.orig_argv[-len(sys.argv):]])


class Tap:
    """Results in the Test Anything Protocol; the plan comes last."""

    def __init__(self):
        self.number = 0
        self.failures = 0

    def report(self, name: str, problems: list[str], note: str = "") -> None:
        self.number += 1
        self.failures += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}" + (f" ({note})" if note else ""))
        for problem in problems[:20]:
            print("# " + problem.replace("\n", "\n# "))
        sys.stdout.flush()

    def finish(self) -> int:
        print(f"1..{self.number}")
        return 1 if self.failures else 0
