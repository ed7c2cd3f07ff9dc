"""The table of what is compared, and the place where the comparison happens."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure import machine, specification

SOCK, REFERENCE = "sock", "C reference"
SECONDS_TO_VANISH = 5


@dataclass(frozen=True)
class Peer:
    name: str
    # What is started, as a person would type it; shown above the table.
    command: list[str]
    # The measuring program: `command` itself, or time_exec before `command`.
    driver: list[str]
    version: str = ""
    # How many times faster sock shall be; for the reference, how many times slower it may be.
    goal: float | None = None
    rate_goal: float | None = None
    missing: str = ""  # why it cannot be measured


def _peers_leftovers() -> list[Path]:
    """podman makes the first, systemd-nspawn the others, and neither removes them. What others remove meanwhile, os.walk passes over."""
    state = Path("/run/crun")
    groups = [Path(place) / name for place, names, _ in os.walk("/sys/fs/cgroup") for name in names
              if name in ("libpod_parent", "payload", "supervisor")]
    return [*groups, *([state] if state.is_dir() else [])]


def _remove_directories(tops: set[Path]) -> None:
    """Empty ones only, deepest first. A cgroup's files are no obstacle, but its last process may
    still be on its way out; nothing announces that on v1."""
    deadline = time.monotonic() + SECONDS_TO_VANISH
    directories = [path for top in tops for path, _, _ in os.walk(top, topdown=False)]
    while directories and time.monotonic() < deadline:
        directories = [path for path in directories if not _remove_directory(path)]
        time.sleep(0.02 if directories else 0)
    for path in directories:
        print(f"left behind: {path}", file=sys.stderr)


def _remove_directory(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


class Workshop:
    """A directory with everything that peers need: payload, root, OCI bundles, storage. Leaving it
    removes the containers that an interrupted runtime has left, then the directory."""

    def __enter__(self) -> "Workshop":
        self._foreign = set(_peers_leftovers())
        self.path = Path(tempfile.mkdtemp(prefix="sock-bench-"))
        self.path.chmod(0o755)  # payloads are nobody and must be able to run what is inside
        return self

    def __exit__(self, *_: object) -> None:
        for runtime in ("crun", "runc"):
            state = self.path / runtime
            for left in sorted(state.iterdir()) if state.is_dir() else []:
                subprocess.run([runtime, "--root", str(state), "delete", "--force", left.name],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.path, ignore_errors=True)
        _remove_directories(set(_peers_leftovers()) - self._foreign)

    def make_rootfs(self, name: str, payload: Path) -> Path:
        """/bin/true and the empty mount points that the slowest peer would otherwise make."""
        rootfs = self.path / name
        for directory in ("bin", "dev/shm", "etc", "proc", "run", "sys", "tmp"):
            (rootfs / directory).mkdir(parents=True)
        shutil.copy(payload, rootfs / "bin/true")
        (rootfs / "bin/true").chmod(0o755)
        return rootfs

    def make_bundle(self, runtime: str, payload: Path) -> Path:
        """What `RUNTIME spec` proposes, with the payload as its process."""
        bundle = self.path / f"{runtime}-bundle"
        bundle.mkdir()
        rootfs = self.make_rootfs(f"{runtime}-bundle/rootfs", payload)
        subprocess.run([runtime, "spec"], cwd=bundle, check=True)
        config = json.loads((bundle / "config.json").read_text())
        config["process"].update(terminal=False, args=["/bin/true"])
        config["root"] = {"path": str(rootfs), "readonly": True}
        (bundle / "config.json").write_text(json.dumps(config))
        return bundle


class Programs:
    """Where a build has put the measuring programs."""

    def __init__(self, build: Path) -> None:
        self.reference = build / "bench/reference"
        self.driver = build / "bench/driver"
        self.time_exec = build / "bench/time_exec"
        self.payload = build / "bench/payload_true"
        self.sockctl = build / "tools/sockctl/sockctl"
        self.init = build / "zygote/init/sock-init"
        self.janitor = build / "tools/janitor/sock-janitor"

    def required(self) -> list[Path]:
        return [self.reference, self.time_exec, self.payload]


def _unified_is_mounted_beside_v1() -> bool:
    with open("/proc/self/mounts") as file:
        return any(line.split()[1:3] == ["/sys/fs/cgroup/unified", "cgroup2"] for line in file)


class Table:
    """Makes the peers. One whose program is missing stays in the table and says so."""

    def __init__(self, programs: Programs, workshop: Workshop) -> None:
        self._programs, self._workshop = programs, workshop
        self._rootfs = workshop.make_rootfs("rootfs", programs.payload)
        self._libexec = workshop.path / "libexec"
        self._libexec.mkdir()
        for program in (programs.init, programs.janitor):
            if program.exists():
                shutil.copy(program, self._libexec)

    def peers(self) -> list[Peer]:
        rootfs, payload = str(self._rootfs), str(self._programs.payload)
        wrapped = ["--ro-bind", rootfs, "/"]
        return [
            self._timed("vfork + exec, no isolation", [payload]),
            Peer(REFERENCE, [str(self._programs.reference), rootfs],
                 [str(self._programs.reference), rootfs],
                 goal=specification.goal("create-reference"), rate_goal=specification.goal("rate-8")),
            self._library(SOCK, "none"),
            self._library("sock with init", "reaper"),
            self._sockctl(),
            self._timed("unshare(1)", ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc",
                                       "--cgroup", "--root", rootfs, "/bin/true"]),
            self._timed("bwrap --unshare-all", ["bwrap", "--unshare-all", *wrapped, "/bin/true"],
                        goal=specification.goal("create-bwrap")),
            self._timed("bwrap, own /proc /dev /tmp",
                        ["bwrap", "--unshare-all", *wrapped, "--proc", "/proc", "--dev", "/dev",
                         "--tmpfs", "/tmp", "/bin/true"]),
            self._oci("crun"),
            self._oci("runc"),
            self._nspawn(),
            self._podman(),
        ]

    def _library(self, name: str, init: str) -> Peer:
        program = self._programs.driver
        command = [str(program), "--rootfs", str(self._rootfs), "--init", init, "--state",
                   str(self._workshop.path / f"state-{init}"), "--libexec", str(self._libexec)]
        return Peer(name, command, command, missing="" if program.exists() else "not built")

    def _sockctl(self) -> Peer:
        program = self._programs.sockctl
        command = [str(program), "--state-dir", str(self._workshop.path / "state-sockctl"), "run",
                   "--rootfs", str(self._rootfs), "--", "/bin/true"]
        return Peer("sockctl run", command, [str(self._programs.time_exec), *command],
                    missing="" if program.exists() else "not built")

    def _timed(self, name: str, command: list[str], goal: float | None = None,
               wrapper: tuple[str, ...] = ()) -> Peer:
        program = command[0]
        found = shutil.which(program) is not None
        said = "" if not found or program == str(self._programs.payload) else machine.version(
            [program, "--version"])
        return Peer(name, command, [*wrapper, str(self._programs.time_exec), *command], version=said,
                    goal=goal, missing="" if found else "not installed")

    def _oci(self, runtime: str) -> Peer:
        state = self._workshop.path / runtime
        command = [runtime, "--root", str(state), "run", "--bundle", "BUNDLE", "%n"]
        if shutil.which(runtime):
            bundle = self._workshop.make_bundle(runtime, self._programs.payload)
            command[command.index("BUNDLE")] = str(bundle)
        return self._timed(runtime, command, specification.goal(f"create-{runtime}"),
                           self._without_unified() if runtime == "crun" else ())

    def _nspawn(self) -> Peer:
        """Without systemd's own services: neither registered nor in a unit of its own, and nothing copied into the root."""
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--timezone=off", "--resolv-conf=off",
                   "--link-journal=no", "--console=pipe", "--private-network", "--read-only", "--machine=%n", f"--directory={self._nspawn_root()}",
                   "/bin/true"]
        return self._timed("systemd-nspawn", command)

    def _nspawn_root(self) -> Path:
        """It wants to see an operating system there."""
        rootfs = self._workshop.make_rootfs("nspawn-rootfs", self._programs.payload)
        (rootfs / "etc/os-release").touch()
        (rootfs / "usr").mkdir()
        return rootfs

    def _podman(self) -> Peer:
        storage = self._workshop.path / "podman"
        # Its own defaults need CAP_SYS_RESOURCE.
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
        command = ["podman", "--root", str(storage / "root"), "--runroot", str(storage / "run"),
                   "--tmpdir", str(storage / "tmp"), "--storage-driver", "vfs", "--cgroup-manager",
                   "cgroupfs", "--events-backend", "none", "run", "--rm", "--network", "none",
                   "--log-driver", "none", *limits, "--rootfs", str(self._rootfs), "/bin/true"]
        return self._timed("podman run", command, specification.goal("create-podman"), self._without_unified())

    @staticmethod
    def _without_unified() -> tuple[str, ...]:
        """crun, which podman uses too, refuses a hybrid machine unless its v2 hierarchy is out of
        sight. The whole timing program runs in a mount namespace like that: it costs no time."""
        if os.geteuid() != 0 or not _unified_is_mounted_beside_v1():
            return ()
        return ("unshare", "--mount", "sh", "-c", 'umount /sys/fs/cgroup/unified && exec "$@"', "sh")
