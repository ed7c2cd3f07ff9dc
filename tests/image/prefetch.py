"""Prefetching: what is recorded of a start, and that it is in memory afterwards."""

import ctypes
import json
import mmap
import os
import subprocess
from pathlib import Path

from cases import expect
from world import World

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
SCRIPT = "cat /data/read > /dev/null; read -r line < /data/begun"


def image_with_a_shell(world: World) -> Path:
    """An image of this machine's shell, cat and their libraries; the root that it has in the store."""
    tree = world.path / "m"
    for program in ("/bin/sh", "/bin/cat"):
        needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for path in [program, *(word for word in needed.split() if word.startswith("/"))]:
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(path).read_bytes())
            target.chmod(0o755)
    (tree / "data").mkdir()
    for name in ("read", "begun", "unread"):
        (tree / "data" / name).write_bytes(b"line\n" + os.urandom(3 << 20))
    world.add(f"dir:{tree}")
    return world.root()


def resident(path: Path) -> int:
    """Pages of a file that are in memory."""
    size = path.stat().st_size
    pages = (size + mmap.PAGESIZE - 1) // mmap.PAGESIZE
    with open(path, "rb") as file:
        start = LIBC.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        vector = (ctypes.c_ubyte * pages)()
        asked = LIBC.mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), vector)
        LIBC.munmap(ctypes.c_void_p(start), ctypes.c_size_t(size))
    expect(asked == 0, "mincore()")
    return sum(page & 1 for page in vector)


