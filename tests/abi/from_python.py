"""The C interface through ctypes: the doctor, a policy of one's own, a tmpfs and a process limit.

  from_python.py STATE_DIR LIBSOCK.SO LIBEXEC_DIR
"""

import errno
import os
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint16, c_uint32
from ctypes import c_uint64, c_void_p, pointer, sizeof
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from embed import ContainerSpec, ExitStatus, HostOptions, Sock, strings  # noqa: E402


class Tmpfs(Structure):
    _fields_ = [("target", c_char_p), ("size_max", c_uint64), ("inodes_max", c_uint64),
                ("mode", c_uint32), ("reserved", c_uint32)]


class Rlimit(Structure):
    _fields_ = [("name", c_char_p), ("value", c_uint64)]


class CheckResult(Structure):
    _fields_ = [("size", c_size_t), ("name", c_char_p), ("detail", c_char_p), ("lost", c_char_p),
                ("remedy", c_char_p), ("outcome", c_uint32), ("reserved", c_uint32)]


class FullSpec(ContainerSpec):
    """The example's, with the fields that it leaves out."""
    _fields_ = [("network", c_uint32), ("network_fd", c_int), ("seccomp", c_char_p),
                ("stdio", POINTER(c_int)), ("fds", c_void_p), ("fd_count", c_size_t),
                ("init", c_uint32), ("terminal_rows", c_uint16), ("terminal_columns", c_uint16),
                ("time_limit_ms", c_uint64), ("uid_map", c_void_p), ("uid_map_count", c_size_t),
                ("gid_map", c_void_p), ("gid_map_count", c_size_t), ("tmpfs", POINTER(Tmpfs)),
                ("tmpfs_count", c_size_t), ("rlimits", POINTER(Rlimit)), ("rlimit_count", c_size_t),
                ("groups", POINTER(c_uint32)), ("group_count", c_size_t),
                ("unsafe_capabilities", POINTER(c_char_p)), ("seccomp_policy", c_void_p),
                ("mount_namespace", c_uint32), ("unsafe_shared", c_uint32)]


def doctor(sock: Sock, options: HostOptions) -> dict[str, int]:
    sock.library.sock_checks_count.restype = c_size_t
    checks, found = c_void_p(), {}
    sock.call("sock_check", byref(options), byref(checks))
    for index in range(sock.library.sock_checks_count(checks)):
        result = CheckResult(size=sizeof(CheckResult))
        sock.call("sock_checks_get", checks, c_size_t(index), byref(result))
        found[result.name.decode()] = result.outcome
    sock.library.sock_checks_free(checks)
    return found


def policy_without(sock: Sock, *syscalls: bytes) -> c_void_p:
    builder, policy = c_void_p(), c_void_p()
    sock.call("sock_seccomp_builder_new", b"strict", byref(builder))
    for name in syscalls:
        sock.call("sock_seccomp_builder_deny", builder, name, errno.EACCES)
    sock.call("sock_seccomp_builder_compile", builder, byref(policy))
    sock.library.sock_seccomp_builder_free(builder)
    return policy


def output_of(sock: Sock, host: c_void_p, script: bytes, **fields) -> str:
    reader, writer = os.pipe()
    spec = FullSpec(size=sizeof(FullSpec), name=b"python", rootfs_base=b"host",
                    argv=strings(b"/bin/sh", b"-c", script), stdio=(c_int * 3)(-1, writer, writer),
                    **fields)
    container, status = c_void_p(), ExitStatus(size=sizeof(ExitStatus))
    sock.call("sock_container_create", host, byref(spec), byref(container))
    os.close(writer)
    with os.fdopen(reader) as output:
        text = output.read()
    sock.call("sock_container_wait", container, byref(status))
    sock.library.sock_container_free(container)
    return text


def main(state_dir: str, library: str, libexec_dir: str) -> None:
    sock = Sock(library)
    options = HostOptions(size=sizeof(HostOptions), state_dir=state_dir.encode(),
                          libexec_dir=libexec_dir.encode())
    found = doctor(sock, options)
    assert found["container"] == 0 and "detached_roots" in found, found
    host = c_void_p()
    sock.call("sock_host_open", byref(options), byref(host))
    policy = policy_without(sock, b"mkdir", b"mkdirat")
    printed = output_of(
        sock, host, b"ulimit -n; stat -f -c %b /tmp; mkdir /tmp/x 2>/dev/null || echo refused",
        tmpfs=pointer(Tmpfs(target=b"/tmp", size_max=1 << 20)), tmpfs_count=1,
        rlimits=pointer(Rlimit(name=b"nofile", value=99)), rlimit_count=1, seccomp_policy=policy)
    sock.library.sock_seccomp_policy_free(policy)
    sock.library.sock_host_close(host)
    assert printed == "99\n256\nrefused\n", printed
    print("all of it works")


if __name__ == "__main__":
    main(*sys.argv[1:])
