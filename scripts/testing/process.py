"""Running one program with a deadline, its output going to a log file."""

import os
import select
import signal
import subprocess
from dataclasses import dataclass

GRACE_SECONDS = 2  # between the request to end and the kill


@dataclass(frozen=True)
class Outcome:
    status: int  # the exit status, or minus the number of the signal that killed it
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.status == 0 and not self.timed_out

    def __str__(self) -> str:
        if self.timed_out:
            return "did not end within its deadline"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name}"
        # A shell or setpriv in between reports a signal as 128 + its number.
        return f"exit status {self.status}"


def run(command, log, timeout: float, env=None, cwd=None) -> Outcome:
    """Runs a command in a process group of its own; past the deadline that group is killed.

    A normal end leaves the group alone: what a suite leaves running is for `leftovers` to report.
    The output goes straight to the file, so a straggler that keeps it open blocks nobody.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        env=env, cwd=cwd, start_new_session=True,
    )
    pidfd = os.pidfd_open(process.pid)
    try:
        if _ended(pidfd, timeout):
            return Outcome(process.wait())
        _end_group(process, pidfd)
        return Outcome(process.wait(), timed_out=True)
    except BaseException:  # an interrupt at the prompt must not orphan the suite
        _end_group(process, pidfd)
        process.wait()
        raise
    finally:
        os.close(pidfd)


def _ended(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(max(0, seconds) * 1000))


def _end_group(process: subprocess.Popen, pidfd: int) -> None:
    # The leader is not reaped yet, so its number still names this group and no other.
    os.killpg(process.pid, signal.SIGTERM)
    _ended(pidfd, GRACE_SECONDS)
    os.killpg(process.pid, signal.SIGKILL)
