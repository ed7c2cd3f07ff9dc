"""NS: into other namespaces, and through those that are not separate."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import threading
import time

from kit import FACTS, attempts, call, name_of, probe

CLONE_FLAGS = {"NEWNS": 0x20000, "NEWCGROUP": 0x2000000, "NEWUTS": 0x4000000, "NEWIPC": 0x8000000,
               "NEWUSER": 0x10000000, "NEWPID": 0x20000000, "NEWNET": 0x40000000}
AF_VSOCK = 40
HARMLESS = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}


def clone(flags: int) -> None:
    pid = call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def clone3(flags: int) -> None:
    exit_signal = int(signal.SIGCHLD).to_bytes(8, "little")
    arguments = flags.to_bytes(8, "little") + bytes(24) + exit_signal + bytes(48)
    pid = call("clone3", ctypes.create_string_buffer(arguments, 88), 88)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@probe("NS-01")
def new_namespaces():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    subprocess.run(["/bin/true"], check=True)
    tries = []
    for name, flag in CLONE_FLAGS.items():
        tries += [(f"clone {name}", lambda f=flag: clone(f)), (f"clone3 {name}", lambda f=flag: clone3(f)),
                  (f"unshare {name}", lambda f=flag: call("unshare", f))]
    tries.append(("unshare NEWTIME", lambda: call("unshare", 0x80)))
    return attempts(tries)


@probe("NS-02")
def enter_namespaces():
    def enter(path):
        call("setns", os.open(path, os.O_RDONLY), 0)
    kinds = ("user", "mnt", "uts", "ipc", "net", "pid", "cgroup")
    paths = [f"/proc/{pid}/ns/{kind}" for pid in ("1", FACTS["host_pid"], "self") for kind in kinds]
    tries = [(path, lambda path=path: enter(path)) for path in paths]
    return attempts([*tries, ("pidfd", lambda: call("setns", os.pidfd_open(os.getpid()), 0x4000000))])


def connect(family, address) -> None:
    with socket.socket(family) as client:
        client.settimeout(0.5)
        client.connect(address)


@probe("NS-03")
def abstract_sockets():
    def listed():
        with open("/proc/net/unix", errors="replace") as table:
            if FACTS["abstract"] not in table.read():
                raise OSError(errno.ENOENT, "not in the table")
    return attempts([("connect", lambda: connect(socket.AF_UNIX, "\0" + FACTS["abstract"])),
                     ("the table", listed)])


@probe("NS-04")
def host_network():
    port = FACTS["tcp_port"]
    return attempts([("loopback", lambda: connect(socket.AF_INET, ("127.0.0.1", port))),
                     ("loopback 6", lambda: connect(socket.AF_INET6, ("::1", port))),
                     ("metadata", lambda: connect(socket.AF_INET, ("169.254.169.254", 80)))])


@probe("NS-05")
def vsock():
    return attempts([("socket", lambda: call("socket", AF_VSOCK, 1, 0)),
                     ("socketpair", lambda: call("socketpair", AF_VSOCK, 1, 0,
                                         ctypes.create_string_buffer(8)))])


@probe("NS-06")
def socket_families():
    tries = []
    for family in range(46):
        for kind in (1, 2, 3, 5):
            for protocol in (0, 4, 9, 15, 16):  # also sock_diag, audit, uevent
                harmless = family in HARMLESS and (kind != 3 or family == socket.AF_UNIX)
                if harmless or (family, protocol) == (16, 0):
                    continue  # a raw socket of the UNIX family is a datagram socket
                tries.append((f"{family}/{kind}/{protocol}",
                              lambda f=family, k=kind, p=protocol: os.close(call("socket", f, k, p))))
    return attempts(tries)


@probe("NS-07")
def system_v():
    return attempts([("shmget", lambda: call("shmget", FACTS["shm_key"], 4096, 0o666))])


@probe("NS-08")
def names_and_clocks():
    now = time.clock_gettime_ns(time.CLOCK_REALTIME)
    spec = (now // 10**9).to_bytes(8, "little") + (now % 10**9).to_bytes(8, "little")
    name = os.uname().nodename.encode()
    return attempts([("sethostname", lambda: call("sethostname", name, len(name))),
                     ("setdomainname", lambda: call("setdomainname", b"x", 1)),
                     ("clock_settime", lambda: call("clock_settime", 0,
                                                    ctypes.create_string_buffer(spec, 16)))])


@probe("NS-08p")
def cgroup_paths():
    for who in ("self", "1"):
        try:
            with open(f"/proc/{who}/cgroup") as lines:
                leaking = [line.strip() for line in lines if not line.rstrip().endswith(":/")]
        except OSError as error:
            return f"BLOCKED {name_of(error)}"
        if leaking:
            return f"ALLOWED {leaking}"
    return "CONTAINED every path is /"


@probe("NS-09")
def other_pids():
    pid = FACTS["host_pid"]
    return attempts([("kill", lambda: os.kill(pid, 0)), ("pidfd_open", lambda: os.pidfd_open(pid)),
                     ("/proc", lambda: os.listdir(f"/proc/{pid}")),
                     ("setpriority", lambda: os.getpriority(os.PRIO_PROCESS, pid))])


@probe("NS-09k")
def kill_all():
    before = [pid for pid in os.listdir("/proc") if pid.isdecimal()]
    if len(before) > 8:
        return f"ALLOWED sees {len(before)} processes"
    pid = os.fork()
    if pid == 0:
        signal.pause()
    os.kill(-1, signal.SIGCONT)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return f"CONTAINED {len(before)} processes"


@probe("NS-10")
def other_procfs():
    os.makedirs("/tmp/proc", exist_ok=True)

    def mount(options):
        call("mount", b"proc", b"/tmp/proc", b"proc", 0, options)

    def in_new_pids():
        clone(CLONE_FLAGS["NEWPID"] | CLONE_FLAGS["NEWNS"] | CLONE_FLAGS["NEWUSER"])
    return attempts([
        *((f"mount {options}", lambda o=options: mount(o)) for options in (None, b"hidepid=0", b"subset=pid")),
        ("remount", lambda: call("mount", None, b"/proc", None, 32, b"hidepid=0")),
        ("fsopen", lambda: call("fsopen", b"proc", 0)), ("fspick", lambda: call("fspick", -100, b"/proc", 0)),
        ("new pids", in_new_pids),
        ("what subset=pid hides", lambda: os.open("/proc/meminfo", os.O_RDONLY)),
    ])
