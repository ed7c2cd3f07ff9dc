"""What strangers send: requests with anything wrong in them, in pieces, without an end, and slowly."""

import os
import random
import re
import select
import socket
import time
from pathlib import Path

from cases import expect
from world import World, descriptors, wait_until

FULL = os.environ.get("SOCK_TEST_FULL") is not None
SECONDS = 60 if FULL else 2
SEED = 7
MOST_OPEN = 100  # Connections that are never finished, at any time.
MOST_GROWTH = 24 << 20  # Bytes: of the allocator's, and of what the functions' answers take.
DEADLINE = 30  # Seconds: for a request, and for whoever reads the answer.
ECHO = "def handler(event):\n    return event\n"
HOST = b"Host: localhost\r\n"
VALID = (
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /status HTTP/1.1\r\n" + HOST + b"Accept: */*\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"POST /run/f HTTP/1.1\r\n" + HOST + b"Content-Length: 12\r\n\r\n{\"a\": [1.5]}",
    b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\n" + HOST
    + b"X-Amz-Log-Type: Tail\r\nX-Amz-Invocation-Type: RequestResponse\r\nContent-Length: 4\r\n\r\nnull",
    b"POST /2015-03-31/functions/f%3A1/invocations HTTP/1.1\r\n" + HOST
    + b"X-Amz-Invocation-Type: DryRun\r\nContent-Length: 0\r\n\r\n",
    b"POST /function/f HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n",
    b"PUT /api/functions/g HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"DELETE /api/functions/f HTTP/1.1\r\n" + HOST + b"Authorization: Bearer x\r\nConnection: keep-alive\r\n\r\n",
)
PIECES = (b"\r\n", b"\r\n\r\n", b"\n", b"\0", b" ", b":", b"/", b"%", b"%00", b"%2f..", b"?", b";", b"\xff\xfe", b"HTTP/1.1", b"HTTP/9.9",
          b"Content-Length: 18446744073709551616\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5\r\n",
          b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n",
          b"ffffffffffffffff\r\n", b"X: " + b"x" * 5000 + b"\r\n", b"Connection: close\r\n", b"Host: elsewhere.example\r\n")


def mutated(chance: random.Random) -> bytes:
    """One request, or two in a row, with up to four things done to it."""
    text = b"".join(chance.choices(VALID, k=chance.choice((1, 1, 1, 2))))
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(text) + 1)
        end = min(at + chance.randrange(1, 20), len(text))
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[end:]
        elif kind == 2:
            text = text[:end] + text[at:end] + text[end:]
        elif kind == 3:
            text = text[:at] + chance.randbytes(end - at) + text[end:]
        else:
            text = text[:at] + text[at:].replace(b"\r\n", chance.choice(PIECES), 1)
    return text


def send_in_pieces(client: socket.socket, chance: random.Random, text: bytes) -> None:
    while text:
        size = len(text) if chance.random() < 0.3 else chance.randrange(1, len(text) + 1)
        client.sendall(text[:size])
        text = text[size:]


def answer_to(client: socket.socket) -> bytes:
    """All of it, for the daemon ends a connection that its client has ended."""
    out = b""
    try:
        client.shutdown(socket.SHUT_WR)
        while part := client.recv(65536):
            out += part
    except TimeoutError:
        raise
    except OSError:  # It has ended both ways.
        pass
    return out


class Attack:
    """From one seed on; what is never finished stays open behind it until close()."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = random.Random(SEED)
        self.open: list[socket.socket] = []
        self.statuses: set[int] = set()

    def go_on(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        count = 0
        while time.monotonic() < end:
            self.send_one()
            count += 1
        return count

    def send_one(self) -> None:
        client = socket.create_connection(("127.0.0.1", self.world.port), timeout=20)
        text = mutated(self.chance)
        is_finished = self.chance.random() < 0.8
        try:
            send_in_pieces(client, self.chance, text if is_finished else text[:self.chance.randrange(len(text) + 1)])
        except ConnectionError:
            pass  # It was answered before its end.
        if not is_finished and len(self.open) < MOST_OPEN:
            self.open.append(client)
            return
        answer = answer_to(client)
        client.close()
        if not answer:
            return
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        expect(status is not None, f"no answer of HTTP to {text!r}: {answer[:200]!r}")
        self.statuses.add(int(status[1]))
        expect(int(status[1]) < 500, f"{text!r}: {answer[:200]!r}")

    def close(self) -> None:
        for client in self.open:
            client.close()
        self.open.clear()


def resident(world: World) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{world.daemon.pid}/status").read_text())[1]) << 10


CHUNKED = b"POST /function/f HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


def what_is_no_body_is_bounded_too(world: World) -> None:
    """Chunks may have extensions, and a trailer behind them: neither ends here."""
    world.start()
    world.must_put("f", ECHO)
    before = resident(world)
    for start in (b"1;", b"0\r\nX: "):
        with socket.create_connection(("127.0.0.1", world.port), timeout=20) as client:
            client.sendall(CHUNKED + start)
            sent = 0
            try:
                while sent < 64 << 20:
                    sent += client.send(b"a" * 65536)
                    if select.select([client], [], [], 0)[0]:
                        break
            except ConnectionError:
                pass
            expect(sent < 16 << 20, f"{sent} bytes of it were taken")
            answer = client.recv(65536)
        expect(answer.startswith(b"HTTP/1.1 4"), f"{answer[:100]!r}")
    expect(resident(world) - before < 16 << 20, "it was kept in memory")
    expect(world.result("f", "1") == 1, "it answers")


def whatever_is_sent_is_answered_or_ended(world: World) -> None:
    world.start()
    world.must_put("f", ECHO, "concurrency = 1\n")
    attack = Attack(world)
    attack.go_on(SECONDS / 4)
    attack.close()
    expect(world.result("f", "1") == 1, "it answers")
    world.idle("f", 1)
    descriptors_before, memory_before = descriptors(world.daemon.pid), resident(world)
    count = attack.go_on(SECONDS)
    expect(world.result("f", "2") == 2, "it answers others meanwhile")
    attack.close()
    print(f"# {count} requests, {sorted(attack.statuses)}", flush=True)
    expect(attack.statuses > {200, 204, 400, 403, 404, 405}, f"of all kinds: {attack.statuses}")
    expect(world.result("f", "3") == 3, "it answers afterwards")
    world.idle("f", 1)
    expect(wait_until(lambda: descriptors(world.daemon.pid) <= descriptors_before, 5),
           f"{descriptors_before} descriptors became {descriptors(world.daemon.pid)}")
    expect(resident(world) < memory_before + MOST_GROWTH, f"{memory_before} bytes became {resident(world)}")


def who_is_slow_is_given_up(world: World) -> None:
    """At every stage of a request, and as a reader of its answer."""
    world.start()
    world.must_put("long", "def handler(event):\n    return 'x' * 5_000_000\n", 'memory = "256m"\n')
    expect(len(world.result("long")) == 5_000_000, "it answers")
    world.idle("long", 1)
    before = descriptors(world.daemon.pid)
    request = b"POST /run/long HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nnull"
    silent = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(4)]
    for client, text in zip(silent, (b"", request[:20], request[:-2], b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"), strict=True):
        client.sendall(text)
    expect(silent[3].recv(4096).startswith(b"HTTP/1.1 200 "), "this one asks no more")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    reader.connect(("127.0.0.1", world.port))
    reader.sendall(request)
    start = time.monotonic()
    left = set(silent)
    while left and time.monotonic() - start < DEADLINE + 15:
        ready, _, _ = select.select(list(left), [], [], 5)
        if not ready and time.monotonic() - start < 6:  # One byte is no reason to wait longer.
            silent[2].sendall(b"l")
        for client in ready:
            expect(client.recv(4096) == b"", "it is ended without a word")
            expect(time.monotonic() - start > DEADLINE - 2, "and not before its time")
            left.discard(client)
    expect(not left, f"{len(left)} are still waited for")
    expect(wait_until(lambda: descriptors(world.daemon.pid) <= before, 15),
           f"nor is the reader: {before} descriptors became {descriptors(world.daemon.pid)}")
    for client in (*silent, reader):
        client.close()


TESTS = [what_is_no_body_is_bounded_too, whatever_is_sent_is_answered_or_ended, *([who_is_slow_is_given_up] if FULL else [])]
