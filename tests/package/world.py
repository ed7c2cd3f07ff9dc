"""A scratch directory with a package cache, a canary outside of it, and sockctl."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cases import SOCKCTL, expect

PARTS = ("packages", "trees", "staging", "empty")


class World:
    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sock-package-"))
        self.cache = self.path / "cache"
        self.sources = self.path / "sources"
        self.sources.mkdir()
        self.canary = self.path / "canary"
        self.canary.write_text("untouched")

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOCK_PACKAGE_CACHE": str(self.cache), "SOCK_STATE_DIR": str(self.path / "state")}

    def start(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen([SOCKCTL, *words], env=self.environment(), text=True, errors="replace",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def run(self, *words: str, timeout: float = 240) -> subprocess.CompletedProcess:
        started = self.start(*words)
        out, errors = started.communicate(timeout=timeout)
        return subprocess.CompletedProcess(words, started.returncode, out, errors)

    def package(self, *words: str) -> str:
        """The output of a verb of `sockctl package` that must succeed."""
        done = self.run("package", *words)
        expect(done.returncode == 0, f"package {' '.join(words)}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def add(self, source: object, *words: str) -> dict:
        return json.loads(self.package("add", str(source), "--format", "jsonl", *words))

    def tree(self, package: dict) -> Path:
        """Where its files are: of the cache's own, which a test may know."""
        return self.cache / "trees" / package["digest"].split(":")[1] / "tree"

    def refuses(self, source: object, reason: str) -> None:
        """The addition fails for that reason; nothing of it is left, nothing outside changed."""
        done = self.run("package", "add", str(source))
        said = done.stderr.strip()
        expect(done.returncode == 125, f"exit status {done.returncode}: {said or done.stdout}")
        expect(reason in said, f"another reason: {said}")
        expect(said.count("\n") == 0, f"more than one line: {said}")
        self.is_untouched()
        self.is_empty()

    def is_empty(self) -> None:
        for part in PARTS:
            left = list((self.cache / part).iterdir()) if (self.cache / part).exists() else []
            expect(not left, f"left in {part}: {left}")

    def is_untouched(self) -> None:
        expect(self.canary.read_text() == "untouched" and self.canary.stat().st_nlink == 1,
               "the canary was touched")
        strange = {path.name for path in self.path.iterdir()} - {"cache", "canary", "sources", "state"}
        expect(not strange, f"outside of the cache: {strange}")

    def python(self, packages: str, program: str, *words: str) -> subprocess.CompletedProcess:
        return self.run("run", *words, *(("--package", packages) if packages else ()), "--",
                        "/usr/bin/python3", "-c", program)
