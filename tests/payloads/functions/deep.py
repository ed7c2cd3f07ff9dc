"""A function that answers with a start, two million brackets and an end, and returns never."""

import os
import signal

CHANNEL = 3


def handler(event):
    start, end = event
    answer = memoryview((start + "[" * 2_000_000 + "]" * 2_000_000 + end).encode() + b"\n")
    while answer:
        answer = answer[os.write(CHANNEL, answer):]
    signal.pause()