def forget(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def record(world: World, *more: str) -> dict:
    return json.loads(world.image("prefetch", "t", "--record", "--format", "jsonl", *more, "--", "sh", "-c", SCRIPT))


def wait_for(condition, what: str) -> None:
    """The kernel reads ahead by itself: it gives no event."""
    for _ in range(500):
        if condition():
            return
        os.sched_yield()
        subprocess.run(["true"], check=True)
    expect(False, what)


def what_a_start_reads_is_recorded_and_comes_back(world: World) -> None:
    root = image_with_a_shell(world)
    recorded = record(world)
    expect(recorded["command"] == ["sh", "-c", SCRIPT], f"{recorded}")
    expect(resident(root / "data/unread") == 0, "what the command did not read is in memory")
    expect(3 << 20 <= recorded["bytes"] < 6 << 20, f"{recorded}")
    for engine in ("io_uring", "threads"):
        forget(root)
        expect(resident(root / "data/read") == 0, "it cannot be forgotten")
        done = json.loads(world.image("prefetch", "t", "--engine", engine, "--format", "jsonl", "--",
                                      "sh", "-c", SCRIPT))
        expect((done["engine"], done["failed"]) == (engine, 0), f"{done}")
        expect(done["bytes"] == recorded["bytes"], f"{done} of {recorded}")
        pages = -(-(root / "data/read").stat().st_size // mmap.PAGESIZE)
        wait_for(lambda: resident(root / "data/read") == pages, f"{engine}: it is not all in memory")
        expect(resident(root / "data/begun") < pages / 2, "more of a file than was read")
        expect(resident(root / "data/unread") == 0, "what nobody reads")


def failing(call: str, error: str, when: str = "1+") -> tuple[str, ...]:
    """Words before a command: the kernel refuses one of its system calls."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}:when={when}")


def an_io_uring_that_fails_changes_nothing(world: World) -> None:
    root = image_with_a_shell(world)
    recorded = record(world)
    words = ("image", "prefetch", "t", "--format", "jsonl")
    command = ("--", "sh", "-c", SCRIPT)
    pages = -(-(root / "data/read").stat().st_size // mmap.PAGESIZE)
    for fault, engine in (
        (failing("io_uring_setup", "EPERM"), "threads"),
        (failing("io_uring_setup", "ENOMEM"), "threads"),
        (failing("io_uring_setup", "ENOSYS"), "threads"),
        (failing("io_uring_register", "EINVAL"), "threads"),
        (failing("io_uring_register", "ENOMEM", "2"), "threads"),
        (failing("io_uring_enter", "EAGAIN"), "threads"),
        (failing("io_uring_enter", "ENOMEM", "2"), None),  # Whether there is a second one depends.
        (failing("io_uring_enter", "EINTR", "1"), "io_uring"),
        (failing("io_uring_enter", "EBUSY", "1"), "io_uring"),
    ):
        forget(root)
        expect(resident(root / "data/read") == 0, "it cannot be forgotten")
        done = world.run(*words, *command, before=fault)
        expect(done.returncode == 0 and done.stderr == "", f"{fault}: {done.returncode}: {done.stderr}")
        report = json.loads(done.stdout)
        expect(report["engine"] == engine or engine is None, f"{fault}: {report}")
        expect((report["bytes"], report["failed"]) == (recorded["bytes"], 0), f"{fault}: {report}")
        wait_for(lambda: resident(root / "data/read") == pages, f"{fault}: it is not all in memory")
    forget(root)
    refused = world.run(*words, "--engine", "io_uring", *command, before=failing("io_uring_setup", "EPERM"))
    expect(refused.returncode == 125 and refused.stderr.count("\n") == 1 and "io_uring" in refused.stderr,
           f"{refused.returncode}: {refused.stderr}")


def run_uses_what_was_recorded(world: World) -> None:
    root = image_with_a_shell(world)
    record(world)
    forget(root)
    words = ("run", "--timings", "--image", "t")
    cold = world.run(*words, "--", "sh", "-c", SCRIPT)
    expect(cold.returncode == 0 and "asked for in" in cold.stderr, cold.stderr)
    warm = world.run(*words, "--", "sh", "-c", SCRIPT)
    expect("prefetch: in memory already" in warm.stderr, warm.stderr)
    # Another command of the same program has the program's list, one of another program none.
    same = world.run(*words, "--", "sh", "-c", "true")
    expect("prefetch:" in same.stderr, same.stderr)
    other = world.run(*words, "--", "cat", "/data/begun")
    expect(other.returncode == 0 and "prefetch:" not in other.stderr, other.stderr)
    off = world.run(*words, "--prefetch", "off", "--", "sh", "-c", SCRIPT)
    expect(off.returncode == 0 and "prefetch:" not in off.stderr, off.stderr)


def a_damaged_list_costs_a_word(world: World) -> None:
    image_with_a_shell(world)
    record(world)
    for path in (world.store / "prefetch").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"0 ", b"1 ", 1))
    done = world.run("run", "--image", "t", "--", "sh", "-c", SCRIPT)
    expect(done.returncode == 0, f"{done.returncode}: {done.stderr}")
    expect("prefetch list" in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    world.verifies()


def lists_go_with_their_image(world: World) -> None:
    image_with_a_shell(world)
    record(world)
    record(world, "--wall", "20s")
    lists = json.loads(world.image("prefetch", "t", "--format", "json"))
    expect(len(lists) == 1, f"{lists}")
    world.image("gc")
    expect(json.loads(world.image("prefetch", "t", "--format", "json")) == lists, "gone with gc")
    world.image("rm", "t")
    world.image("gc")
    expect(not list((world.store / "prefetch").iterdir()), "the lists are still there")


def a_command_that_fails_is_not_recorded(world: World) -> None:
    image_with_a_shell(world)
    done = world.run("image", "prefetch", "t", "--record", "--", "sh", "-c", "exit 7")
    expect(done.returncode == 7 and "nothing was recorded" in done.stderr, f"{done.returncode}: {done.stderr}")
    limited = world.run("image", "prefetch", "t", "--record", "--wall", "0.2s", "--", "sh", "-c",
                        "read -r line < /data/begun; while :; do :; done")
    expect(limited.returncode == 0, f"{limited.returncode}: {limited.stderr}")
    missing = world.run("image", "prefetch", "t", "--", "cat")
    expect(missing.returncode == 125 and "nothing was recorded" in missing.stderr, missing.stderr)


TESTS = [what_a_start_reads_is_recorded_and_comes_back, an_io_uring_that_fails_changes_nothing, run_uses_what_was_recorded,
         a_damaged_list_costs_a_word, lists_go_with_their_image, a_command_that_fails_is_not_recorded]
