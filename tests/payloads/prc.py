"""PRC: other processes, their memory, and the scheduler."""

import ctypes
import os
import resource
import signal
import subprocess
import time

from kit import FACTS, FIXTURES, attempts, call, probe, status

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
CLONE_PARENT = 0x8000


def targets():
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return sorted({*pids, FACTS["host_pid"]} - {os.getpid()})[:12]


def read_memory(pid: int) -> None:
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    call("process_vm_readv", pid, vector, 1, vector, 1, 0)


@probe("PRC-01")
def other_memory():
    child = os.fork()
    if child == 0:
        signal.pause()
    tries = []
    for pid in [*targets(), child]:
        tries += [(f"seize {pid}", lambda p=pid: call("ptrace", PTRACE_SEIZE, p, 0, 0)),
                  (f"read {pid}", lambda p=pid: read_memory(p)),
                  (f"pidfd_getfd {pid}", lambda p=pid: call("pidfd_getfd", os.pidfd_open(p), 0, 0))]
    if os.getppid() != 1:  # Otherwise the payload is pid 1 itself.
        tries.append(("the memory of init", lambda: os.open("/proc/1/mem", os.O_RDWR)))
    tries.append(("the memory of a process outside",
                  lambda: os.open(f"/proc/{FACTS['host_pid']}/mem", os.O_RDONLY)))
    try:
        return attempts(tries)
    finally:
        os.kill(child, signal.SIGKILL)


@probe("PRC-02")
def environment_of_init():
    read = []
    for pid in ("1", "self", str(os.getppid())):
        for name in ("environ", "cmdline", "auxv", "maps"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    content = file.read()
            except OSError:
                continue
            read.append(f"{pid}/{name}={len(content)}")
            if b"SOCK_CANARY=" in content:
                return f"ALLOWED SOCK_CANARY in /proc/{pid}/{name}"
    return f"CONTAINED {' '.join(read)}"


@probe("PRC-06")
def core_dumps():
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        return f"ALLOWED {resource.getrlimit(resource.RLIMIT_CORE)}"
    os.chdir("/tmp")
    pid = os.fork()
    if pid == 0:
        ctypes.string_at(0)
    _, status = os.waitpid(pid, 0)
    if os.WCOREDUMP(status) or any(name.startswith("core") for name in os.listdir("/tmp")):
        return "ALLOWED a core file"
    return attempts([("raise", lambda: raise_limit(resource.RLIMIT_CORE))])


def raise_limit(which: int) -> None:
    _, hard = resource.getrlimit(which)
    try:
        resource.setrlimit(which, (hard, hard + 4096))
    except ValueError as error:
        raise OSError(1, "not allowed to raise") from error


@probe("PRC-07")
def scheduling():
    def deadline():
        attributes = (48).to_bytes(4, "little") + (6).to_bytes(4, "little") + bytes(16)
        times = b"".join(n.to_bytes(8, "little") for n in (10**6, 10**7, 10**7))
        call("sched_setattr", 0, ctypes.create_string_buffer(attributes + times, 48), 0)
    return attempts([("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20)),
                     ("fifo", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
                     ("deadline", deadline),
                     ("ioprio", lambda: call("ioprio_set", 1, 0, 1 << 13))])


@probe("PRC-08")
def clone_parent():
    def clone():
        pid = call("clone", CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
    return attempts([("clone", clone)])


def zombies() -> list[str]:
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if status(f"/proc/{pid}/status")["State"].startswith("Z"):
                found.append(pid)
        except OSError:
            continue
    return found


@probe("PRC-05")
def orphans():
    # Twice as many as there may be at one time prove it; a busy machine does not get to the last.
    wanted, enough = 10000, 128
    made = int(subprocess.run([f"{FIXTURES}/orphans", str(wanted)], capture_output=True, check=True).stdout)
    end = time.monotonic() + 2
    while zombies() and time.monotonic() < end:
        os.sched_yield()
    left = zombies()
    if made < enough or left:
        return f"ALLOWED {len(left)} zombies after {made} orphans"
    return f"CONTAINED {made} orphans, all reaped"
