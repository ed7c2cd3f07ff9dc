"""What CRIU costs by itself: the line protocol of serve.h, spoken by Python.

    restore_reference.py MODULE,MODULE|- CRIU DIRECTORY

A Python that has imported the modules is dumped once, as it is: no namespaces, no filter, no root of its
own. A life is from the start of `criu restore` to the answer to a byte that waits for it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MODULES = [name for name in sys.argv[1].split(",") if name != "-"]
CRIU, DIRECTORY = sys.argv[2], Path(sys.argv[3])
PAYLOAD = ("".join(f"import {name}\n" for name in MODULES) +
           "import os\nos.write(1, b'r')\nwhile os.read(0, 1): os.write(1, b'x')\n")
PR_SET_CHILD_SUBREAPER = 36


def dump() -> tuple[int, str, str]:
    """The number of the process, and the names of its pipes."""
    to, from_ = os.pipe(), os.pipe()
    images = DIRECTORY / "images"
    images.mkdir(parents=True)
    child = subprocess.Popen(["setsid", sys.executable, "-c", PAYLOAD], stdin=to[0], stdout=from_[1],
                             stderr=subprocess.DEVNULL, env={"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"})
    os.read(from_[0], 1)
    names = [os.readlink(f"/proc/{child.pid}/fd/{fd}") for fd in (0, 1)]
    subprocess.run([CRIU, "dump", "-t", str(child.pid), "-D", images, "-o", "dump.log"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child.wait()
    return child.pid, *names


def restore(names: tuple[str, str]) -> tuple[float, int]:
    to, from_ = os.pipe(), os.pipe()
    os.write(to[1], b"?")
    pid_file = DIRECTORY / "pid"
    pid_file.unlink(missing_ok=True)
    start = time.perf_counter()
    done = subprocess.run([CRIU, "restore", "-d", "-D", DIRECTORY / "images", "-o", "restore.log", "--pidfile", pid_file,
                           "--inherit-fd", f"fd[{to[0]}]:{names[0]}", "--inherit-fd", f"fd[{from_[1]}]:{names[1]}"],
                          pass_fds=(to[0], from_[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"restore_reference: criu restore exits with {done.returncode}")
    os.close(from_[1])
    if os.read(from_[0], 1) != b"x":
        sys.exit("restore_reference: no answer")
    duration = time.perf_counter() - start
    for fd in (*to, from_[0]):
        os.close(fd)
    return duration, int(pid_file.read_text())


def main() -> int:
    # What CRIU leaves when it ends becomes our child.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _, *names = dump()

    def live() -> float:
        duration, pid = restore(tuple(names))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return duration

    live()
    for line in sys.stdin:
        command, *numbers = line.split()
        if command != "run":
            print(f"restore_reference: no {command} here", file=sys.stderr)
            return 1
        print(*(f"{live() * 1e6:.2f}" for _ in range(int(numbers[0]))), flush=True)
    return 0


sys.exit(main())
