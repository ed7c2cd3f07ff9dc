"""RES: what one container can use up."""

import errno
import os
import signal

from kit import attempts, call, name_of, probe


@probe("RES-01")
def fork_bomb():
    children = []
    try:
        while len(children) < 120:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    except OSError as error:
        said = f"BLOCKED {name_of(error)}"
    else:
        said = f"ALLOWED {len(children)} processes"
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.waitpid(pid, 0)
    return said


@probe("RES-03")
def oom_score():
    def lower(pid, score):
        with open(f"/proc/{pid}/oom_score_adj", "w") as file:
            file.write(score)
    return attempts([(f"{score} for {pid}", lambda p=pid, s=score: lower(p, s))
                     for pid in ("self", "1") for score in ("-1000", "-1")])


def fill(directory: str) -> int:
    """How many MiB fit."""
    block = bytes(1 << 20)
    for count in range(256):
        try:
            with open(f"{directory}/fill{count}", "wb", buffering=0) as file:
                if file.write(block) != len(block):
                    break
        except OSError:
            break
    else:
        count = 256
    for name in os.listdir(directory):
        os.unlink(f"{directory}/{name}")
    return count


@probe("RES-04")
def fill_scratch():
    size = fill("/scratch")
    return f"ALLOWED {size} MiB in 8" if size > 8 else f"CONTAINED {size} MiB"


@probe("RES-06")
def inodes():
    made = 0
    try:
        for made in range(12000):
            os.mkdir(f"/scratch/d{made}")
    except OSError as error:
        said = f"BLOCKED {name_of(error)}" if error.errno == errno.ENOSPC else f"BROKEN {error}"
    else:
        said = f"ALLOWED {made + 1} directories"
    for name in os.listdir("/scratch"):
        os.rmdir(f"/scratch/{name}")
    return said


@probe("RES-08")
def descriptors():
    held = []
    try:
        while len(held) < 200:
            held.append(os.dup(0))
    except OSError as error:
        return f"BLOCKED {name_of(error)}"
    return f"ALLOWED {len(held)}"


@probe("RES-12")
def nesting():
    return attempts([("a user namespace", lambda: call("unshare", 0x10000000)),
                     ("a cgroup", lambda: os.mkdir("/sys/fs/cgroup/nested")),
                     ("a mount", lambda: call("mount", b"x", b"/tmp", b"tmpfs", 0, None))])


@probe("RES-10")
def waits_without_end():
    """Whoever serves a page fault or a file system decides when a process that waits for it goes on."""
    user_mode_only = 1
    return attempts([("userfaultfd", lambda: call("userfaultfd", user_mode_only)),
                     ("/dev/userfaultfd", lambda: os.open("/dev/userfaultfd", os.O_RDWR)),
                     ("/dev/fuse", lambda: os.open("/dev/fuse", os.O_RDWR)),
                     ("/dev/cuse", lambda: os.open("/dev/cuse", os.O_RDWR))])
