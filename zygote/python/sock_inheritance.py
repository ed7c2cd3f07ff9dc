"""What a zygote's packages leave in it that is not for its children.

All but randomness is put in order in the zygote, once after each import: whatever an object is that a child
touches, its page is copied, and a child has hundreds of those before its first statement. threading
alone, which is not imported here, would double them.
"""

import atexit
import gc
import io
import os
import sys
import weakref

import _signal


def forget_exit_hooks():
    """Those of packages are nobody's to run: not a payload's (a temporary directory is still in use), and a
    zygote ends by being killed. The standard library's own are, and would not be registered a second time."""
    atexit._clear()
    weakref.finalize._registry.clear()
    weakref.finalize._registered_with_atexit = False
    logging = sys.modules.get("logging")
    if logging is not None:
        atexit.register(logging.shutdown)
    multiprocessing = sys.modules.get("multiprocessing.util")
    if multiprocessing is not None:
        multiprocessing._finalizer_registry.clear()
        atexit.register(multiprocessing._exit_function)


class Handlers:
    """Python's own table of signal handlers; the kernel's side is in C (inheritance.hpp). By _signal,
    without the enumerations of signal."""

    def __init__(self):
        self.own = {number: _signal.getsignal(number) for number in _signal.valid_signals()}
        self.changed = []

    def note(self):
        """In the zygote, which keeps those of its packages."""
        _signal.set_wakeup_fd(-1)
        self.changed = [number for number, handler in self.own.items()
                        if handler is not None and _signal.getsignal(number) is not handler]

    def reset(self):
        for number in self.changed:
            _signal.signal(number, self.own[number])


def open_stream(descriptor, mode, errors):
    return io.TextIOWrapper(open(descriptor, mode, closefd=False), encoding="utf-8", errors=errors)


def renew_stdio():
    """The interpreter's own streams, whatever a package has put in their place: descriptors 0, 1 and 2
    will be new under them, and nothing is left in their buffers."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
        if stream is not None:
            stream.flush()
    sys.stdin = sys.__stdin__ or open_stream(0, "rb", "surrogateescape")
    sys.stdout = sys.__stdout__ or open_stream(1, "wb", "surrogateescape")
    sys.stderr = sys.__stderr__ or open_stream(2, "wb", "backslashreplace")


class Generators:
    """Of random numbers. The C library and the module random notice a fork by themselves; OpenSSL only by the
    number of the process, which may be the same one in a new pid namespace, and numpy not at all.
    Random() objects and generators that a package made at import stay shared:
    os.register_at_fork() is for those."""

    def __init__(self):
        self.add_to_openssl = None
        self.renew_numpy = None

    def find(self):
        """In the zygote, which prepares what it can: OpenSSL's first use takes 770 pages, numpy's own
        seed() 140."""
        ssl = sys.modules.get("_ssl")
        if ssl is not None and self.add_to_openssl is None:
            self.add_to_openssl = ssl.RAND_add
            self.add_to_openssl(os.urandom(32), 32.0)
        numpy = sys.modules.get("numpy.random")
        if numpy is not None:  # A package that came later may have given it another generator.
            self.renew_numpy = renewal_of(numpy)

    def reseed(self):
        """In a child."""
        if self.add_to_openssl is not None:
            self.add_to_openssl(os.urandom(32), 32.0)
        if self.renew_numpy is not None:
            self.renew_numpy()


def renewal_of(numpy):
    """Gives numpy's global generator a state of which every bit is the kernel's. None: a package has put
    another one in its place, which has no such state."""
    if numpy.get_state(legacy=False)["bit_generator"] != "MT19937":
        return None
    key = numpy.get_state()[1]
    memory = memoryview(key).cast("B")

    def renew():
        memory[:] = os.urandom(len(memory))
        numpy.set_state(("MT19937", key, len(key), 0, 0.0))
    return renew


class Inheritance:
    def __init__(self):
        """Before any package is imported."""
        self.handlers = Handlers()
        self.generators = Generators()

    def put_in_order(self):
        """In the zygote, after each import."""
        forget_exit_hooks()
        self.handlers.note()
        renew_stdio()
        self.generators.find()

    def take(self):
        """In a child, before it knows its work: a spare does it while it waits."""
        self.handlers.reset()
        self.generators.reseed()
        gc.enable()
