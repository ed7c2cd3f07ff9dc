"""A scratch directory with a store, a canary outside of it, and sockctl."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cases import SOCKCTL, expect


class World:
    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sock-image-"))
        self.store = self.path / "store"
        self.canary = self.path / "canary"
        self.canary.write_text("untouched")
        os.chmod(self.canary, 0o640)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, *words: str, timeout: float = 120, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        """`before`: the words of another program that starts sockctl."""
        environment = {**os.environ, "SOCK_IMAGE_STORE": str(self.store),
                       "SOCK_STATE_DIR": str(self.path / "state")}
        return subprocess.run([*before, SOCKCTL, *words], capture_output=True, text=True, errors="replace",
                              env=environment, timeout=timeout, stdin=subprocess.DEVNULL)

    def image(self, *words: str) -> str:
        """The output of a verb of `sockctl image` that must succeed."""
        done = self.run("image", *words)
        expect(done.returncode == 0, f"image {' '.join(words)}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def add(self, source: object, name: str = "t") -> dict:
        return json.loads(self.image("import", str(source), "--name", name, "--format", "jsonl"))

    def root(self, name: str = "t") -> Path:
        """Where the image's files are: of the store's own, which a test may know."""
        image = json.loads(self.image("inspect", name, "--format", "jsonl"))
        layers = [layer["diff_id"].split(":")[1] for layer in image["layers"]]
        if len(layers) == 1:
            return self.store / "layers" / layers[0] / "tree"
        roots = list((self.store / "roots").iterdir())
        expect(len(roots) == 1, f"{len(roots)} roots in the store")
        return roots[0] / "tree"

    def refuses(self, source: object, *reasons: str) -> None:
        """The import fails for one of these reasons; nothing of it is left, nothing outside changed."""
        self.was_refused(self.run("image", "import", str(source), "--name", "t"), *reasons)

    def was_refused(self, done: subprocess.CompletedProcess, *reasons: str) -> None:
        said = done.stderr.strip()
        expect(done.returncode == 125, f"exit status {done.returncode}: {said or done.stdout}")
        expect(any(reason in said for reason in reasons), f"another reason: {said}")
        # Of an import that takes long, progress is told as well.
        errors = [line for line in said.splitlines() if not line.startswith("sockctl: unpacking ")]
        expect(len(errors) == 1, f"more than one line: {said}")
        self.is_untouched()
        expect(self.image("ls", "--quiet") == "", "the image is listed")
        for part in ("layers", "roots", "images", "names", "documents", "staging"):
            left = list((self.store / part).iterdir()) if (self.store / part).exists() else []
            expect(not left, f"left behind: {left}")

    def is_untouched(self) -> None:
        found = self.canary.stat()
        expect(self.canary.read_text() == "untouched" and found.st_mode & 0o7777 == 0o640
               and found.st_nlink == 1, "the canary was touched")
        strange = {path.name for path in self.path.iterdir()} - {"store", "canary", "state", "l", "m"}
        expect(not strange, f"outside of the store: {strange}")

    def verifies(self, name: str = "t") -> None:
        done = self.run("image", "verify", name)
        expect(done.returncode == 0, f"verify: {done.stderr.strip()}")
