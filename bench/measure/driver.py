"""One measuring program, kept running and spoken to by the protocol of bench/serve.h."""

import selectors
import subprocess
import time
from pathlib import Path

SECONDS_TO_END = 10


class DriverFailed(Exception):
    """Carries the last line that the program wrote to stderr."""


def _figures(answer: str) -> dict[str, float]:
    pairs = (word.split("=") for word in answer.split())
    return {name: float(value) for name, value in pairs}


class Driver:
    """A session of its own keeps a terminal's Ctrl-C away from it: it ends, and cleans up, when its
    stdin is closed."""

    def __init__(self, argv: list[str], complaints: Path) -> None:
        self._complaints = complaints
        with open(complaints, "wb") as stderr:
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=stderr, start_new_session=True)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def run(self, lives: int) -> list[float]:
        """Microseconds of each life."""
        return [float(word) for word in self._ask(f"run {lives}").split()]

    def rate(self, creators: int, milliseconds: int) -> float:
        return float(self._ask(f"rate {creators} {milliseconds}", 30 + milliseconds / 1000))

    def stages(self, lives: int) -> dict[str, float]:
        return _figures(self._ask(f"stages {lives}"))

    def keep(self, count: int, seconds: float) -> dict[str, float]:
        """What each of them holds."""
        return _figures(self._ask(f"keep {count}", seconds))

    def close(self) -> None:
        self._selector.close()
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, command: str, seconds: float = 60) -> str:
        try:
            self._process.stdin.write(command.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise DriverFailed(self._last_complaint()) from None
        answer, deadline = b"", time.monotonic() + seconds
        while not answer.endswith(b"\n"):
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise DriverFailed(f"no answer to {command!r} in {seconds:.0f} s")
            part = self._process.stdout.read1(1 << 16)
            if not part:
                self._process.wait()
                raise DriverFailed(self._last_complaint())
            answer += part
        return answer.decode()

    def _last_complaint(self) -> str:
        lines = self._complaints.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with status {self._process.returncode}"
