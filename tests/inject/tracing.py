"""strace on a program that waits at its gate."""

import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

from world import World, read_line

# Calls that cannot fail in a way a program could meet. brk() fails by returning the old break, which
# strace cannot make it do; by shutdown() the driver itself ends its payload. The C library aborts when
# futex(), which is called only when two are after one lock, fails as the kernel never lets it, or rseq() of a
# thread, after that of the first one did not.
NOT_FAILING = {"exit", "exit_group", "rt_sigreturn", "restart_syscall", "rt_sigtimedwait", "brk", "futex",
               "rseq", "arch_prctl", "set_tid_address", "getpid", "geteuid", "sched_yield", "shutdown"}
LINE = re.compile(r"^(\d+)\s+([a-z_0-9]+)\(")


class Traced:
    """A driver under strace from its gate on."""

    def __init__(self, world: World, verb: str, inject: list[str] = (), log: Path | None = None):
        self.driver = world.drive(verb)
        self.early_end = read_line(self.driver, "gate") is None
        if self.early_end:
            return
        command = ["strace", "-f", "-e", "signal=none", "-o", str(log or "/dev/null"),
                   "-p", str(self.driver.pid), *inject]
        # Not in the world's groups: only what belongs to the driver is looked for there.
        self.strace = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True, stdin=subprocess.DEVNULL)
        self.attached = self.strace.stderr.readline()
        self.driver.send_signal(signal.SIGUSR1)

    def finish(self, seconds: float) -> tuple[int | None, str]:
        """Exit code (None: it hung, and was killed) and output of the driver."""
        try:
            output = self.driver.communicate(timeout=seconds)[0]
            return self.driver.returncode, output
        except subprocess.TimeoutExpired:
            self.driver.kill()
            return None, self.driver.communicate()[0]
        finally:
            self.end_tracer()

    def end_tracer(self) -> None:
        if self.early_end:
            return
        # It ends by itself when the last traced process has, and must not outlive its use.
        try:
            self.strace.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.strace.terminate()
            try:
                self.strace.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.strace.kill()
                self.strace.wait()
        self.strace.stderr.close()


def count_calls(world: World, verb: str) -> tuple[dict[int, Counter], int, list[str]]:
    """How often each process makes each call after the gate, the driver's pid, and what went wrong."""
    log = world.scratch / "trace"
    traced = Traced(world, verb, log=log)
    code, output = traced.finish(20)
    counts: dict[int, Counter] = {}
    for line in log.read_text().splitlines():
        if match := LINE.match(line):
            counts.setdefault(int(match[1]), Counter())[match[2]] += 1
    return counts, traced.driver.pid, [] if code == 0 else [f"without a fault: {code} {output}"]
