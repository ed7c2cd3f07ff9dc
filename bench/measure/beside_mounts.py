"""Becomes a program in a mount namespace of its own with so many more mounts: beside_mounts.py N PROGRAM..."""

import ctypes
import os
import sys

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
HOLDER = "/mnt"  # Of a file system of its own, which is gone with the namespace.


def checked(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"beside_mounts: {what}: {os.strerror(ctypes.get_errno())}")


def main() -> None:
    count, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.unshare(CLONE_NEWNS), "a mount namespace")
    checked(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    checked(libc.mount(b"beside", HOLDER.encode(), b"tmpfs", 0, None), HOLDER)
    os.mkdir(f"{HOLDER}/source")
    for number in range(count):
        target = f"{HOLDER}/{number}"
        os.mkdir(target)
        checked(libc.mount(f"{HOLDER}/source".encode(), target.encode(), None, MS_BIND, None), target)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
