"""A forked child becomes `python3 ARGUMENTS`: -c, -m or a script, with Python's own semantics."""

import atexit
import gc
import io
import os
import runpy
import sys
import traceback
import types
import weakref

import _signal
import sock_handler
import sock_zygote_core as core

# What is imported here, its at-fork hooks, and every object touched below cost each child page faults
# before its first statement: threading alone would double them.


def reseed():
    """The C library and the module random notice a fork by themselves; OpenSSL only by the number of
    the process, which may be the same one in a new pid namespace. Random() objects and generators that
    a package made at import stay shared: os.register_at_fork() is for those."""
    ssl = sys.modules.get("_ssl")
    if ssl is not None:
        ssl.RAND_add(os.urandom(32), 32.0)
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def forget_exit_hooks():
    """Those of the zygote's packages are not the payload's to run (a temporary directory is still
    in use); the standard library's own are, and would not be registered a second time."""
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
    without the enumerations of signal. What packages have changed is found out once, in the zygote."""

    def __init__(self):
        self.own = {number: _signal.getsignal(number) for number in _signal.valid_signals()}
        self.changed = []

    def note(self):
        self.changed = [number for number, handler in self.own.items()
                        if _signal.getsignal(number) is not handler]

    def reset(self):
        _signal.set_wakeup_fd(-1)
        for number in self.changed:
            if self.own[number] is not None:
                _signal.signal(number, self.own[number])


def open_stream(descriptor, mode, errors):
    return io.TextIOWrapper(open(descriptor, mode, closefd=False), encoding="utf-8", errors=errors)


def renew_stdio():
    """The interpreter's own streams, whatever a package has put in their place: descriptors 0, 1 and 2
    are new under them, and their buffers were emptied before the fork."""
    sys.stdin = sys.__stdin__ or open_stream(0, "rb", "surrogateescape")
    sys.stdout = sys.__stdout__ or open_stream(1, "wb", "surrogateescape")
    sys.stderr = sys.__stderr__ or open_stream(2, "wb", "backslashreplace")


def set_environment(variables):
    new = dict(variable.partition(b"=")[::2] for variable in variables)
    for name in [name for name in os.environb if name not in new]:
        del os.environb[name]
    for name, value in new.items():
        os.environb[name] = value
    core.forget_environment()  # Or /proc/self/environ would still show the domain's.


def new_main():
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return main.__dict__


def extend_search_path():
    """As at the start of an interpreter: before everything but the script's own directory."""
    wanted = os.environ.get("PYTHONPATH")
    if wanted:
        sys.path[:0] = [path for path in wanted.split(os.pathsep) if path and path not in sys.path]


def run_command(code, arguments):
    sys.argv = ["-c", *arguments]
    sys.path.insert(0, "")
    exec(compile(code, "<string>", "exec"), new_main())


def run_module(name, arguments):
    sys.argv = ["-m", *arguments]
    sys.path.insert(0, os.getcwd())
    new_main()
    if name == sock_handler.__name__:  # Imported already; the container's root does not have it.
        return sock_handler.main(arguments)
    return runpy._run_module_as_main(name)


def run_script(path, arguments):
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    with io.open_code(path) as file:
        source = file.read()
    names = new_main()
    names["__file__"] = path
    exec(compile(source, path, "exec"), names)


def run_arguments(argv):
    """argv[0] is the interpreter's name, which is this process already."""
    arguments = argv[1:]
    if not arguments:
        return run_command(sys.stdin.read(), [])
    first, rest = arguments[0], arguments[1:]
    if first == "-":
        return run_command(sys.stdin.read(), rest)
    if first in ("-c", "-m"):
        if not rest:
            raise SystemExit(f"Argument expected for the {first} option")
        runner = run_command if first == "-c" else run_module
        return runner(rest[0], rest[1:])
    if first.startswith("-"):
        raise SystemExit(f"{first}: a forked interpreter takes -c, -m, a file or -")
    return run_script(first, rest)


def exit_status(leaving):
    """As the interpreter understands SystemExit."""
    code = leaving.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def report(error):
    # Without the frames of this file.
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def finish(status):
    """What the end of an interpreter does that anybody can see; the rest is the kernel's."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        report(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 120  # As Python's own exit says it.
    os._exit(status)


def prepare(handlers):
    """What a child can do before it knows its work: a spare does it while it waits."""
    forget_exit_hooks()
    handlers.reset()
    reseed()
    renew_stdio()
    gc.enable()


def begin(env):
    """The rest of what comes before the payload's first statement."""
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)
    set_environment(env)
    extend_search_path()


def run(argv, env):
    begin(env)
    status = 0
    try:
        run_arguments([os.fsdecode(argument) for argument in argv])
    except SystemExit as leaving:
        status = exit_status(leaving)
    except BaseException as error:
        report(error)
        status = 1
    finish(status)
