"""Runs one suite: makes each run's environment, starts it, and turns its output into results."""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from testing import formats, process
from testing.formats import Result
from testing.suites import Run, Suite


class Runner:
    def __init__(self, project: Path, logs: Path, full: bool):
        self.project = project
        self.logs = logs
        self.full = full

    def log_path(self, suite: Suite) -> Path:
        return self.logs / f"{suite.name}.log"

    def run(self, suite: Suite) -> list[Result]:
        self.log_path(suite).unlink(missing_ok=True)
        if missing := self.missing(suite):
            return [Result(path, "failed", "does not exist, and the suite needs it") for path in missing]
        deadline = time.monotonic() + suite.timeout
        results = []
        with open(self.log_path(suite), "wb", buffering=0) as log:
            for run in suite.runs:
                results += self._run_once(suite, run, log, deadline - time.monotonic())
        return results

    def missing(self, suite: Suite) -> list[str]:
        """What the suite needs and does not find: paths of the project, commands of the machine."""
        words = [word for run in suite.runs for word in run.command]
        paths = [word for word in words if word.startswith(("build/", "tests/"))]
        commands = [run.command[0] for run in suite.runs if run.command[0] not in paths]
        return [
            *(path for path in dict.fromkeys((*paths, *suite.requires))
              if not (self.project / path).exists()),
            *(name for name in dict.fromkeys(commands) if not shutil.which(name)),
        ]

    def _run_once(self, suite: Suite, run: Run, log, seconds: float) -> list[Result]:
        start = log.tell()
        with _private_directory(run.user) as directory:
            report = directory / "report.json"
            command = list(run.command)
            if suite.format == "gtest":
                command.append(f"--gtest_output=json:{report}")
            if run.user is not None and os.geteuid() == 0:
                command = [str(self.project / "scripts/testing/as-user"), str(run.user), *command]
            outcome = process.run(
                command, log, seconds, self._environment(suite, run, directory), self.project)
            written = report.read_text(errors="replace") if report.exists() else None
        text = self.log_path(suite).read_bytes()[start:].decode(errors="replace")
        results = formats.parse(suite.format, run.command[0], outcome, text, written)
        return [replace(r, name=f"{run.label}/{r.name}") for r in results] if run.label else results

    def _environment(self, suite: Suite, run: Run, directory: Path) -> dict[str, str]:
        env = os.environ | {"SOCK_BUILD_DIR": str(self.project / "build" / (suite.build or "debug"))}
        # The sanitizers make each test several times slower and are themselves the long variant.
        if self.full and not suite.full_only:
            env["SOCK_TEST_FULL"] = "1"
        if run.user is not None:
            # An ordinary user can write to nothing of root's.
            env |= {"HOME": str(directory), "TMPDIR": str(directory),
                    "XDG_RUNTIME_DIR": str(directory)}
        return env | run.env


@contextmanager
def _private_directory(user: int | None):
    """A fresh directory that belongs to the user; its name is none that `leftovers` looks for."""
    directory = Path(tempfile.mkdtemp(prefix="suite-", dir="/tmp"))
    try:
        if user is not None and os.geteuid() == 0:
            os.chown(directory, user, user)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
