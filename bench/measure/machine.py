"""Where a run was made: printed above every table, kept in every JSON file."""

import os
import subprocess

NOISY_LOAD = 0.7  # of the cores


def load() -> float:
    return os.getloadavg()[0]


def noise_warning(one_minute: float) -> str | None:
    limit = NOISY_LOAD * (os.cpu_count() or 1)
    if one_minute <= limit:
        return None
    return (f"WARNING: the load was {one_minute:.2f} before the run (more than {limit:.1f}): "
            "others were using the machine. Trust the ratios a little, the times not at all.")


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


def version(command: list[str]) -> str:
    """The first line of what a program says of itself."""
    try:
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                stdin=subprocess.DEVNULL, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip().partition("\n")[0]


def describe() -> dict[str, str]:
    system = os.uname()
    return {
        "kernel": f"{system.sysname} {system.release} {system.machine}",
        "cpu": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": _field("/proc/meminfo", "MemTotal"),
        "cgroups": _cgroup_layout(),
        "user": "root" if os.geteuid() == 0 else f"uid {os.geteuid()}",
    }
