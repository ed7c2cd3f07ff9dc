"""Leaves the bus so that the next event could get an answer that is not its own, or none at all."""

import json
import os
import signal
import socket

import sock

BUS = 3 + os.environ["SOCK_FDS"].split(":").index("bus")


def late(number, frame):
    raise InterruptedError


def be_interrupted():
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        sock.invoke("slow", 1)
    except InterruptedError:
        pass
    try:
        return sock.add("n")
    except sock.Error as error:
        return error.type


def have_no_time():
    socket.setdefaulttimeout(0.01)
    return sock.add("n")


def ask(call, name, **more):
    os.write(BUS, json.dumps({"call": call, "name": name, **more}).encode())


def leave_a_child_that_asks():
    reader, writer = os.pipe()
    if os.fork() == 0:
        ask("invoke", "slow", wait=True, event="0.2")
        os.write(writer, b"asked")
        signal.pause()
    os.read(reader, 5)


WAYS = {
    "value": lambda: sock.add("n"),
    "timeout": have_no_time,
    "alarm": be_interrupted,
    "child": leave_a_child_that_asks,
    "unread": lambda: ask("add", "other", by=77),
    "many": lambda: [ask("add", "other") for _ in range(50)] and None,
    "large": lambda: os.write(BUS, b"x" * 70_000) and None,
    "shut": lambda: socket.socket(fileno=os.dup(BUS)).shutdown(socket.SHUT_RDWR),
    "nonblocking": lambda: os.set_blocking(BUS, False),
}


def handler(event):
    return WAYS[event]()
