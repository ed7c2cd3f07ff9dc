"""How a payload gets into a container.

One Starter creates containers through sockctl, one forks them from a zygote, one runs the payload
in the zygote itself, as a package that is being imported, and one restores it from a snapshot.
"""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model import MAPPED_ROOT, PLAIN_ROOT, USER, Control, Probe
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


# What sockctl gives a payload, for the starters that go without it.
VARIABLES = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/")


class ForkStarter:
    """Each start is a container that is forked from a zygote of a domain of its own."""

    name = "forked"
    # Uid 0 of a forked container is that of its zygote's domain.
    uids = {USER: "1000", MAPPED_ROOT: "0"}
    expected: dict[str, str] = {}

    def __init__(self, world: World) -> None:
        self.world = world

    def not_applicable(self, probe: Probe) -> str:
        """Why a probe's premise cannot hold, or nothing."""
        if "--own-mounts" in probe.options:
            return "a forked container is always in the empty mount namespace"
        if probe.id == "PRC-05":
            return "a forked payload is pid 1 itself: no init reaps for it"
        return ""

    def payload(self, identity: str, options: tuple[str, ...], ids: list[str], **more):
        return self.run(identity, options, ("/usr/bin/python3", "/payloads/main.py", *ids), **more)

    def run(self, identity: str, options: tuple[str, ...], command: tuple[str, ...], count: int = 1, **more):
        world = self.world
        binds = ((PAYLOADS, "/payloads"), (world.facts_directory, "/facts"), (world.fixtures, "/fixtures"))
        words = [str(world.build / "tests" / "security" / "fork_driver"), str(world.state),
                 str(world.build / "libexec"), self.uids[identity], str(count)]
        words += [word for source, target in binds for word in ("--bind", str(source), target)]
        words += [word for variable in VARIABLES for word in ("--env", variable)]
        words += ["--tmpfs", "/scratch", *self.translate(options), "--", *command]
        more.setdefault("stdin", subprocess.DEVNULL)
        return _run(words, SECONDS, env={**os.environ, "SOCK_CANARY": world.secret},
                    pass_fds=world.leaked_fds, **more)

    @staticmethod
    def translate(options: tuple[str, ...]) -> list[str]:
        words = list(options)
        if "--rlimit" in words:
            at = words.index("--rlimit")
            limit, value = words[at + 1].split("=")
            words[at:at + 2] = [f"--{limit}", value]
        return words


class ImportStarter(ForkStarter):
    """The payload is a package that a zygote imports: uid 0 of the domain's user namespace, with
    the capabilities there, and not yet in any container. What it said is printed by a fork."""

    name = "importing"
    # What a zygote may, each confined by its user namespace: why a probe tells nothing here ...
    MEANT = {
        "ESC-02": "the zygote's channel is a descriptor more",
        "ESC-04": "a zygote may chroot; ESC-04b shows that it leads nowhere",
        "NS-01": "a zygote makes pid, ipc, uts, net and cgroup namespaces; see HostileZygotes",
        "NS-08": "a zygote may set the host name of its own uts namespace",
        "PRC-02": "a payload reads its own environment, which here is the domain's",
        "CAP-01": "a zygote has capabilities in its user namespace",
        "CAP-04": "limits are the container's",
        "RES-08": "limits are the container's",
        "CAP-05": "variables are the domain's",
        "NS-09k": "it ends the domain's zygote that is its parent",
    }
    # ... or all that it may say.
    expected = {"SEC-01": "ALLOWED chroot=EFAULT REFUSED"}

    def not_applicable(self, probe: Probe) -> str:
        return super().not_applicable(probe) or self.MEANT.get(probe.id, "")

    def payload(self, identity: str, options: tuple[str, ...], ids: list[str], **more):
        show = ("/usr/bin/python3", "-c", "import at_import; print(at_import.said)")
        # Who imports is in no container yet: what bounds it are its domain's limits.
        options = tuple("--import-pids" if word == "--pids" else word for word in options)
        return self.run(identity, (*options, "--import", "at_import", "--import-env", f"PROBES={' '.join(ids)}"),
                        show, **more)


class RestoreStarter(CreateStarter):
    """Each start is a container that was restored from a snapshot of one in which the payload waits."""

    name = "restored"
    # A program without a path cannot be in a snapshot; and this one can only be executed.
    expected = {probe: "ALLOWED ['/.sock-init']" for probe in ("ESC-21", "ESC-21b")}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.number = 0
        self.store = ("--snapshot-store", str(world.directory("snapshots", 0o700)))

    def not_applicable(self, probe: Probe) -> str:
        return ""

    def payload(self, identity: str, options: tuple[str, ...], ids: list[str], **more):
        self.number += 1
        name, snapshot, copy = (f"{word}-{self.number}" for word in ("original", "snapshot", "copy"))
        mounts = ("-v", f"{PAYLOADS}:/payloads:ro", "-v", f"{self.world.facts_directory}:/facts:ro",
                  "-v", f"{self.world.fixtures}:/fixtures:ro", "--tmpfs", "/scratch:size=8m")
        words = (*IDENTITY[identity], *mounts, *self.world.expand(options), "--", "/usr/bin/python3", "-I", "-B",
                 "/payloads/main.py", "--wait", *ids)
        steps = [("checkpoint", *self.store, "--stop", name, snapshot),
                 ("restore", *self.store, snapshot, "--name", copy), ("kill", "-s", "USR1", copy)]
        with self.detached(name, *words) as started:
            if started.returncode == 0 and not self.prints(name, "waiting"):
                return subprocess.CompletedProcess(words, -1, "", f"{name} does not wait")
            for step in steps if started.returncode == 0 else ():
                if (started := self.sockctl(*step)).returncode != 0:
                    break
        if started.returncode != 0:
            return started
        try:
            ended = self.sockctl("wait", copy)
            logs = self.sockctl("logs", copy)
            return subprocess.CompletedProcess(words, ended.returncode, logs.stdout, logs.stderr + ended.stderr)
        finally:
            self.sockctl("rm", "--force", copy)
            self.sockctl("snapshot", "rm", *self.store, snapshot)

    def prints(self, name: str, line: str) -> bool:
        return wait_until(lambda: line in self.sockctl("logs", name).stdout.split())


def wait_until(condition, seconds: float = SECONDS) -> bool:
    """Looks again and again: nothing announces what a payload prints."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    return bool(met)


def _run(command: list[str], seconds: float, **more) -> subprocess.CompletedProcess:
    """A deadline that passes is a result too; ending sockctl ends its container."""
    try:
        return subprocess.run(command, timeout=seconds, check=False, capture_output=True,
                              encoding="utf-8", errors="replace", **more)
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, -1, printed, f"no end after {seconds} s")
