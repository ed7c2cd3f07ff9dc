"""Calls a handler for events that come over a channel.

    python3 -m sock_handler [--wsgi] [--calls] MODULE:FUNCTION
    python3 -m sock_handler --apart

The channel is the descriptor named "channel" in SOCK_FDS: one JSON text a line, each way. An event is
answered by {"result": ...} or {"error": {"type", "message", "trace"}}; the end of the channel ends
the handler. FUNCTION takes the event alone, as in OpenLambda, or the event and a context, as in AWS
Lambda. With --wsgi it is a WSGI application, and event and result are requests and responses (see
wsgi_call). With --calls each line is {"id", "function", "remaining_ms", "event"}: what a context tells
comes with the event. With --apart it says too which function of /functions is called, its "handler",
"wsgi" and "env", and each call has a process of its own, with which all that it has started ends.

What a handler prints goes to stdout and stderr, which are not the channel.
"""

import base64
import gc
import importlib
import importlib.machinery
import inspect
import io
import json
import mmap
import os
import sys
import time
import traceback
import types

FIRST_NAMED = 3
SIGKILL = 9  # The module signal makes enumerations, which each child would pay for.
MOST_ENVELOPE = 1 << 20  # What comes with an event that is called apart.
MOST_BYTES = 6 << 20  # Of an event or a result, as in AWS Lambda.


class TooLong(Exception):
    """An event or a result that is longer than a channel carries."""


class Context:
    """What AWS Lambda's handlers know of their call. Without --calls, a deadline comes with the channel,
    if at all: SOCK_DEADLINE_MS, on the clock of time.monotonic()."""

    def __init__(self, name, number, deadline_ms):
        self.function_name = name
        self.aws_request_id = str(number)
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        if not self._deadline_ms:
            return 2**31 - 1
        return max(0, self._deadline_ms - now_ms())


class SockModule:
    """Finds the module `sock` (sock.py), of which a container's root has no file. What a handler brings
    under that name comes first."""

    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sock.py"), encoding="utf-8") as source:
        code = compile(source.read(), source.name, "exec")

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, cls) if name == "sock" else None

    @staticmethod
    def create_module(spec):
        return None

    @classmethod
    def exec_module(cls, module):
        exec(cls.code, module.__dict__)


def now_ms():
    return time.monotonic_ns() // 1_000_000


def find_channel():
    names = os.environ.get("SOCK_FDS", "").split(":")
    if "channel" not in names:
        raise SystemExit('sock_handler: no descriptor is named "channel" in SOCK_FDS')
    return FIRST_NAMED + names.index("channel")


def read_if_there(path):
    try:
        with io.FileIO(path) as file:
            return file.readall()
    except OSError:
        return None


def find_module(name):
    """The file NAME.py beside the code, if there is one; else as importlib.import_module(). The
    import system is not asked where that is: each page that a forked child touches for the first
    time costs it 2 us, and it takes a hundred."""
    path = f"{sys.path[0] or os.getcwd()}/{name}.py"
    is_beside = name.isidentifier() and name not in sys.modules
    source = read_if_there(path) if is_beside else None
    if source is None:
        return importlib.import_module(name)
    code = compile(source, path, "exec", dont_inherit=True)
    loader = importlib.machinery.SourceFileLoader(name, path)
    spec = importlib.machinery.ModuleSpec(name, loader, origin=path)
    spec.has_location = True
    module = types.ModuleType(name)
    module.__file__, module.__loader__, module.__package__, module.__spec__ = path, loader, "", spec
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]  # A module may put something else in its place.


def find_handler(target):
    module, colon, name = target.partition(":")
    if not colon:
        raise SystemExit(f"sock_handler: {target}: write MODULE:FUNCTION")
    found = find_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def takes_context(handler):
    """Whether it can be called with two arguments."""
    if type(handler) is types.FunctionType and not handler.__dict__:  # Else it may tell of another's signature.
        code = handler.__code__
        required = code.co_argcount - len(handler.__defaults__ or ())
        named = code.co_kwonlyargcount - len(handler.__kwdefaults__ or ())
        return required <= 2 and named == 0 and (code.co_argcount >= 2 or bool(code.co_flags & inspect.CO_VARARGS))
    try:
        inspect.signature(handler).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # A built-in that does not say.
        return False
    return True


