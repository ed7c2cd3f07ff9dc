"""One emulated machine: started, watched until it ends or its deadline, its results read."""

import io
import os
import select
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

RESULTS_BYTES = 32 << 20


@dataclass(frozen=True)
class Disks:
    kernel: Path
    initial: Path
    system: Path
    project: Path


def run(disks: Disks, parameters: dict[str, str], directory: Path, seconds: float) -> bool:
    """False when it did not end by itself. `directory` gets the console and the results."""
    results = directory / "results"
    results.write_bytes(b"")
    os.truncate(results, RESULTS_BYTES)
    process = subprocess.Popen(_command(disks, parameters, results, directory / "console"),
                               stdin=subprocess.DEVNULL, stdout=open(directory / "qemu", "wb"),
                               stderr=subprocess.STDOUT)
    pidfd = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000)) and process.wait() == 0
    finally:  # also when interrupted
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(pidfd)


def _command(disks: Disks, parameters: dict[str, str], results: Path, console: Path) -> list[str]:
    words = ["console=ttyS0", "quiet", "loglevel=4", "panic=-1", "mitigations=off", "rdinit=/init"]
    words += [f"sock.{key}={value}" for key, value in parameters.items()]
    command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off",
               "-smp", "2", "-m", "2048", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", f"file:{console}", "-kernel", str(disks.kernel), "-initrd", str(disks.initial),
               "-append", " ".join(words)]
    for disk in (disks.system, disks.project):
        command += ["-drive", f"file={disk},if=virtio,format=raw,snapshot=on"]
    return command + ["-drive", f"file={results},if=virtio,format=raw,cache=unsafe"]


def read_results(directory: Path) -> dict[str, str]:
    """Empty when there is no whole archive, as after a machine that came to nothing."""
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO((directory / "results").read_bytes())) as archive:
            for member in archive:
                if member.isfile():
                    files[os.path.basename(member.name)] = archive.extractfile(member).read().decode(errors="replace")
    except tarfile.ReadError:
        pass
    return files


def console_tail(directory: Path, lines: int = 40) -> str:
    console = directory / "console"
    text = console.read_text(errors="replace") if console.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
