"""A Redis for a test: Debian's server on a unix socket, without persistence; and one that lies."""

import socket
import subprocess
import threading
from pathlib import Path

from cases import expect
from world import wait_until


class Redis:
    """One process in a directory of the test's; its data ends with it."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.socket = directory / "redis.sock"
        self.directory = directory
        self.options = options
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Returns when it answers."""
        with open(self.directory / "redis.log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
                 "--dir", str(self.directory), *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        expect(wait_until(self.answers), (self.directory / "redis.log").read_text())

    def answers(self) -> bool:
        try:
            return self.ask("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def ask(self, line: str) -> bytes:
        """The begin of what it answers to a command whose words have no spaces."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.socket))
            client.sendall(line.encode() + b"\r\n")
            return client.recv(65536)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = None


class Liar:
    """Takes connections, greets each, and answers it with the same bytes; then it keeps silent, or ends the connection."""

    def __init__(self, path: Path) -> None:
        self.greeting = b"+PONG\r\n"
        self.bytes = b""
        self.ends = False
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()
        self.clients: list[socket.socket] = []
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self) -> "Liar":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in (self.listening, *self.clients):
            each.close()

    def serve(self) -> None:
        while True:
            try:
                client = self.listening.accept()[0]
            except OSError:
                return
            self.clients.append(client)
            client.settimeout(10)
            try:
                for answer in (self.greeting, self.bytes):
                    client.recv(65536)
                    client.sendall(answer)
            except OSError:
                continue  # Nobody listens to all of it.
            if self.ends:
                client.close()
