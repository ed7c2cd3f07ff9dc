"""What every machine runs, and how it is judged. Pure, but for the shell that it writes.

A command is the shell's; $build, $guest and $sockctl are set. `gtest` reports by a file that the command is told
of, `plain` by its exit status and by what it printed.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from testing import formats  # noqa: E402
from testing.formats import Result  # noqa: E402
from testing.process import Outcome  # noqa: E402

TIMED_OUT = 124  # of timeout(1)


@dataclass(frozen=True)
class Step:
    name: str
    command: str
    seconds: int  # on an emulated machine
    format: str = "plain"
    status: int = 0
    printed: str = ""  # a pattern that the output must have
    cgroups: tuple[str, ...] = ("v1", "v2")  # the machines for which it is


LIMITED = "$sockctl run -m 64m --pids 16 --net isolated --"
# CRIU is not on the disk.
INTEGRATION = "$build/tests/integration/sock_integration --gtest_filter=-Checkpoint.*"
# All unit and integration tests: half a minute's work where they are not emulated. Left out is what reads
# the measured workloads, which are no part of the project; runtimes that are not on the disk, each of
# which fails to start for a minute; and what counts processor time, which passes in an emulated
# machine while the one around it does something else.
UNIT = ("$build/tests/unit/sock_unit --gtest_filter=-*Forklift*:*Runtimes.*:*CountsOnlyThePresentUser*"
        ":*CountsThrottling*")
# Of the whole, what differs with the place of the groups.
OF_CGROUPS = "--gtest_filter=Create.*:Exec.*:Groups.*:Lifecycle.*:Limits*"
STEPS = (
    Step("check", "$sockctl check", 60, printed=r"container\s.*started and ended"),
    Step("run", f"{LIMITED} python3 -c 'print(6 * 7)'", 60, printed=r"^42$"),
    Step("run-out-of-memory", f"{LIMITED} python3 -c 'print(len(bytes([1]) * (1 << 28)))'", 60, status=137,
         printed="memory limit"),
    Step("run-out-of-processes", f"{LIMITED} python3 -c '\n"
         "import os, signal\n"
         "try:\n    while os.fork(): pass\n    signal.pause()\nexcept BlockingIOError: print(\"refused\")'",
         60, printed="^refused$"),
    Step("run-in-a-service", f"$guest/in_service {LIMITED} python3 -c 'print(6 * 7)'", 60, printed=r"^42$",
         cgroups=("v2",)),
    Step("unit", UNIT, 900, "gtest"),
    Step("integration", INTEGRATION, 1800, "gtest"),
    Step("in-a-service", f"$guest/in_service {INTEGRATION} {OF_CGROUPS}", 300, "gtest", cgroups=("v2",)),
    Step("rootless", f"$guest/as_user {INTEGRATION} {OF_CGROUPS}", 300, "gtest", cgroups=("v2",)),
)


def shell(steps: tuple[Step, ...]) -> str:
    lines = []
    for step in steps:
        report = f" --gtest_output=json:$results/{step.name}.json" if step.format == "gtest" else ""
        lines.append(f"step {step.name} {step.seconds} {step.command}{report}")
    return "\n".join(lines) + "\n"


def judge(step: Step, results: dict[str, str]) -> list[Result]:
    """`results` are the files that the machine left, by name."""
    if f"{step.name}.status" not in results:
        return [Result(step.name, "failed", "the machine did not get to its end")]
    status = int(results[f"{step.name}.status"])
    log = results.get(f"{step.name}.log", "")
    if step.format == "plain":
        return [_judge_plain(step, status, log)]
    outcome = Outcome(status, timed_out=status == TIMED_OUT)
    found = formats.parse(step.format, step.name, outcome, log, results.get(f"{step.name}.json"))
    return [Result(f"{step.name}/{one.name}", one.status, one.output, one.seconds) for one in found]


KERNEL_FEATURES = {"detached_roots", "landlock_scopes", "clone3", "clone_into_cgroup", "cgroup_kill",
                   "proc_from_outside"}


def judge_features(check: str, missing: set[str]) -> Result:
    """What `sockctl check` finds missing must be what the kernel is known to lack: the tests skip by it."""
    found = set(re.findall(r"^(\w+)\s+degraded\s+missing", check, re.MULTILINE)) & KERNEL_FEATURES
    if found == missing:
        return Result("features", "passed")
    return Result("features", "failed", f"missing: {sorted(found)}, not {sorted(missing)}")


def _judge_plain(step: Step, status: int, log: str) -> Result:
    if status != step.status:
        return Result(step.name, "failed", f"exit status {status}, not {step.status}\n{formats.tail(log)}")
    if not re.search(step.printed, log, re.MULTILINE):
        return Result(step.name, "failed", f"did not print {step.printed}\n{formats.tail(log)}")
    return Result(step.name, "passed")
