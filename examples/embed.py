#!/usr/bin/env python3
"""Starts a container with limits, pauses, resumes and kills it.

  embed.py STATE_DIR [LIBSOCK.SO [LIBEXEC_DIR]]
"""

import ctypes
import signal
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint32
from ctypes import c_uint64, c_void_p, sizeof

STRINGS = POINTER(c_char_p)


# The structures of sock.h. Leaving out later fields is allowed: each tells its size.
class HostOptions(Structure):
    _fields_ = [("size", c_size_t), ("state_dir", c_char_p), ("libexec_dir", c_char_p)]


class Limits(Structure):
    _fields_ = [("memory_max", c_uint64), ("swap_max", c_uint64), ("cpu_quota_us", c_uint64),
                ("cpu_period_us", c_uint64), ("cpu_weight", c_uint32), ("pids_max", c_uint32),
                ("reserved", c_uint64 * 7)]


class ContainerSpec(Structure):
    _fields_ = [("size", c_size_t), ("flags", c_uint64), ("name", c_char_p),
                ("rootfs_base", c_char_p), ("rootfs_handler", c_char_p), ("packages", STRINGS),
                ("binds", c_void_p), ("bind_count", c_size_t), ("argv", STRINGS), ("env", STRINGS),
                ("cwd", c_char_p), ("hostname", c_char_p), ("uid", c_uint32), ("gid", c_uint32),
                ("limits", Limits)]


class ExitStatus(Structure):
    _fields_ = [("size", c_size_t), ("kind", c_int), ("value", c_int)]


class Sock:
    """libsock.so, with failures as exceptions."""

    def __init__(self, path: str):
        self.library = ctypes.CDLL(path)
        self.library.sock_error_message.argtypes = [c_void_p]
        self.library.sock_error_message.restype = c_char_p

    def call(self, function: str, *arguments) -> None:
        error = c_void_p()
        if getattr(self.library, function)(*arguments, byref(error)) != 0:
            message = self.library.sock_error_message(error).decode()
            self.library.sock_error_free(error)
            raise OSError(f"{function}: {message}")


def strings(*texts: bytes):
    return (c_char_p * (len(texts) + 1))(*texts, None)


def run(sock: Sock, host: c_void_p) -> bool:
    spec = ContainerSpec(size=sizeof(ContainerSpec), name=b"sleeper", rootfs_base=b"host",
                         argv=strings(b"/bin/sleep", b"60"),
                         limits=Limits(memory_max=64 << 20, pids_max=16))
    container, status = c_void_p(), ExitStatus(size=sizeof(ExitStatus))
    sock.call("sock_container_create", host, byref(spec), byref(container))
    print("started")
    sock.call("sock_container_pause", container)
    print("paused")
    sock.call("sock_container_resume", container)
    print("resumed")
    sock.call("sock_container_kill", container)
    sock.call("sock_container_wait", container, byref(status))
    print("killed by signal", status.value)
    sock.library.sock_container_free(container)
    return status.value == signal.SIGKILL


def main(state_dir: str, library: str = "libsock.so.0", libexec_dir: str = "") -> int:
    sock = Sock(library)
    options = HostOptions(size=sizeof(HostOptions), state_dir=state_dir.encode(),
                          libexec_dir=libexec_dir.encode())
    host = c_void_p()
    sock.call("sock_host_open", byref(options), byref(host))
    killed = run(sock, host)
    sock.library.sock_host_close(host)
    return 0 if killed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
