"""A forked child becomes `python3 ARGUMENTS`: -c, -m or a script, with Python's own semantics."""

import atexit
import io
import os
import runpy
import sys
import traceback
import types

import sock_handler
import sock_zygote_core as core

# What is imported here, its at-fork hooks, and every object touched below cost each child page faults
# before its first statement.


def set_environment(variables):
    new = dict(variable.partition(b"=")[::2] for variable in variables)
    known = os.environb._data  # Which is that of os.environ too; in there, each would be set one by one.
    known.clear()
    known.update(new)
    core.set_environment(new)


def new_main():
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return main.__dict__


def extend_search_path(wanted):
    """As at the start of an interpreter: before everything but the script's own directory."""
    paths = os.fsdecode(wanted).split(os.pathsep)
    sys.path[:0] = [path for path in paths if path and path not in sys.path]


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


def begin(env):
    """What comes before the payload's first statement."""
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)
    set_environment(env)
    wanted = os.environb._data.get(b"PYTHONPATH")
    if wanted is not None:
        extend_search_path(wanted)


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
