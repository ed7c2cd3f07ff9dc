"""Callers that keep a daemon saturated, and what they saw: each call is accounted for, by function and outcome."""

import hashlib
import http.client
import json
import os
import select
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from world import COMPUTING, ControlConnection, World, archive

COMPUTING_PROGRAM = (f"#!/usr/bin/python3 -I\n{COMPUTING}\n\n"
                     "import json\nimport sys\n\nprint(json.dumps(handler(json.load(sys.stdin))))\n")
REFUSED = "refused"
PATIENCE = 60  # seconds
# What FunctionError tells of, as /metrics names it; what is not here was raised.
OUTCOMES = {"Sandbox.Timedout": "timed_out", "Runtime.OutOfMemory": "out_of_memory",
            "Runtime.MarshalError": "bad_answer", "Runtime.ExitError": "exited"}
INVOKE = "/2015-03-31/functions/{}/invocations"


@dataclass(frozen=True)
class Kind:
    """A function, and how it is called."""

    name: str
    callers: int = 1
    spec: str = ""
    path: str = INVOKE
    more: dict = field(default_factory=dict)  # of its event
    size: int = 32  # of the event's text
    outcomes: frozenset = frozenset({"result", REFUSED})
    code: str = COMPUTING
    by_control: bool = False
    call: Callable | None = None  # instead of request()

    @property
    def is_good(self) -> bool:
        return self.code in (COMPUTING, COMPUTING_PROGRAM)

    def event(self) -> dict:
        return {"text": os.urandom(16).hex() * (self.size // 32), **self.more}

    def put(self, world: World) -> None:
        spec = f'{self.spec}\n[env]\nNAME = "{self.name}"\n'
        if not self.code.startswith("#!"):
            world.must_put(self.name, self.code, spec)
            return
        spec = 'runtime = "exec"\nhandler = "run"\n' + spec
        world.must_put(self.name, archive({"function.toml": spec, "run": self.code}))


class Tally:
    """What all callers saw."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sent: Counter = Counter()  # by name
        self.seen: Counter = Counter()  # by name and outcome
        self.calls: defaultdict = defaultdict(list)  # by name and instance: which call of it this was
        self.wrong: list[str] = []
        self.latencies: defaultdict = defaultdict(list)

    def note_sent(self, name: str) -> None:
        with self.lock:
            self.sent[name] += 1

    def note(self, name: str, outcome: str, elapsed: float, answer: dict | None) -> None:
        with self.lock:
            self.seen[name, outcome] += 1
            self.latencies[name].append(elapsed)
            if answer is not None:
                self.calls[name, answer["me"]].append(answer["calls"])

    def note_wrong(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)

    def answered(self, name: str) -> int:
        return sum(count for (function, _), count in self.seen.items() if function == name)

    def served(self) -> set[str]:
        with self.lock:
            return {name for name, outcome in self.seen if outcome != REFUSED}

    def text(self) -> str:
        lines = []
        for name, all_of in sorted(self.latencies.items()):
            all_of = sorted(all_of)
            seen = {outcome: count for (function, outcome), count in sorted(self.seen.items()) if function == name}
            lines.append(f"{name}: {seen}, {1000 * all_of[len(all_of) // 2]:.0f} ms, at most {1000 * all_of[-1]:.0f} ms")
        return "\n".join(lines)


def is_right(kind: Kind, event: dict, answer) -> bool:
    digest = hashlib.sha256((kind.name + event["text"]).encode()).hexdigest()
    return (isinstance(answer, dict) and set(answer) == {"me", "calls", "digest", "text"}
            and answer["digest"] == digest and answer["text"] == digest * event.get("repeat", 0))


def outcome_of(response: http.client.HTTPResponse, body: bytes) -> str:
    if response.status in (429, 503):
        return REFUSED if response.headers["Retry-After"] == "1" else f"{response.status} without Retry-After"
    if response.status != 200:
        return f"status {response.status}: {body[:200]!r}"
    if "X-Amz-Function-Error" in response.headers:
        return OUTCOMES.get(json.loads(body)["errorType"], "raised")
    return "result"


class Caller(threading.Thread):
    """Calls one function again and again, over one connection; once the daemon is told to end, until there is none."""

    def __init__(self, load: "Load", kind: Kind) -> None:
        super().__init__(name=kind.name)
        self.load, self.world, self.tally, self.kind = load, load.world, load.tally, kind
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        if self.kind.by_control:
            return ControlConnection(self.world.state / "control")
        return http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=60)

    def run(self) -> None:
        make_call = self.kind.call or Caller.request
        while not self.load.is_over.is_set():
            try:
                make_call(self)
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                if self.load.is_ending.is_set():
                    return
                self.tally.note_wrong(f"{self.kind.name}: {error!r}")
        self.connection.close()

    def request(self) -> None:
        event = self.kind.event()
        start = time.monotonic()
        self.tally.note_sent(self.kind.name)
        self.connection.request("POST", self.kind.path.format(self.kind.name), json.dumps(event))
        response = self.connection.getresponse()
        self.judge(event, response, response.read(), time.monotonic() - start)

    def judge(self, event: dict, response: http.client.HTTPResponse, body: bytes, elapsed: float) -> None:
        outcome = outcome_of(response, body)
        answer = json.loads(body) if outcome == "result" and self.kind.is_good else None
        if outcome not in self.kind.outcomes or (answer is not None and not is_right(self.kind, event, answer)):
            self.tally.note_wrong(f"{self.kind.name}: {outcome}: {response.status} {body[:300]!r}")
            answer = None
        self.tally.note(self.kind.name, outcome, elapsed, answer)
        if outcome == REFUSED:
            pause()


def raw_request(kind: Kind, event: dict) -> bytes:
    body = json.dumps(event).encode()
    return (f"POST {kind.path.format(kind.name)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            .encode() + body)


def pause() -> None:
    select.select([], [], [], 0.01)


def request_slowly(caller: Caller) -> None:
    """A client that sends and reads with pauses."""
    event = caller.kind.event()
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", caller.world.port), timeout=60) as client:
        request = raw_request(caller.kind, event)
        caller.tally.note_sent(caller.kind.name)
        step = len(request) // 10 + 1
        for at in range(0, len(request), step):
            client.sendall(request[at:at + step])
            pause()
        response = http.client.HTTPResponse(client)
        response.begin()
        body = b""
        while part := response.read(128 << 10):
            body += part
            pause()
    caller.judge(event, response, body, time.monotonic() - start)


def request_and_leave(caller: Caller) -> None:
    """A client that goes away in the midst of its request, or before its answer."""
    request = raw_request(caller.kind, caller.kind.event())
    for size in (len(request) // 2, len(request)):
        with socket.create_connection(("127.0.0.1", caller.world.port), timeout=60) as client:
            client.sendall(request[:size])
            if size == len(request):
                caller.tally.note_sent(caller.kind.name)
            pause()


class Load:
    """Callers of all kinds at once; `with` it they call."""

    def __init__(self, world: World, kinds: tuple[Kind, ...]) -> None:
        self.world = world
        self.tally = Tally()
        self.is_over = threading.Event()
        self.is_ending = threading.Event()
        self.callers = [Caller(self, kind) for kind in kinds for _ in range(kind.callers)]

    def __enter__(self) -> "Load":
        for caller in self.callers:
            caller.start()
        return self

    def __exit__(self, *_) -> None:
        self.is_over.set()
        for caller in self.callers:
            caller.join()

    def go_on(self, seconds: float) -> None:
        """So long, and on a slow machine until all who are answered were served once."""
        start = time.monotonic()
        wanted = {caller.name for caller in self.callers if caller.kind.call is not request_and_leave}
        while (elapsed := time.monotonic() - start) < seconds + PATIENCE and not self.tally.wrong:
            if elapsed > seconds and wanted <= self.tally.served():
                return
            pause()
