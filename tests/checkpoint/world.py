"""A scratch directory with a snapshot store, and sockctl with a state of its own."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from cases import SOCKCTL, expect


def wait_until(condition, seconds: float = 20) -> bool:
    """Looks again and again: nothing announces what other processes print or leave behind."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    return bool(met)


class World:
    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sock-checkpoint-"))
        self.store = self.path / "store"

    def close(self) -> None:
        names = self.run("ps", "--quiet").stdout.split()
        if names:
            self.run("rm", "--force", *names)
        self.run("gc")
        shutil.rmtree(self.path, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOCK_SNAPSHOT_STORE": str(self.store), "SOCK_STATE_DIR": str(self.path / "state")}

    def begin(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen([SOCKCTL, *words], env=self.environment(), text=True, errors="replace",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def run(self, *words: str, timeout: float = 240) -> subprocess.CompletedProcess:
        started = self.begin(*words)
        out, errors = started.communicate(timeout=timeout)
        return subprocess.CompletedProcess(words, started.returncode, out, errors)

    def must(self, *words: str) -> str:
        done = self.run(*words)
        expect(done.returncode == 0, f"{' '.join(words[:4])}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def start(self, name: str, *command: str, options: tuple[str, ...] = ()) -> None:
        self.must("run", "-d", "--name", name, *options, "--", *command)

    def log(self, name: str) -> list[str]:
        """The whole lines that a container has printed."""
        return self.must("logs", name).split("\n")[:-1]

    def lines_after(self, name: str, count: int) -> list[str]:
        """Its log, once there are so many lines."""
        found: list[str] = []

        def enough() -> bool:
            found[:] = self.log(name)
            return len(found) >= count

        expect(wait_until(enough), f"{name} has printed {len(found)} lines instead of {count}: {found[-3:]}")
        return found

    def goes_on(self, name: str) -> None:
        self.lines_after(name, len(self.log(name)) + 2)

    def inspect(self, name: str) -> dict:
        return json.loads(self.must("inspect", name))[0]

    def snapshots(self) -> list[str]:
        return self.must("snapshot", "ls", "--quiet").split()

    def store_is_clean(self) -> None:
        self.must("snapshot", "gc")
        expect(not list((self.store / "staging").iterdir()), "something is left in staging")
        for name in self.snapshots():
            self.must("snapshot", "verify", name)

    def nothing_runs(self) -> None:
        """No Host is left in our state directory, and so no process and no cgroup of one."""
        hosts = self.path / "state" / "hosts"
        expect(wait_until(lambda: not any(hosts.iterdir()), 5), f"left behind: {list(hosts.iterdir())}")
