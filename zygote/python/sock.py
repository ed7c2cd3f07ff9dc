"""What functions of one application have in common: sockd's local bus.

    import sock

    thumbnail = sock.invoke("resize", {"width": 80})     # another function, and what it returns
    sock.invoke("report", {"done": 5}, wait=False)       # kept on disk, delivered at least once
    sock.put("image", data, ttl=60)                      # written once, mapped by whoever asks
    with sock.get("image") as view: ...                  # a read-only view, without a copy
    if sock.add("arrived") == 10: ...                    # a counter: the last one of ten goes on

Only in functions of an application. Errors are sock.Error; what the other function has raised is
sock.FunctionError. Thread-safe: one request at a time.
"""

import array
import errno
import fcntl
import json
import mmap
import os
import socket
import threading

_FIRST_NAMED = 3
_MOST_MESSAGE = 64 << 10
_MOST_INLINE = 24 << 10  # Of an event, which is escaped once more in a message.
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_lock = threading.Lock()
_bus = None
_is_asking = False


class Error(Exception):
    """A request that was refused; `type` is why: "not_found", "exhausted", "timed_out"..."""

    def __init__(self, error):
        super().__init__(error.get("message", ""))
        self.type = error.get("type", "Error")
        self.trace = error.get("trace", [])


class FunctionError(Error):
    """What another function has raised: `type` is the exception's, `trace` its traceback."""


# Answers of the bus itself; any other type is an exception's.
_OWN = frozenset(("timed_out", "exited", "out_of_memory", "bad_answer", "not_started", "unknown_function",
                  "bad_event", "function_busy", "overloaded", "closing", "invalid_spec", "not_found",
                  "exists", "exhausted", "closed", "corrupt", "denied", "io"))


def _connect():
    global _bus
    if _bus is None:
        names = os.environ.get("SOCK_FDS", "").split(":")
        if "bus" not in names:
            raise Error({"type": "unsupported", "message": "this function is of no application"})
        number = _FIRST_NAMED + names.index("bus")
        _bus = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, os.dup(number))
        _bus.settimeout(None)  # Whatever socket.setdefaulttimeout() says: an answer that comes late would be the next one's.
    return _bus


def _exchange(text, ancillary):
    """A message for a message. One that was interrupted is the last: its answer would be the next one's."""
    global _is_asking
    with _lock:
        if _is_asking:
            raise Error({"type": "closed", "message": "a request was interrupted, and its answer may still come"})
        bus = _connect()
        _is_asking = True
        try:
            bus.sendmsg([text], ancillary)
        except OSError as error:
            _is_asking = error.errno != errno.EMSGSIZE  # Nothing of it was sent.
            raise
        answer, control, _, _ = bus.recvmsg(_MOST_MESSAGE, socket.CMSG_SPACE(4))
        _is_asking = False
    return answer, control


def _ask(request, file=None):
    """The result, and the file that came with it or None."""
    ancillary = [] if file is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
    text, control = _exchange(json.dumps(request).encode(), ancillary)
    if not text:
        raise Error({"type": "closed", "message": "the bus has gone"})
    came = None
    for _, _, data in control:
        came = array.array("i", data[:4])[0]
        os.set_inheritable(came, False)
    answer = json.loads(text)
    if "error" in answer:
        error = answer["error"]
        raise (Error if error.get("type") in _OWN else FunctionError)(error)
    return answer.get("result"), came


def _sealed(data):
    file = os.memfd_create("sock", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(file, view):]
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(file)
        raise
    return file


def _mapped(file):
    try:
        size = os.fstat(file).st_size
        return memoryview(mmap.mmap(file, size, prot=mmap.PROT_READ) if size else b"")
    finally:
        os.close(file)


def invoke(name, event=None, wait=True):
    """Calls a function of the application, and gives what it returns. Without `wait`: its request id."""
    text = json.dumps(event)
    request = {"call": "invoke", "name": name, "wait": wait}
    if len(text) <= _MOST_INLINE:
        result, file = _ask({**request, "event": text})
    else:
        memory = _sealed(text.encode())
        try:
            result, file = _ask(request, memory)
        finally:
            os.close(memory)
    if file is None:
        return result
    with _mapped(file) as view:
        return json.loads(bytes(view))


def put(name, data, ttl=60.0):
    """Gives the application an object: bytes, under a name that is not in use, for `ttl` seconds."""
    file = _sealed(data)
    try:
        _ask({"call": "put", "name": name, "ttl_ms": int(ttl * 1000)}, file)
    finally:
        os.close(file)


def get(name):
    """A read-only memoryview of an object. It stays valid whatever becomes of the object."""
    return _mapped(_ask({"call": "get", "name": name})[1])


def remove(name):
    """Whether there was such an object."""
    return _ask({"call": "remove", "name": name})[0]


def add(name, by=1, ttl=3600.0):
    """Adds to a counter, which begins with 0, and gives its value."""
    return _ask({"call": "add", "name": name, "by": by, "ttl_ms": int(ttl * 1000)})[0]
