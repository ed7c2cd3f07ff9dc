"""From what a test program printed to a list of results. Pure: no processes, no clock.

Each parser also judges the program itself: one that failed although all its tests passed, died,
or ran fewer tests than it announced, yields a failed result that says so.
"""

import json
import re
from dataclasses import dataclass

from testing.process import Outcome

TAIL_LINES = 60


@dataclass(frozen=True)
class Result:
    name: str
    status: str  # passed, failed or skipped
    output: str = ""  # why it failed or was skipped
    seconds: float = 0.0


def tail(text: str, lines: int = TAIL_LINES) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])


def parse(kind: str, program: str, outcome: Outcome, log: str, report: str | None) -> list[Result]:
    """`report` is the content of the file that a gtest program was asked to write."""
    if kind == "plain":
        return [_program(program, outcome, log)]
    results = _tap(outcome, log) if kind == "tap" else _gtest(outcome, log, report)
    if not outcome.ok and not any(result.status == "failed" for result in results):
        results.append(_program(program, outcome, log))
    elif not results:
        results.append(Result(program, "failed", "no test was executed\n" + tail(log)))
    elif all(result.status == "skipped" for result in results):
        results.append(Result(program, "failed", "every test was skipped, so nothing was tested"))
    return results


def _program(program: str, outcome: Outcome, log: str) -> Result:
    if outcome.ok:
        return Result(program, "passed")
    return Result(program, "failed", f"{outcome}\n{tail(log)}")


# --- GoogleTest -----------------------------------------------------------------------------


def _gtest(outcome: Outcome, log: str, report: str | None) -> list[Result]:
    try:
        suites = json.loads(report or "")["testsuites"]
    except (ValueError, KeyError):
        return _gtest_crash(outcome, log)
    tests = [test for suite in suites for test in suite.get("testsuite", [])]
    return [_gtest_result(test, log) for test in tests if test.get("status") == "RUN"]


def _gtest_result(test: dict, log: str) -> Result:
    name = f"{test['classname']}.{test['name']}"
    seconds = float(test.get("time", "0s").rstrip("s"))
    if test.get("failures"):
        printed = _gtest_section(name, log)
        messages = "\n".join(failure["failure"] for failure in test["failures"])
        return Result(name, "failed", printed or messages, seconds)
    if test.get("result") == "SKIPPED":
        return Result(name, "skipped", _gtest_skip_reason(_gtest_section(name, log)), seconds)
    return Result(name, "passed", "", seconds)


def _gtest_section(name: str, log: str) -> str:
    """What was printed while the test ran."""
    body = re.escape(name)
    found = re.search(
        rf"^\[ RUN      \] {body}\n(.*?)^\[ +(?:OK|FAILED|SKIPPED) +\] {body}\b",
        log, re.MULTILINE | re.DOTALL,
    )
    return tail(found[1]) if found else ""


def _gtest_skip_reason(section: str) -> str:
    # "file:line: Skipped" comes first, then the message.
    lines = [line for line in section.splitlines() if line and not line.endswith(": Skipped")]
    return " ".join(lines)


def _gtest_crash(outcome: Outcome, log: str) -> list[Result]:
    """No report: the program died. What had ended before still counts."""
    results = [Result(name, "passed") for name in re.findall(r"^\[ +OK \] (\S+)", log, re.M)]
    results += [
        Result(name, "failed", _gtest_section(name, log))
        # The closing summary repeats the names, but a crash never gets there.
        for name in re.findall(r"^\[  FAILED  \] (\S+)", log, re.M)
    ]
    started = re.findall(r"^\[ RUN      \] (\S+)", log, re.M)
    last = started[-1] if started else "before the first test"
    why = f"{outcome}, no report written; the last test running was {last}"
    return [*results, Result(last, "failed", f"{why}\n{tail(log)}")]


# --- Test Anything Protocol -----------------------------------------------------------------

_TAP_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?\s*$", re.I)
_TAP_LINE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*?)(?:\s+#\s*(skip|todo)\S*\s*(.*))?$", re.I)


def _tap(outcome: Outcome, log: str) -> list[Result]:
    results: list[Result] = []
    planned = None
    for line in log.splitlines():
        if plan := _TAP_PLAN.match(line):
            planned = int(plan[1])
            if planned == 0:
                return [Result("all tests", "skipped", plan[2] or "no reason given")]
        elif test := _TAP_LINE.match(line):
            results.append(_tap_result(test, len(results) + 1))
        elif results and results[-1].status == "failed":
            # Diagnostics follow the test that they explain.
            last = results[-1]
            results[-1] = Result(last.name, "failed", tail(f"{last.output}\n{line}".lstrip("\n")))
    ran = len(results)
    if planned is None:
        results.append(Result("TAP plan", "failed", f"{outcome}, no plan printed\n{tail(log)}"))
    elif ran != planned:
        why = f"{outcome}: {planned} tests announced, {ran} reported"
        results.append(Result("TAP plan", "failed", f"{why}\n{tail(log)}"))
    return results


def _tap_result(test: re.Match, number: int) -> Result:
    failed, name, directive = test[1], test[3] or f"test {number}", (test[4] or "").lower()
    if directive == "skip":
        return Result(name, "skipped", test[5] or "")
    if failed and directive == "todo":
        return Result(name, "skipped", f"to do: {test[5]}")
    return Result(name, "failed" if failed else "passed")
