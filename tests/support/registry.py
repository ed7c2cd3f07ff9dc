"""Debian's docker-registry, on a port of this machine that nobody else has, with what is pushed in a directory."""

import queue
import re
import subprocess
import threading
from pathlib import Path

SETTINGS = """version: 0.1
storage: {{filesystem: {{rootdirectory: {directory}}}}}
http: {{addr: "127.0.0.1:0"}}
"""


class Registry:
    """Serves as long as it is entered. `name("app:v1")` is what images are called there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> "Registry":
        self.directory.mkdir()
        settings = self.directory / "settings.yml"
        settings.write_text(SETTINGS.format(directory=self.directory / "pushed"))
        self.process = subprocess.Popen(["docker-registry", "serve", str(settings)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        try:
            self.address = f"127.0.0.1:{self.ports.get(timeout=60)}"
        except queue.Empty:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def read(self) -> None:
        """All that it says, so that it need not wait."""
        for line in self.process.stderr:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                self.ports.put(found[1])

    def name(self, image: str) -> str:
        return f"docker://{self.address}/{image}"
