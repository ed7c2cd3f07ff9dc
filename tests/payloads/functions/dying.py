"""Ends, and leaves a process behind that has all its descriptors."""

import os
import signal


def handler(event):
    if event == "fine":
        return event
    if os.fork() == 0:
        signal.pause()
    os._exit(4)
