"""An ext4 of a test's own, whose disk stops taking writes.

EXT4_IOC_SHUTDOWN ends a file system as a power cut would: what was not flushed is gone, the journal is
replayed at the next mount.
"""

import ctypes
import fcntl
import os
import struct
import subprocess
from pathlib import Path

from cases import expect

EXT4_IOC_SHUTDOWN, LOG_FLUSH, NO_LOG_FLUSH = 0x8004587D, 1, 2
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


class Disk:
    """Only this test's processes see its mount."""

    def __init__(self, image: Path, mounted: Path) -> None:
        """A file and a directory, both to be made."""
        libc = ctypes.CDLL(None, use_errno=True)
        expect(libc.unshare(CLONE_NEWNS) == 0, "unshare()")
        expect(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0, "private mounts")
        self.image, self.mounted = image, mounted
        with open(self.image, "wb") as file:
            file.truncate(128 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", self.image], check=True)
        self.mounted.mkdir()
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", self.image, self.mounted], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.mounted], check=True)

    def cut(self, how: int = NO_LOG_FLUSH) -> None:
        """With or without what was to be written of the journal next."""
        file = os.open(self.mounted, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(file, EXT4_IOC_SHUTDOWN, struct.pack("I", how))
        finally:
            os.close(file)
