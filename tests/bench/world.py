"""A directory for each test, and scripts/bench with what it prints."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
BUILD = PROJECT / os.environ.get("SOCK_BUILD_DIR", "build/debug")
sys.path[:0] = [str(PROJECT / "bench"), str(PROJECT / "scripts")]
SECONDS = 280


class World:
    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sock-bench-test-"))

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def bench(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([PROJECT / "scripts/bench", *words, "--out", self.directory / "report"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)

    def report(self, name: str) -> str:
        return (self.directory / "report" / name).read_text()
