"""KEY and TTY: keyrings, and typing into the terminal of whoever started us."""

import os

from engine import outcomes
from model import UNCONFINED, USER, Control, Probe, Scenario, check

TERMINAL = ("-i", "-t")


def _on_terminal(starter, options: tuple[str, ...]) -> str:
    """sockctl's own terminal is a new one; what arrives at its input would be read here."""
    master, slave = os.openpty()
    try:
        result = starter.payload(USER, (*TERMINAL, *options), ["TTY-01"], stdin=slave)
        # An injected "!" is echoed, in front of the verdict.
        return result.stdout.replace("\r", "").replace("!", "")
    finally:
        os.close(master)
        os.close(slave)


def injection(world, starter) -> str:
    said = outcomes(_on_terminal(starter, ())).get("TTY-01", "silence")
    check(said.startswith("BLOCKED"), said)
    weak = outcomes(_on_terminal(starter, UNCONFINED)).get("TTY-01", "silence")
    check(weak.startswith("ALLOWED"), f"the control cannot inject either: {weak}")
    return f"{said}; without the filter {weak}"


TESTS = [
    Probe("KEY-01", "no keyrings", Control(UNCONFINED), "URZ", errors=frozenset({"EPERM"})),
    Scenario("TTY-01", "no input is injected into a terminal", injection),
]
