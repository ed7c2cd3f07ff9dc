"""What a fork costs without any isolation: the line protocol of serve.h, spoken by Python.

    zygote_reference.py fork|fresh|forkserver MODULE,MODULE|-

fork: os.fork() of this process, which has imported the modules; fresh: a new interpreter that
imports them; forkserver: multiprocessing's, which has them preloaded. A life is from the call to
the first statement of the child, which writes a byte.
"""

import gc
import importlib
import multiprocessing
import os
import subprocess
import sys
import time

HOW, MODULES = sys.argv[1], [name for name in sys.argv[2].split(",") if name != "-"]
READER, WRITER = os.pipe()
os.set_inheritable(WRITER, True)


def say():
    os.write(WRITER, b"x")


def say_to(writer):
    os.write(writer.fileno(), b"x")


def fork():
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        say()
        os._exit(0)
    os.read(READER, 1)
    duration = time.perf_counter() - start
    os.waitpid(child, 0)
    return duration


def fresh():
    code = "".join(f"import {name}\n" for name in MODULES) + f"import os\nos.write({WRITER}, b'x')\n"
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", code], close_fds=False)
    os.read(READER, 1)
    duration = time.perf_counter() - start
    child.wait()
    return duration


def forkserver(context):
    def live():
        receiver, sender = context.Pipe(duplex=False)
        start = time.perf_counter()
        child = context.Process(target=say_to, args=(sender,))
        child.start()
        os.read(receiver.fileno(), 1)
        duration = time.perf_counter() - start
        child.join()
        return duration

    return live


def prepare():
    if HOW == "fresh":
        return fresh
    if HOW == "forkserver":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*MODULES, "__main__"])
        return forkserver(context)
    for name in MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    return fork


def main():
    live = prepare()
    live()
    for line in sys.stdin:
        command, *numbers = line.split()
        if command != "run":
            print(f"zygote_reference: no {command} here", file=sys.stderr)
            return 1
        print(*(f"{live() * 1e6:.2f}" for _ in range(int(numbers[0]))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
