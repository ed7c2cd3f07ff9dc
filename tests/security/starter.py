"""How a payload gets into a container.

One Starter creates containers through sockctl; others (a fork of a zygote, a restore) need only
the same two methods.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model import MAPPED_ROOT, PLAIN_ROOT, USER, Control
from world import World

IDENTITY = {
    USER: ("-u", "1000"),
    MAPPED_ROOT: ("--userns", "auto", "-u", "0"),
    PLAIN_ROOT: ("-u", "0"),
}
PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
SECONDS = 30


class CreateStarter:
    """Each start is a new container. Thread-safe."""

    name = "create"

    def __init__(self, world: World) -> None:
        self.world = world

    def sockctl(self, *arguments: str, seconds: float = SECONDS, **more) -> subprocess.CompletedProcess:
        """Runs sockctl VERB ...; the embedder's secrets are within the reach of careless code."""
        command = self.command(*arguments)
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("pass_fds", self.world.leaked_fds)
        return _run(command, seconds, env=self.environment(), **more)

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [str(self.world.sockctl), verb, "--state-dir", str(self.world.state), *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOCK_CANARY": self.world.secret}

    def run(self, identity: str, options: tuple[str, ...], *command: str, **more):
        return self.sockctl("run", *IDENTITY[identity], *self.world.expand(options), "--", *command, **more)

    @contextmanager
    def detached(self, name: str, *arguments: str) -> Iterator[subprocess.CompletedProcess]:
        """A container that is gone afterwards, whatever became of it."""
        try:
            yield self.sockctl("run", "-d", "--name", name, *arguments)
        finally:
            for verb in ("kill", "wait", "rm"):
                self.sockctl(verb, name)

    def payload(self, identity: str, options: tuple[str, ...], ids: list[str], **more):
        """Runs payloads one after the other in one container."""
        mounts = ("-v", f"{PAYLOADS}:/payloads:ro", "-v", f"{self.world.facts_directory}:/facts:ro",
                  "-v", f"{self.world.fixtures}:/fixtures:ro", "--tmpfs", "/scratch:size=8m")
        return self.run(identity, (*mounts, *options), "/usr/bin/python3", "-I", "-B",
                        "/payloads/main.py", *ids, **more)

    def control(self, control: Control, ids: list[str]):
        if not control.on_host:
            return self.payload(control.identity, control.options, ids)
        # Its own copy: uid 1000 may not enter the directories that lead to the original.
        return _run(["/usr/bin/python3", "-I", "-B", str(self.world.public / "payloads" / "main.py"), *ids],
                    SECONDS, user=1000, group=1000, extra_groups=[1000, 1001], env=self.environment(),
                    stdin=subprocess.DEVNULL, cwd=self.world.public)


def _run(command: list[str], seconds: float, **more) -> subprocess.CompletedProcess:
    """A deadline that passes is a result too; ending sockctl ends its container."""
    try:
        return subprocess.run(command, timeout=seconds, check=False, capture_output=True,
                              encoding="utf-8", errors="replace", **more)
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, -1, printed, f"no end after {seconds} s")
