"""A sockd of a benchmark's own, on a free port, and what its clients need. All that it keeps is below the directory that it is given."""

import http.client
import io
import json
import subprocess
import tarfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
WAITING = 60  # seconds
LOOK, SETTLED = 0.5, 2  # seconds: between two looks, and without a change


def archive(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            entry.mode = 0o755 if text.startswith("#!") else 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def available() -> int:
    """Bytes of memory."""
    [line] = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(line.split()[1]) << 10


def in_threads(work: Callable[[], None], count: int) -> None:
    """What one of them raises is raised here, when all have ended."""
    raised: list[BaseException] = []

    def attempt() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def each_once(items: list[Item], clients: int, connect: Callable[[], Callable[[Item], None]]) -> float:
    """Gives the seconds. Each client takes the next one as soon as it is done with one; when we are interrupted, they end with that."""
    waiting = deque(items)

    def serve() -> None:
        call = connect()
        while True:
            try:
                item = waiting.popleft()
            except IndexError:
                return
            call(item)

    start = time.monotonic()
    try:
        in_threads(serve, clients)
    finally:
        waiting.clear()
    return time.monotonic() - start


class Daemon:
    """With a package cache that holds what `sockctl package` is asked for, each a list of its words; or with another's."""

    def __init__(self, build: Path, directory: Path, packages: list[list[str]], cache: Path | None = None, **settings: str) -> None:
        directory.mkdir(exist_ok=True)
        tools, cache = build / "tools", cache or directory / "packages"
        self.cache = cache
        for words in packages:
            subprocess.run([tools / "sockctl/sockctl", "--state-dir", directory / "sockctl", "package", *words, "--package-cache", cache], check=True, stdout=subprocess.DEVNULL)
        token = directory / "token"
        token.write_text("a token for this benchmark")
        config = directory / "config"
        config.write_text(f'token_file = "{token}"\n' + "".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        self.headers = {"Authorization": f"Bearer {token.read_text()}"}
        self.process = subprocess.Popen(
            [tools / "sockd/sockd", "--config", config, "--state", directory / "state", "--package-cache", cache,
             "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        for line in self.process.stdout:
            if "listening on" in line:
                self.port = int(line.rsplit(":", 1)[1])
            if "ready" in line:
                return
        raise SystemExit("bench: sockd did not start")

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAITING)

    def put(self, name: str, settings: dict[str, object], code: str) -> None:
        """A function in Python, which `code` has as handler(), unless the settings say otherwise."""
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in {"handler": "main:handler", **settings}.items()]
        connection = self.connect()
        connection.request("PUT", f"/api/functions/{name}", archive({"function.toml": "".join(lines), "main.py": code}), self.headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"bench: {name}: {answer.read()!r}")

    def try_call(self, connection: http.client.HTTPConnection, name: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection.request("POST", f"/run/{name}", b"1", self.headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def call(self, connection: http.client.HTTPConnection, name: str) -> http.client.HTTPResponse:
        answer, body = self.try_call(connection, name)
        if body != b"1\n":
            raise SystemExit(f"bench: {name}: {answer.status} {body[:200]!r}")
        return answer

    def attempt(self, connection: http.client.HTTPConnection, name: str) -> http.client.HTTPResponse | None:
        """None where it fails; the connection is made again then."""
        try:
            answer, body = self.try_call(connection, name)
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        return answer if body == b"1\n" else None

    def status(self) -> dict:
        connection = self.connect()
        connection.request("GET", "/status", headers=self.headers)
        return json.loads(connection.getresponse().read())

    def zygotes(self) -> list[dict]:
        return [zygote for cache in self.status()["import_caches"] for zygote in cache["zygotes"]]

    def settle(self, seconds: float) -> dict[str, float]:
        """Waits until no zygote comes or goes, in memory or on the disk, but no longer than that; gives what there is then."""
        begin = since = time.monotonic()
        before: dict[str, float] = {}
        while True:
            zygotes, now = self.zygotes(), time.monotonic()
            found = {"nodes": len(zygotes), "living": sum(zygote["replicas"] > 0 for zygote in zygotes),
                     "stored": sum(zygote["stored"] > 0 for zygote in zygotes), "failed": sum(bool(zygote["failure"]) for zygote in zygotes)}
            if found != before:
                before, since = found, now
            if now - since >= SETTLED or now - begin >= seconds:
                return found | {"memory": sum(zygote["memory"] * zygote["replicas"] for zygote in zygotes), "seconds": now - begin,
                                "settled": now - since >= SETTLED}
            time.sleep(LOOK)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


OUTER_STAGES = ("queue", "resume", "start", "call")  # One after another; the others are parts of a start.
REST = "HTTP, client"  # What is in none of them.


def note(answer: http.client.HTTPResponse, paths: dict[str, int], stages: dict[str, list[float]], whole: float | None = None) -> None:
    """How a call was served, and the milliseconds of each stage, and of what is left of `whole`."""
    path = answer.headers["X-Sock-Path"]
    paths[path] = paths.get(path, 0) + 1
    found = {stage: float(milliseconds) for stage, milliseconds in
             (part.split(";dur=") for part in answer.headers["Server-Timing"].split(", "))}
    if whole is not None:
        found[REST] = whole - sum(found.get(stage, 0) for stage in OUTER_STAGES)
    for stage, milliseconds in found.items():
        stages.setdefault(stage, []).append(milliseconds)
