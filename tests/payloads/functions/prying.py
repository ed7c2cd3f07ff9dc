"""Looks for what an event before has left: in the frames above it, and in all memory that it can read."""

import os
import sys

# Written backwards, so that they are not found here.
WORDS = ("terces-eht", "tneve-eht")


def frames():
    frame = sys._getframe()
    while frame:
        yield repr(frame.f_locals)
        frame = frame.f_back


def memory():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as all_of_it:
        for line in maps.readlines():
            place, rights = line.split()[:2]
            start, end = (int(number, 16) for number in place.split("-"))
            if rights.startswith("rw"):
                try:
                    yield os.pread(all_of_it.fileno(), end - start, start).decode("latin-1")
                except OSError:  # It is gone again.
                    pass


def handler(event):
    if event != "pry":
        return {"secret": os.environ["SECRET"], "event": event}
    found = [*frames(), *memory()]
    return sum(part.count(word[::-1]) for part in found for word in WORDS)
