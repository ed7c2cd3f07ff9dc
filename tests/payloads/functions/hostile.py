"""Functions that do what they must not, one for each NAME."""

import os
import signal

CHANNEL = 3
kept = []


def endless():
    while True:
        pass


def forks():
    while True:
        try:
            os.fork()
        except OSError:
            signal.pause()


def floods():
    for _ in range(3000):
        print("x" * 1000)


def allocates():
    while True:
        kept.append(bytearray(1 << 20))


def answers_twice():
    os.write(CHANNEL, b'{"result": 1}\n{"result": 2}\n')


def speaks_unasked():
    os.write(CHANNEL, b'{"result": null}\n')


def nests():
    answer = memoryview(b'{"error": {"trace": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}\n")
    while answer:
        answer = answer[os.write(CHANNEL, answer):]
    signal.pause()


def closes():
    os.close(CHANNEL)


def exits():
    os._exit(3)


def leaks():
    for _ in range(300):
        kept.append(os.open("/dev/null", os.O_RDONLY))


def handler(event):
    globals()[os.environ["NAME"]]()
