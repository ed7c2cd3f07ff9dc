"""CPU time of a process with everything below it: what each has used, and what it has reaped."""

import os
from dataclasses import dataclass
from pathlib import Path


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
        """None where too little was used to tell: the kernel samples it at its clock."""
        total = self.user + self.kernel
        return self.kernel / total if total >= 20 else None


def _fields(pid: int) -> list[str]:
    """From the parent on; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1:]
    except OSError:
        return []


def of_tree(root: int) -> CpuTime:
    fields = {int(name): found for name in os.listdir("/proc") if name.isdigit() and (found := _fields(int(name)))}
    total, tree, grew = CpuTime(), {root}, True
    while grew:
        found = {pid for pid, words in fields.items() if int(words[0]) in tree} - tree
        tree |= found
        grew = bool(found)
    for pid in tree & fields.keys():
        user, kernel, reaped_user, reaped_kernel = map(int, fields[pid][10:14])
        total += CpuTime(user + reaped_user, kernel + reaped_kernel)
    return total
