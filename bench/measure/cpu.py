"""CPU time of the whole machine, in the kernel and outside.

Not that of processes: the kernel books a process's time by samples, and all of it as the user's where none was
taken in the kernel, which is how it books processes that live shorter than a tick.
"""

from dataclasses import dataclass
from pathlib import Path

FEW_TICKS = 20


@dataclass
class CpuTime:
    """In clock ticks."""

    user: int = 0
    kernel: int = 0

    def __add__(self, other: "CpuTime") -> "CpuTime":
        return CpuTime(self.user + other.user, self.kernel + other.kernel)

    def __sub__(self, other: "CpuTime") -> "CpuTime":
        return CpuTime(self.user - other.user, self.kernel - other.kernel)

    def kernel_share(self) -> float | None:
        """None where too little was used to tell."""
        total = self.user + self.kernel
        return self.kernel / total if total >= FEW_TICKS else None


def parse(stat: str) -> CpuTime:
    """The first line of /proc/stat."""
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, stat.split("\n")[0].split()[1:8])
    return CpuTime(user + nice, system + interrupts + soft_interrupts)


def used() -> CpuTime:
    return parse(Path("/proc/stat").read_text())
