"""Debian's Chromium, driven by chromedriver's HTTP (the W3C WebDriver protocol)."""

import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from cases import expect

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A context: the browser and its driver are gone behind it."""

    def __init__(self, directory: Path, *options: str) -> None:
        """`directory`: of its own, for what it writes."""
        directory.mkdir()
        self.directory = directory
        self.options = options

    def __enter__(self):
        expect(shutil.which("chromedriver") is not None, "chromedriver is missing (hint: scripts/install-packages)")
        # In a session of its own, which the browser's processes are in as well.
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       stdin=subprocess.DEVNULL, text=True, start_new_session=True,
                                       env={**os.environ, "HOME": str(self.directory), "TMPDIR": str(self.directory)})
        self.session = ""
        try:
            self.port = self.find_port()
            self.session = "/session/" + self.start()["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_unused) -> None:
        try:
            if self.session:
                self.command("DELETE", "")
        finally:
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.wait()
            self.driver.stdout.close()

    def find_port(self) -> int:
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.strip().rstrip(".").rsplit(" ", 1)[1])
        expect(False, "chromedriver did not start")
        return 0

    def start(self) -> dict:
        # Root has no sandbox of Chromium's; what is shown is the test's own.
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-extensions", "--mute-audio", "--no-proxy-server", f"--user-data-dir={self.directory / 'profile'}",
                     *self.options]
        return self.command("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}}})

    def command(self, method: str, path: str, body: dict | None = None):
        """What is answered; `path` is below the session's."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, self.session + path, None if method != "POST" else json.dumps(body or {}),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        expect(not (isinstance(value, dict) and "error" in value), f"{method} {path}: {value}")
        return value

    def open(self, address: str) -> None:
        self.command("POST", "/url", {"url": address})

    def run(self, script: str, *arguments):
        """JavaScript that returns something."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector: str = "body") -> str:
        """What people see of it; empty where there is none."""
        return self.run("const found = document.querySelector(arguments[0]);"
                        "return found?.checkVisibility() ? found.innerText : ''", selector)

    def write(self, selector: str, text: str) -> None:
        found = self.command("POST", "/element", {"using": "css selector", "value": selector})
        self.command("POST", f"/element/{found[ELEMENT]}/value", {"text": text})

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, violations of policies too, since one has asked last."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def devtools(self, name: str, **parameters) -> dict:
        """A command of Chromium's own."""
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def show_as(self, width: int, scheme: str) -> None:
        """In a window as wide as that; "light" or "dark"."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path) -> None:
        """The whole page."""
        self.devtools("Emulation.setScrollbarsHidden", hidden=True)
        path.write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
