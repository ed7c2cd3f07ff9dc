"""Runs the parts, one after the other, each with a deadline; what they print and their JSON are kept."""

import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from measure import machine
from suite.parts import PROJECT, Part, what_lacks, why_not

SECONDS_TO_END = 20
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Outcome:
    part: Part
    command: list[str] = field(default_factory=list)
    seconds: float = 0
    busy: float = 0  # share of the CPUs that others had just before
    stolen: float = 0  # share that the hypervisor gave to others meanwhile
    failure: str = ""
    left_out: str = ""
    printed: str = ""
    data: dict = field(default_factory=dict)


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def prepare(directory: Path, makes_images: bool) -> bool:
    """Installs what is measured and what it is compared with, builds, and makes the images that are asked for, which are kept; nothing
    of it where the programs were built elsewhere. What cannot be had is missing from the report, which says so."""
    if directory != PROJECT / "build/release":
        return directory.is_dir()
    for words in (("scripts/install-packages", "--bench"), ("scripts/install-criu",)):
        if not succeeds(*words):
            say(f"going on without what {words[0]} could not install")
    if not succeeds("scripts/build", "release", "bench-programs"):
        return False
    if makes_images and not succeeds("bench/image_load", "--make"):
        say("going on without images")
    return True


def succeeds(program: str, *words: str) -> bool:
    say(shlex.join((program, *words)))
    return subprocess.run([PROJECT / program, *words], stdout=sys.stderr, check=False).returncode == 0


def adopt_orphans() -> None:
    """What a part leaves running becomes our child, and is found."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(seconds: float = SECONDS_TO_END) -> list[str]:
    """Waits for those that are about to end (the library's janitors are); gives those that are not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.05)
        except ChildProcessError:
            return []
    mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [f"process {pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})" for pid in mine]


def end(process: subprocess.Popen) -> None:
    """By the signal that lets it clean up; if it does not, with all of its group."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_part(part: Part, size: str, directory: Path, build_directory: Path) -> Outcome:
    data, printed = directory / f"{part.name}.json", directory / f"{part.name}.txt"
    for old in (data, printed):
        old.unlink(missing_ok=True)
    outcome = Outcome(part, left_out=why_not(part, size, build_directory))
    if outcome.left_out:
        say(f"{part.name}: left out: {outcome.left_out}")
        return outcome
    if lacking := what_lacks(part, build_directory):
        outcome.failure = lacking
        say(f"{part.name}: {lacking}")
        return outcome
    outcome.command = part.command(size, build_directory, data)
    outcome.busy = machine.busy_share()
    say(f"{part.name}: at most {part.seconds[size]} s: {shlex.join(outcome.command)}")
    start, ticks = time.monotonic(), machine.cpu_ticks()
    with open(printed, "wb") as out:
        process = subprocess.Popen(outcome.command, stdin=subprocess.DEVNULL, stdout=out, start_new_session=True)
        try:
            process.wait(part.seconds[size])
        except subprocess.TimeoutExpired:
            end(process)
            outcome.failure = f"ended after {part.seconds[size]} s"
        except BaseException:
            end(process)
            raise
    outcome.seconds, outcome.stolen = time.monotonic() - start, machine.stolen_share(ticks)
    outcome.printed = printed.read_text(errors="replace")
    if data.exists():
        outcome.data = json.loads(data.read_text())
    if not outcome.failure and (process.returncode != 0 or not outcome.data):
        outcome.failure = f"exit status {process.returncode}" if process.returncode else "wrote no figures"
    say(f"{part.name}: {outcome.failure or 'done'}, {outcome.seconds:.0f} s")
    return outcome


def failures_in(data: object, where: str = "") -> list[str]:
    """Everything in a part's figures that says of itself that it failed."""
    found: list[str] = []
    if isinstance(data, dict):
        name = data.get("name")
        here = f"{where}/{name}" if isinstance(name, str) else where
        if data.get("error_occurred"):
            found.append(f"{here.strip('/')}: {data.get('error_message', '')}")
        for key, value in data.items():
            if key == "failure" and value:
                found.append(f"{here.strip('/')}: {value}")
            elif key == "failures" and isinstance(value, int) and value > 0:
                found.append(f"{here.strip('/')}: {value} failed")
            elif isinstance(value, (dict, list)):
                found += failures_in(value, here if key in ("sets", "peers", "trees", "runs") else f"{here}/{key}")
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        for item in data:
            found += failures_in(item, where)
    return found
