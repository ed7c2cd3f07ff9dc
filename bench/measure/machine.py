"""Where a run was made: printed above every table, kept in every JSON file."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

NOISY_SHARE = 0.15  # of the CPUs
MOST_STOLEN = 0.03
LOOK_SECONDS = 1.0


def noise_warning(busy: float) -> str | None:
    if busy <= NOISY_SHARE:
        return None
    return (f"WARNING: others used {busy:.0%} of the CPUs before the run (more than {NOISY_SHARE:.0%}). "
            "Trust the ratios a little, the times not at all.")


def _field(path: str, key: str) -> str:
    with open(path) as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return "unknown"


def _cgroup_layout() -> str:
    with open("/proc/self/mounts") as file:
        mounts = [line.split() for line in file]
    v2 = [mount[1] for mount in mounts if mount[2] == "cgroup2"]
    v1 = [mount for mount in mounts if mount[2] == "cgroup"]
    kind = "hybrid" if v1 and v2 else "v1" if v1 else "v2" if v2 else "none"
    return f"{kind}, {len(v1)} v1 hierarchies" if v1 else kind


def own_cgroups() -> dict[str, Path]:
    """This process's group on v2, and on the v1 hierarchy of pids, as directories; those that are there."""
    groups = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()}
    found: dict[str, Path] = {}
    with open("/proc/self/mounts") as file:
        for _, place, kind, options, *_ in map(str.split, file):
            if kind == "cgroup2" and "" in groups:
                found.setdefault("v2", Path(place + groups[""].rstrip("/")))
            if kind == "cgroup" and "pids" in options.split(",") and "pids" in groups:
                found.setdefault("v1 pids", Path(place + groups["pids"].rstrip("/")))
    return found


def version(command: list[str]) -> str:
    """The first line of what a program says of itself."""
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                stdin=subprocess.DEVNULL, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip().partition("\n")[0].strip("* ")  # As zstd frames it.


@dataclass(frozen=True)
class Ticks:
    all: int
    idle: int
    stolen: int  # A hypervisor gave them to others.


def cpu_ticks() -> Ticks:
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return Ticks(sum(ticks), ticks[3] + ticks[4], ticks[7])


def stolen_share(since: Ticks) -> float:
    now = cpu_ticks()
    return (now.stolen - since.stolen) / max(1, now.all - since.all)


def busy_share(seconds: float = LOOK_SECONDS) -> float:
    """The share of the CPUs that others use, while this program waits."""
    before = cpu_ticks()
    time.sleep(seconds)
    after = cpu_ticks()
    return 1 - (after.idle - before.idle) / max(1, after.all - before.all)


def _mitigations() -> str:
    """What the kernel does against flaws of this CPU, and which it leaves open."""
    found = {path.name: path.read_text().strip() for path in sorted(Path("/sys/devices/system/cpu/vulnerabilities").glob("*"))}
    told = [f"{name}: {text}" for name, text in found.items() if text != "Not affected"]
    return "; ".join(told) or "none needed"


def _setting(path: str, missing: str = "unknown") -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return missing


VERSIONS = {"bwrap": ("bwrap", "--version"), "crun": ("crun", "--version"), "runc": ("runc", "--version"),
            "podman": ("podman", "--version"), "umoci": ("umoci", "--version"), "bsdtar": ("bsdtar", "--version"),
            "criu": ("/opt/sock-criu/sbin/criu", "--version"), "python3": ("/usr/bin/python3", "--version"),
            "unshare": ("unshare", "--version"), "systemd-nspawn": ("systemd-nspawn", "--version"), "skopeo": ("skopeo", "--version"),
            "gzip": ("gzip", "--version"), "zstd": ("zstd", "--version")}


def versions() -> dict[str, str]:
    return {name: version(list(command)) if shutil.which(command[0]) else "not installed" for name, command in VERSIONS.items()}


def describe_more() -> dict[str, str]:
    """What the report says beyond `describe`."""
    return {
        "mitigations": _mitigations(),
        "clock": _setting("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "governor": _setting("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none to be seen"),
        "huge pages": _setting("/sys/kernel/mm/transparent_hugepage/enabled"),
        "mounts": str(len(_setting("/proc/self/mountinfo").splitlines())),
    }


def describe() -> dict[str, str]:
    system = os.uname()
    return {
        "kernel": f"{system.sysname} {system.release} {system.machine}",
        "cpu": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": _field("/proc/meminfo", "MemTotal"),
        "cgroups": _cgroup_layout(),
        "user": "root" if os.geteuid() == 0 else f"uid {os.geteuid()}",
    }
