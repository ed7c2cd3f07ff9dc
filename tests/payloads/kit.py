"""What payloads share: system calls by name, and the words for what came of an attempt."""

import ctypes
import errno
import json
import os
import sys
from collections.abc import Callable, Iterable

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
PROBES: dict[str, Callable[[], str]] = {}
FACTS = json.load(open("/facts/facts.json" if os.path.exists("/facts") else "facts.json"))
FIXTURES = "/fixtures" if os.path.exists("/fixtures") else FACTS["fixtures"]
AT_FDCWD = -100


def probe(id: str):
    def register(function):
        PROBES[id] = function
        return function
    return register


def call(name: str | int, *arguments) -> int:
    """Raises OSError. Integers are passed as 64-bit values, bytes as pointers."""
    number = name if isinstance(name, int) else FACTS["numbers"].get(name, 100000)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *wide)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def name_of(error: OSError) -> str:
    return errno.errorcode.get(error.errno, str(error.errno))


def attempts(tries: Iterable[tuple[str, Callable[[], object]]]) -> str:
    """ALLOWED if any of them works."""
    errors = set()
    for label, attempt in tries:
        try:
            attempt()
        except OSError as error:
            errors.add(name_of(error))
        else:
            return f"ALLOWED {label}"
    return f"BLOCKED {','.join(sorted(errors))}"


def opens(paths: Iterable[str], flags: int = os.O_WRONLY) -> str:
    return attempts((path, lambda path=path: os.close(os.open(path, flags))) for path in paths)


def status(path: str = "/proc/self/status") -> dict[str, str]:
    with open(path) as lines:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def in_child(function: Callable[[], str], seconds: int = 10) -> str:
    """The words come back through a pipe; a child that dies of a signal says which."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        import signal
        signal.alarm(seconds)
        try:
            said = function()
        except OSError as error:
            said = f"BLOCKED {name_of(error)}"
        except BaseException as error:
            said = f"BROKEN {type(error).__name__} {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, errors="replace") as pipe:
        said = pipe.read()
    _, wait_status = os.waitpid(pid, 0)
    return said or f"BROKEN status {wait_status}"


def report(id: str, said: str) -> None:
    said = said.replace("\n", "\\n")[:600]
    sys.stdout.write(f"PROBE {id} {said}\n")
    sys.stdout.flush()
