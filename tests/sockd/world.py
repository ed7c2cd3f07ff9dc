"""A daemon with a state of its own, and HTTP to it over its control socket and over loopback."""

import contextlib
import http.client
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cases import PROJECT, SOCKCTL, expect

SOCKD = str(Path(SOCKCTL).parent.parent / "sockd" / "sockd")
EXAMPLES = PROJECT / "examples/functions"
FUNCTIONS = PROJECT / "tests/payloads/functions"
SLOW = (FUNCTIONS / "slow.py").read_text()
DEEP = (FUNCTIONS / "deep.py").read_text()
COMPUTING = (FUNCTIONS / "computing.py").read_text()
HOSTILE = (FUNCTIONS / "hostile.py").read_text()
HANDLER = 'handler = "main:handler"\n'


def wait_until(condition, seconds: float = 20) -> bool:
    """Looks again and again: nothing announces what other processes print or leave behind."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    return bool(met)


class ControlConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:300]!r}"


def archive(files: dict[str, str | bytes]) -> bytes:
    """A tar file. What starts with #! may be executed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o755 if data.startswith(b"#!") else 0o644
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


# How a call may be served that has a new instance forked for it: whichever is there first.
FORKED = ("spare", "zygote")


class World:
    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sock-sockd-"))
        self.state = self.path / "state"
        self.daemon: subprocess.Popen | None = None
        self.port = 0

    def close(self) -> None:
        status, said = 0, ""
        if self.daemon is not None and self.daemon.poll() is None:
            status = self.stop()
            said = self.log()
        shutil.rmtree(self.path, ignore_errors=True)
        expect(status == 0, f"the daemon did not end as it should: {status} {said}")

    def start(self, *options: str, prefix: tuple[str, ...] = (), listen: tuple[str, ...] = ("127.0.0.1:0",),
              **more) -> None:
        """Returns when it is ready."""
        self.log_file = open(self.path / "log", "ab")
        self.daemon = subprocess.Popen(
            [*prefix, SOCKD, "--state", str(self.state), *(word for each in listen for word in ("--listen", each)),
             "--package-cache", str(self.path / "packages"), *options],
            stdout=subprocess.PIPE, stderr=self.log_file, stdin=subprocess.DEVNULL, text=True, **more)
        self.port = 0
        for line in self.daemon.stdout:
            if line.startswith("sockd: listening on ") and ":" in line[7:]:
                self.port = int(line.rsplit(":", 1)[1])
            if line.startswith("sockd: ready"):
                return
        self.daemon.wait()
        expect(False, f"it did not start: {self.log()}")

    def log(self) -> str:
        return (self.path / "log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.daemon.send_signal(number)
        status = self.daemon.wait(timeout=60)
        self.daemon.stdout.close()
        self.log_file.close()
        return status

    def request(self, method: str, path: str, body: bytes | str | None = None, headers: dict | None = None,
                control: bool = False) -> Reply:
        connection = (ControlConnection(self.state / "control") if control
                      else http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))
        try:
            connection.request(method, path, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def put(self, name: str, code: str | bytes, spec: str = "", more: dict[str, str] | None = None) -> Reply:
        body = code if isinstance(code, bytes) else archive(
            {"function.toml": HANDLER + spec, "main.py": code, **(more or {})})
        return self.request("PUT", f"/api/functions/{name}", body, control=True)

    def add_package(self, name: str, code: str, needs: str = "") -> None:
        """Of one module, into the package cache."""
        module = name.replace("-", "_")
        source = self.path / name
        info = source / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (source / f"{module}.py").write_text(code)
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
        subprocess.run([SOCKCTL, "package", "add", f"dir:{source}", "--package-cache", str(self.path / "packages")],
                       check=True, capture_output=True)

    def add_installed(self, name: str) -> None:
        """One that is a Debian package of this machine, as it is there, into the package cache."""
        source = self.path / f"installed-{name}"
        info = source / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        shutil.copytree(f"/usr/lib/python3/dist-packages/{name}", source / name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        subprocess.run([SOCKCTL, "package", "add", "--no-compile", f"dir:{source}", "--package-cache", str(self.path / "packages")],
                       check=True, capture_output=True)

    def must_put(self, name: str, code: str | bytes, spec: str = "", more: dict[str, str] | None = None) -> dict:
        reply = self.put(name, code, spec, more)
        expect(reply.status == 200, f"put {name}: {reply}")
        return reply.json()

    def invoke(self, name: str, event="", **headers: str) -> Reply:
        body = event if isinstance(event, (str, bytes)) else json.dumps(event)
        return self.request("POST", f"/2015-03-31/functions/{name}/invocations", body,
                            {key.replace("_", "-"): value for key, value in headers.items()})

    def result(self, name: str, event=""):
        reply = self.invoke(name, event)
        expect(reply.status == 200 and "X-Amz-Function-Error" not in reply.headers, f"{name}: {reply}")
        return reply.json()

    def now(self, name: str) -> dict:
        """How many instances there are, idle ones, waiting calls."""
        return self.request("GET", f"/api/functions/{name}", control=True).json()["now"]

    def idle(self, name: str, count: int) -> None:
        """Waits until so many are paused."""
        expect(wait_until(lambda: self.now(name)["paused"] == count), f"{name}: {self.now(name)}")

    def logs(self, name: str) -> list[dict]:
        reply = self.request("GET", f"/api/functions/{name}/logs", control=True)
        return [json.loads(line) for line in reply.body.decode().splitlines()]

    def payloads(self) -> list[int]:
        """The first processes of instances: forked in a domain of the daemon, each in a pid namespace of its own, and under a
        filter of its own, which a spare does not have yet."""
        status: dict[int, dict[str, list[str]]] = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                lines = (directory / "status").read_text().splitlines()
            except OSError:
                continue
            status[int(directory.name)] = {line.split(":")[0]: line.split()[1:] for line in lines}

        def is_ours(pid: int) -> bool:
            while pid in status and pid != self.daemon.pid:
                pid = int(status[pid]["PPid"][0])
            return pid == self.daemon.pid

        return [pid for pid, of in status.items()
                if len(of["NSpid"]) == 3 and of["NSpid"][-1] == "1" and of["State"][0] != "Z"
                and int(of["Seccomp_filters"][0]) > 1 and is_ours(pid)]

    def domains(self) -> int:
        """Its children: the first processes of the domains of its zygotes."""
        tasks = Path(f"/proc/{self.daemon.pid}/task").glob("*/children")
        return sum(len(children.read_text().split()) for children in tasks)


@contextlib.contextmanager
def small_disk(world: World) -> Iterator[None]:
    """The daemon's state is on one of 8 MiB; it must have ended at the end of that."""
    world.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(world.state)], check=True)
    try:
        yield
        world.stop()
    finally:
        subprocess.run(["umount", "-l", str(world.state)], check=True)


def descriptors(pid: int) -> int:
    """Without the control files of cgroups: those of a pooled one are opened when they are first needed, and then kept."""
    names = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return sum(not name.startswith("/sys/fs/cgroup/") for name in names)
