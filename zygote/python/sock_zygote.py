"""The Python zygote: imports packages, and forks containers that have them.

    python3 sock_zygote.py CHANNEL

CHANNEL is the descriptor of a sequenced-packet socket to the Host (see lib/wire/message.hpp). A
zygote is a single thread that answers one message after another. Its child waits on a channel of
its own for its work, becomes what that says (root, ids, filter: in C, before any byte of the
payload is read), and then behaves as `python3 ARGUMENTS` would.

Nothing of a payload ever reaches the zygote's own memory.
"""

import gc
import importlib
import os
import sys
import time
import traceback

import sock_zygote_core as core

import snapshot_restore_py
import sock_inheritance
import sock_payload


def close_quietly(descriptor):
    try:
        os.close(descriptor)
    except OSError:
        pass


def describe(error):
    """An exception as the Host shows it: the last line first, then where."""
    last = traceback.format_exception_only(type(error), error)[-1].strip()
    return (last + "\n" + "".join(traceback.format_exception(error, value=error,
                                                            tb=error.__traceback__))).encode(
        "utf-8", "replace")


class UnsafeToFork(Exception):
    """A module that left something behind that a fork would break."""


def import_modules(modules, paths):
    for path in map(os.fsdecode, paths):
        if path not in sys.path:
            sys.path.append(path)
    importlib.invalidate_caches()
    for name in map(os.fsdecode, modules):
        importlib.import_module(name)
        what = core.unsafe_to_fork()
        if what is not None:
            raise UnsafeToFork(f"{name} {what}")


# What hardly any payload does without: the pages of the compiler and of the interpreter that it touches.
USUAL = """
import os, sys
def handle(event, context=None):
    return {"result": [event["number"] + 1.5, f"{event}", *sys.argv]}
class Thing:
    def __init__(self): self.pid = os.getpid()
try:
    handle({"number": Thing().pid})["none"]
except KeyError:
    pass
"""


def show_working_set(inheritance, writer):
    """In a child that is no container: does what each does up to its payload's first statements."""
    inheritance.take()
    core.rehearse()
    sock_payload.begin([b"PATH=/usr/bin", b"HOME=/tmp"])
    sock_payload.run_command(USUAL, [])
    core.record_working_set(writer)


def learn_working_set(inheritance):
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:  # The domain is out of processes: then each child pays for itself.
        close_quietly(reader)
        close_quietly(writer)
        return
    if not child:
        try:
            show_working_set(inheritance, writer)
        finally:
            os._exit(0)
    os.close(writer)
    core.learn_working_set(reader)
    os.close(reader)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:  # A package ignores SIGCHLD, or reaps what it does not know.
        pass


def settle(inheritance):
    """What was allocated so far stays: no collection in a child touches (and so copies) it."""
    inheritance.put_in_order()
    gc.collect()
    gc.freeze()
    core.settle()
    learn_working_set(inheritance)


# A spare is forked when nobody has asked for anything for so long: beside the start of a payload, the
# copying of page tables would slow it down.
QUIET_MS = 5


class Zygote:
    def __init__(self, channel, inheritance):
        self.channel = channel
        self.inheritance = inheritance
        self.spares = []  # (namespaces, channel) of those that were asked for and can wait.

    def serve(self):
        """Returns in a child that has its work to do: the payload's (argv, env)."""
        settle(self.inheritance)
        if not core.hello(self.channel):
            return None
        while True:
            try:
                request = self.next_request()
            except ValueError:
                continue  # Dropped whole; whoever sent it hears nothing.
            if request is None:
                return None
            answer = getattr(self, "answer_" + request[0])(*request[1:])
            if answer is not None:
                return answer

    def next_request(self):
        while self.spares and not core.wait(self.channel, QUIET_MS):
            namespaces, channel = self.spares.pop(0)
            if not core.abandoned(channel):
                return ("fork", namespaces, channel, True)
            close_quietly(channel)
        return core.receive(self.channel)

    def answer_spare(self, namespaces, channel):
        self.spares.append((namespaces, channel))

    def forget_spares(self):
        """In a child: they are the zygote's to make."""
        for _, channel in self.spares:
            close_quietly(channel)
        self.spares.clear()

    def answer_import(self, modules, paths):
        start = time.monotonic_ns()
        zygote = os.getpid()
        failure = None
        try:
            import_modules(modules, paths)
            if os.getpid() == zygote:
                settle(self.inheritance)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are no reason to end.
            failure = describe(error)
        if os.getpid() != zygote:
            os._exit(0)  # A module's own fork came back here: only one may answer.
        if failure is not None:
            core.failed(self.channel, failure, 0)
        else:
            core.imported(self.channel, time.monotonic_ns() - start)

    def fork(self, namespaces, channel, is_spare=False):
        """Whether this is the child, which has nothing of the zygote's but its memory. What fails is said
        on the child's channel."""
        is_child = False
        try:
            is_child = core.fork(namespaces, channel, is_spare)
        except OSError as error:
            core.failed(channel, b"fork", error.errno)
        if is_child:
            self.forget_spares()
            # Or what the zygote has not read when it dies would be kept, and be waited for, by its children.
            close_quietly(self.channel)
            self.channel = channel
        else:
            close_quietly(channel)
        return is_child

    def answer_grow(self, channel):
        # Not os.fork(): the new one must be the domain's to reap, not this zygote's.
        self.fork(0, channel)

    def answer_park(self, channel):
        """A child is written down, and goes on here wherever it is restored: as a zygote, or as the
        process of a container, whose (argv, env) is the answer then."""
        if not self.fork(0, channel):
            return None
        work = None
        try:
            snapshot_restore_py.run_before_snapshot()
            self.require_forkable()
            self.channel = core.park(channel)
            work = core.restored(self.channel)
            snapshot_restore_py.run_after_restore()
            if work is None:
                self.inheritance.generators.reseed()
                self.require_forkable()
            else:
                self.inheritance.take()
        except BaseException as error:  # SystemExit and KeyboardInterrupt are no reason to go on.
            core.failed(self.channel, describe(error), 0)
            os._exit(0)
        if not core.hello(self.channel):
            os._exit(0)
        if work is not None:
            close_quietly(self.channel)
        return work

    def require_forkable(self):
        what = core.unsafe_to_fork()
        if what is not None:
            raise UnsafeToFork(f"a hook {what}")

    def answer_fork(self, namespaces, channel, is_spare=False):
        if not self.fork(namespaces, channel, is_spare):
            return None
        self.inheritance.take()
        work = core.become(channel)
        if work is None:
            os._exit(0)  # A spare that nobody needs any more.
        return work


def main():
    # Before any package: a child keeps these.
    core.note_own_signals()
    inheritance = sock_inheritance.Inheritance()
    gc.disable()
    work = Zygote(int(sys.argv[1]), inheritance).serve()
    if work is not None:
        sock_payload.run(*work)


if __name__ == "__main__":
    main()
