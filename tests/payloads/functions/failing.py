"""Fails as its event says."""

import os
import signal
import sys


def fail():
    raise ValueError("no")


def hang():
    signal.pause()


def close():
    os.closerange(3, 100)
    hang()


WAYS = {"raise": fail, "exit": lambda: sys.exit(3), "leave": lambda: os._exit(3), "hang": hang, "close": close,
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV), "parent": lambda: os.kill(1, signal.SIGKILL),
        "memory": lambda: [bytearray(1 << 20) for _ in range(1000)]}


def handler(event):
    WAYS.get(event, int)()
    return "fine"