def wsgi_call(application, event):
    """{"method", "path", "query", "headers", "body" in base64} to {"status", "headers", "body"}."""
    body = base64.b64decode(event.get("body", ""))
    environ = {
        "REQUEST_METHOD": event.get("method", "GET"), "SCRIPT_NAME": "",
        "PATH_INFO": event.get("path", "/"), "QUERY_STRING": event.get("query", ""),
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)), "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.multithread": False,
        "wsgi.multiprocess": False, "wsgi.run_once": False,
    }
    for name, value in event.get("headers", {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value
    answer = {}

    def start_response(status, headers, exc_info=None):
        answer.update(status=int(status.split()[0]), headers=list(map(list, headers)))

    parts = application(environ, start_response)
    try:
        content = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return {**answer, "body": base64.b64encode(content).decode()}


def make_call(handler, is_wsgi):
    """A function of an event and its context."""
    if is_wsgi:
        return lambda event, context: wsgi_call(handler, event)
    if takes_context(handler):
        return handler
    return lambda event, context: handler(event)


def read_event(line, number, target):
    """A line is an event."""
    return json.loads(line), Context(target, number, int(os.environ.get("SOCK_DEADLINE_MS", "0")))


def read_call(line, number, target):
    """A line is an event and what is to be known of it."""
    call = json.loads(line)
    return call["event"], Context(call["function"], call["id"], now_ms() + call["remaining_ms"])


def describe(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return {"type": type(error).__name__, "message": str(error),
            "trace": traceback.format_exception(type(error), error, trace)}


def answer(call, read):
    """One line for one line. SystemExit is an answer too: the handler has ended, not the channel."""
    try:
        text = json.dumps({"result": call(*read())})
        if len(text) > MOST_BYTES:
            raise TooLong(f"a result has at most {MOST_BYTES} bytes")
        return text
    except BaseException as error:
        return json.dumps({"error": describe(error)})


def read_line(channel, most):
    """None at the end. Of a line that is too long one byte too many is kept, and the rest dropped."""
    line = channel.readline(most + 1)
    rest = line
    while rest and not rest.endswith(b"\n"):
        rest = channel.readline(most)
    return line or None


def send(descriptor, text):
    text = memoryview(text)
    while text:
        text = text[os.write(descriptor, text):]


def enter_function(call):
    """What an instance of its own would have from its start."""
    directory = f"/functions/{call['function']}"
    os.chdir(directory)
    for variable in call["env"]:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [directory, *paths, *(path for path in sys.path if path not in paths)]


def answer_one(channel, place):
    """In the process of one call, which reads its call and writes its answer itself: what waits for the
    next one must not hold anything of it. What the handler has written to `place` is written over."""
    with open(channel, "rb", closefd=False) as incoming:
        line = read_line(incoming, MOST_BYTES + MOST_ENVELOPE)
    os.close(channel)
    if line is None:
        return

    def work():
        if len(line) > MOST_BYTES + MOST_ENVELOPE:
            raise TooLong(f"an event has at most {MOST_BYTES} bytes")
        call = json.loads(line)
        enter_function(call)
        handler = make_call(find_handler(call["handler"]), call["wsgi"])
        return handler(call["event"], Context(call["function"], call["id"], now_ms() + call["remaining_ms"]))

    own = os.getpid()
    text = answer(work, lambda: ()).encode()
    flush_outputs()
    if os.getpid() != own:  # A handler that has forked and returned twice.
        return
    os.ftruncate(place, 0)
    os.lseek(place, 0, os.SEEK_SET)
    send(place, text)


def flush_outputs():
    """What a call has printed is in its log, and not in the next one's."""
    for output in (sys.stdout, sys.stderr):
        try:
            output.flush()
        except Exception:  # A handler has closed it, or put something else there.
            pass


def fork_one(channel, place, generators):
    """A process that waits for its one call."""
    child = os.fork()
    if child:
        return child
    failed = 1
    try:
        generators.reseed()
        answer_one(channel, place)
        failed = 0
    except BaseException:
        traceback.print_exc()
    os._exit(failed)


def end_others(child):
    """Waits until the child ends, and ends all other processes of the container but this one; how the
    child ended, or was ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.kill(-1, SIGKILL)
    except ProcessLookupError:
        pass
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return status


def is_one_line(place, size):
    with mmap.mmap(place, size, prot=mmap.PROT_READ) as text:
        return text.find(b"\n") < 0


def pass_on(channel, place):
    """The answer, without a copy of it here. False: there is none."""
    size = os.fstat(place).st_size
    if not 0 < size <= MOST_BYTES + MOST_ENVELOPE or not is_one_line(place, size):
        return False
    sent = 0
    while sent < size:
        sent += os.sendfile(channel, place, sent, size - sent)
    send(channel, b"\n")
    return True


def serve_apart(channel):
    if os.getpid() != 1:  # Or all of a machine would end with a call.
        raise SystemExit("sock_handler: --apart is for the first process of a container")
    import sock_inheritance
    generators = sock_inheritance.Generators()
    generators.find()
    sys.meta_path.append(SockModule)
    gc.freeze()
    while True:
        place = os.memfd_create("answer", os.MFD_CLOEXEC)
        status = end_others(fork_one(channel, place, generators))
        if status != 0 or not pass_on(channel, place):
            raise SystemExit(status if status >= 0 else 128 - status)
        os.close(place)


def main(arguments):
    if arguments == ["--apart"]:
        return serve_apart(find_channel())
    options = [word for word in arguments if word in ("--wsgi", "--calls")]
    targets = [word for word in arguments if word not in options]
    if len(targets) != 1:
        raise SystemExit(__doc__)
    target = targets[0]
    descriptor = find_channel()
    sys.meta_path.append(SockModule)
    call = make_call(find_handler(target), "--wsgi" in options)
    read, envelope = (read_call, 4096) if "--calls" in options else (read_event, 0)

    def read_bounded(line, number):
        if len(line) > MOST_BYTES + envelope:
            raise TooLong(f"an event has at most {MOST_BYTES} bytes")
        return read(line, number, target)

    with open(descriptor, "rb", closefd=False) as incoming, \
            open(descriptor, "wb", buffering=0, closefd=False) as outgoing:
        number = 0
        while (line := read_line(incoming, MOST_BYTES + envelope)) is not None:
            number += 1
            text = memoryview(answer(call, lambda: read_bounded(line, number)).encode() + b"\n")
            flush_outputs()
            while text:
                text = text[outgoing.write(text):]
            if getattr(sys.modules.get("sock"), "_is_asking", False):
                return  # A request was interrupted: the next call could make none.


if __name__ == "__main__":
    main(sys.argv[1:])
