"""SEC and CAP: the system call filter, capabilities, identity and limits."""

import ctypes
import os
import platform
import resource
import subprocess

from kit import FACTS, FIXTURES, attempts, call, in_child, name_of, probe, status
from prc import raise_limit

REFUSED = """
mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp migrate_pages move_pages setns unshare
bpf perf_event_open userfaultfd init_module finit_module delete_module kexec_load kexec_file_load
add_key request_key keyctl name_to_handle_at open_by_handle_at fanotify_init fanotify_mark
settimeofday adjtimex clock_settime clock_adjtime reboot swapon swapoff acct quotactl quotactl_fd
syslog sethostname setdomainname iopl ioperm modify_ldt
""".split()
ABSENT = """
statmount listmount clone3 io_uring_setup io_uring_enter io_uring_register open_tree_attr
""".split()
# With every argument -1 these fail in the kernel, but neither with EPERM nor with ENOSYS.
ALLOWED = """
read write pread64 pwrite64 readv writev lseek close dup fcntl flock fsync ftruncate fallocate
open openat creat access faccessat stat lstat fstat newfstatat statx statfs fstatfs getdents64
mkdir rename link unlink symlink readlink chmod fchmod getxattr epoll_ctl inotify_add_watch mmap
mprotect madvise mremap wait4 waitid bind listen connect getsockname setsockopt shmat semctl
msgsnd rt_sigaction timer_gettime timerfd_gettime pidfd_send_signal getpgid
""".split()
SECCOMP_SET_MODE_FILTER, NEW_LISTENER = 1, 8
KILLED = "BROKEN status 31"  # by SIGSYS


def error_of(name) -> str:
    """What the call answers, in the very process."""
    if isinstance(name, str) and name not in FACTS["numbers"]:
        return "unknown"
    try:
        call(name, -1, -1, -1, -1, -1, -1)
    except OSError as error:
        return name_of(error)
    return "0"


@probe("SEC-01")
def the_table():
    wrong = []
    for names, wanted in ((REFUSED, "EPERM"), (ABSENT, "ENOSYS")):
        wrong += [f"{name}={got}" for name in names if (got := error_of(name)) not in (wanted, "unknown")]
    refused = [f"{name}={got}" for name in ALLOWED if (got := error_of(name)) in ("EPERM", "ENOSYS")]
    if wrong or refused:
        return f"ALLOWED {' '.join(wrong)} REFUSED {' '.join(refused)}"
    return f"CONTAINED {len(REFUSED) + len(ABSENT)} refused, {len(ALLOWED)} allowed"


@probe("SEC-02")
def other_gates():
    if platform.machine() == "x86_64":
        x32 = in_child(lambda: error_of(0x40000000 + 39))
        if x32 not in ("ENOSYS", "EPERM", KILLED):
            return f"ALLOWED x32 {x32}"
    done = subprocess.run([f"{FIXTURES}/int80"], capture_output=True, text=True, check=False)
    if done.returncode == 0 and int(done.stdout) > 0:
        return f"ALLOWED int 0x80 getpid {done.stdout}"
    if not FACTS["gate32"]:
        return "NA the machine itself has no 32-bit gate" if status()["Seccomp"] == "0" else \
            "CONTAINED no x32, and the machine itself has no 32-bit gate"
    return f"CONTAINED int 0x80 ends with {done.returncode} {done.stdout}"


@probe("SEC-03")
def io_uring():
    return attempts([("io_uring_setup", lambda: call("io_uring_setup", 4, ctypes.create_string_buffer(128)))])


@probe("SEC-04")
def new_calls():
    known = max(FACTS["numbers"].values())
    numbers = [*range(max(known + 1, 472), 600), 1000, 0x3FFFFFFF]
    wrong = [f"{n}={got}" for n in numbers if (got := error_of(n)) != "ENOSYS"]
    wrong += [f"{n}={got}" for n in (457, 458, 467) if (got := error_of(n)) != "ENOSYS"]
    return f"ALLOWED {' '.join(wrong)}" if wrong else f"CONTAINED {len(numbers)} numbers answer ENOSYS"


@probe("SEC-05")
def own_filters():
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                mode = status(f"/proc/{pid}/task/{task}/status")["Seccomp"]
            except OSError:
                continue
            if mode != "2" and pid != "1":
                return f"ALLOWED task {task} of {pid} has mode {mode}"
    allow = (0x06).to_bytes(2, "little") + bytes(2) + (0x7FFF0000).to_bytes(4, "little")
    instruction = ctypes.create_string_buffer(allow, 8)
    program = ctypes.create_string_buffer(
        (1).to_bytes(8, "little") + ctypes.addressof(instruction).to_bytes(8, "little"), 16)
    return attempts([("listener", lambda: call("seccomp", SECCOMP_SET_MODE_FILTER, NEW_LISTENER, program))])


@probe("CAP-01")
def capabilities():
    state = status()
    held = {key: value for key, value in state.items() if key.startswith("Cap") and int(value, 16)}
    if held or state["NoNewPrivs"] != "1":
        return f"ALLOWED {held} NoNewPrivs {state['NoNewPrivs']}"
    return "CONTAINED no capability in any set, no_new_privs"


@probe("CAP-02")
def groups():
    mask = os.umask(0o22)
    if os.getgroups() or mask != 0o22:
        return f"ALLOWED groups {os.getgroups()} umask {mask:o}"
    return attempts([("setuid", lambda: os.setresuid(1234, 1234, 1234)),
                     ("setgroups", lambda: os.setgroups([4])),
                     ("setgid", lambda: os.setresgid(4, 4, 4))])


@probe("CAP-04")
def limits():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != (128, 128):
        return f"ALLOWED nofile {limit}"
    return attempts([("nofile", lambda: raise_limit(resource.RLIMIT_NOFILE)),
                     ("core", lambda: raise_limit(resource.RLIMIT_CORE))])


@probe("CAP-05")
def environment():
    with open("/proc/self/environ", "rb") as file:
        names = sorted(entry.split(b"=")[0].decode() for entry in file.read().split(b"\0") if entry)
    extra = set(names) - {"HOME", "PATH", "USER", "LANG", "PWD", "HOSTNAME", "TERM"}
    return f"ALLOWED {sorted(extra)}" if extra else f"CONTAINED {' '.join(names)}"
