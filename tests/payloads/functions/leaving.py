"""Leaves behind what it has started, and says what else runs where it is asked to look."""

import os
import subprocess
import threading


def fork_for_ever():
    while True:
        os.fork()


def wait_for_ever():
    threading.Event().wait()


def handler(event):
    if event == "look":
        found = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        return sorted(found - {1, os.getpid()})
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    if os.fork() == 0:
        fork_for_ever() if event == "bomb" else wait_for_ever()
    threading.Thread(target=wait_for_ever).start()
    return "done"
