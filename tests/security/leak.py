"""LEAK: what is left behind."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from model import USER, Scenario, check
from processes import with_marker
from starter import ForkStarter

STARTS = 25


def snapshot(world) -> dict[str, object]:
    return {
        "state": sorted(str(path) for path in world.state.rglob("*") if path.parent != world.state),
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "processes": with_marker(str(world.state)),
        "shm": sorted(os.listdir("/dev/shm")),
    }


def starts(world, starter) -> str:
    starter.run(USER, (), "/bin/true")
    before = snapshot(world)
    for number in range(STARTS):
        result = starter.run(USER, (), "/bin/sh", "-c", f"exit {number % 7}")
        check(result.returncode == number % 7, str(result))
    starter.run(USER, (), "/no/such/program")
    starter.run(USER, ("-v", "/no/such:/dir"), "/bin/true")
    after = snapshot(world)
    check(before == after, "\n".join(f"{k}: {before[k]} became {after[k]}" for k in before
                                     if before[k] != after[k]))
    return f"{STARTS} starts, 2 failed ones"


def forks(world, starter) -> str:
    forking = ForkStarter(world)

    def run(count):
        result = forking.run(USER, (), ("python3", "-c", "import sys; sys.exit(7)"), count)
        check(result.returncode == 7, str(result))

    run(1)
    before = snapshot(world)
    run(STARTS)
    check(forking.run(USER, (), ("python3", "/no/such/program")).returncode != 0, "no file, and no error")
    check(forking.run(USER, ("--bind", "/no/such", "/dir"), ("python3", "-c", "")).returncode == 125,
          "no directory to bind, and no error")
    after = snapshot(world)
    check(before == after, "\n".join(f"{k}: {before[k]} became {after[k]}" for k in before
                                     if before[k] != after[k]))
    return f"{STARTS} forks, 2 failed ones"


def one_name(world, starter) -> str:
    command = starter.command("run", "-d", "--name", "twin", "-u", "1000", "--", "sleep", "30")
    racing = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE) for _ in range(8)]
    outputs = [process.communicate(timeout=30) for process in racing]
    winners = sum(process.returncode == 0 for process in racing)
    ended = [starter.sockctl("kill", "twin"), starter.sockctl("wait", "twin")]
    removals = [starter.sockctl("rm", "twin").returncode for _ in range(2)]
    check(winners == 1, f"{winners} of 8 got the name: {outputs}")
    check(removals[0] == 0 and removals[1] != 0, f"rm twice: {removals}, {ended}")
    return "one of 8 starts, one of 2 removals"


def odd_embedder(world, starter) -> str:
    def ignore_children():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.umask(0o777)

    def without_stdin():
        os.close(0)

    def without_directory():
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)

    def few_descriptors():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    def all_blocked():
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))

    seen = []
    for odd in (ignore_children, without_stdin, without_directory, few_descriptors, all_blocked):
        result = starter.run(USER, (), "/bin/sh", "-c", "exit 7", preexec_fn=odd,
                             pass_fds=() if odd is without_stdin else world.leaked_fds)
        check(result.returncode in (7, 125), f"{odd.__name__}: {result}")
        check(result.returncode == 7 or result.stderr, f"{odd.__name__}: failed without a word")
        seen.append(f"{odd.__name__}={result.returncode}")
    return " ".join(seen)


TESTS = [
    Scenario("LEAK-01", "starts and failed starts leave nothing", starts),
    Scenario("LEAK-01f", "nor do forks and failed forks", forks),
    Scenario("LEAK-05", "one of many gets a name, and one removes it", one_name),
    Scenario("LEAK-08", "an embedder in an odd state works or is told why", odd_embedder),
]
