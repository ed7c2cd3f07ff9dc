"""A forked child becomes `python3 ARGUMENTS`: -c, -m or a script, with Python's own semantics."""

import atexit
import gc
import io
import os
import random
import runpy
import signal
import sys
import threading
import traceback
import types

import sock_handler

# Before the child's first statement these must be new, or siblings would share them. What the C
# library and OpenSSL hold notices a fork by itself; Random() objects and generators that a package
# made at import stay shared: reseed those with os.register_at_fork().
def reseed():
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def open_stdio():
    def stream(descriptor, mode):
        raw = io.FileIO(descriptor, mode, closefd=False)
        if mode == "r":
            return io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8",
                                    errors="surrogateescape")
        interactive = raw.isatty()
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8",
                                errors="backslashreplace" if descriptor == 2
                                else "surrogateescape",
                                line_buffering=interactive or descriptor == 2)

    sys.stdin = sys.__stdin__ = stream(0, "r")
    sys.stdout = sys.__stdout__ = stream(1, "w")
    sys.stderr = sys.__stderr__ = stream(2, "w")


def set_environment(variables):
    os.environ.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value


def new_main():
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return main.__dict__


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
        threading._shutdown()
        atexit._run_exitfuncs()
    except BaseException as error:
        report(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 120  # As Python's own exit says it.
    os._exit(status)


def run(argv, env):
    # Any id may be reused as this process's own: nothing of the zygote's is kept.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    reseed()
    open_stdio()
    set_environment(env)
    gc.enable()
    status = 0
    try:
        run_arguments([os.fsdecode(argument) for argument in argv])
    except SystemExit as leaving:
        status = exit_status(leaving)
    except BaseException as error:
        report(error)
        status = 1
    finish(status)
