"""Power cuts while images are imported: an ext4 of the test's own, whose disk stops taking writes.

EXT4_IOC_SHUTDOWN ends a file system as a power cut would: what was not flushed is gone, the journal is
replayed at the next mount. Afterwards the image is there, and verifies, or is not there, and gc leaves
nothing of it.
"""

import ctypes
import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import time

from cases import expect
from sharing import FULL, SEED, layered, start
from world import World

CUTS = 200 if FULL else 10
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


class Disk:
    """Only this test's processes see its mount."""

    def __init__(self, world: World):
        libc = ctypes.CDLL(None, use_errno=True)
        expect(libc.unshare(CLONE_NEWNS) == 0, "unshare()")
        expect(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0, "private mounts")
        self.image, self.mounted = world.path / "m", world.store.parent / "l"
        with open(self.image, "wb") as file:
            file.truncate(128 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", self.image], check=True)
        self.mounted.mkdir()
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", self.image, self.mounted], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.mounted], check=True)

    def cut(self) -> None:
        file = os.open(self.mounted, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(file, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(file)


def is_clean(world: World, where: str) -> None:
    """The image is whole, or nothing of it is left."""
    if world.image("ls", "--quiet"):
        world.verifies()
        return
    world.image("gc")
    for part in ("layers", "roots", "images", "documents", "staging"):
        expect(not list((world.store / part).iterdir()), f"{where}: left in {part}")


def power_cuts_leave_a_store_that_verifies(world: World) -> None:
    dice = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    elsewhere = World()
    source = layered(elsewhere, 40)
    disk = Disk(world)
    world.store = disk.mounted / "store"
    shown = 0
    try:
        begin = time.monotonic()
        world.add(source)
        whole_time = time.monotonic() - begin
        for number in range(CUTS):
            where = f"seed {SEED}, cut {number}"
            shutil.rmtree(world.store)
            os.sync()
            importer = start(world, "import", source, "--name", "t", "--quiet")
            try:
                importer.wait(dice.uniform(0, 1.2 * whole_time))
            except subprocess.TimeoutExpired:
                pass
            disk.cut()
            importer.send_signal(signal.SIGKILL)
            importer.communicate()
            disk.unmount()
            disk.mount()
            is_clean(world, where)
            shown += bool(world.image("ls", "--quiet"))
            if number % 5 == 0:
                world.add(source)
                world.verifies()
    finally:
        disk.unmount()
        elsewhere.close()
    print(f"# {CUTS} cuts, after {shown} of them the image was there", flush=True)


TESTS = [power_cuts_leave_a_store_that_verifies]
