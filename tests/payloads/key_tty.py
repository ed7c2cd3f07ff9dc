"""KEY and TTY: keyrings, and typing into the terminal of whoever started us."""

import fcntl

from kit import attempts, call, probe

TIOCSTI, TIOCLINUX = 0x5412, 0x541C


@probe("KEY-01")
def keyrings():
    ring = -3  # the session keyring
    return attempts([("keyctl", lambda: call("keyctl", 0, ring, 1)),
                     ("add_key", lambda: call("add_key", b"user", b"sock-probe", b"x", 1, -1)),
                     ("request_key", lambda: call("request_key", b"user", b"sock-probe", None, ring))])


@probe("TTY-01")
def inject_input():
    tries = []
    for fd in (0, 1, 2):
        tries += [(f"TIOCSTI {fd}", lambda fd=fd: fcntl.ioctl(fd, TIOCSTI, b"!")),
                  (f"TIOCSTI {fd} with high bits", lambda fd=fd: call("ioctl", fd, TIOCSTI | 1 << 32, b"!")),
                  (f"TIOCLINUX {fd}", lambda fd=fd: fcntl.ioctl(fd, TIOCLINUX, b"\2\0"))]
    return attempts(tries)
