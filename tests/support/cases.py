"""Suites of Python functions, each with a world of its own, in the Test Anything Protocol."""

import os
import sys
import traceback
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
SOCKCTL = os.environ.get("SOCKCTL") or str(
    PROJECT / os.environ.get("SOCK_BUILD_DIR", "build/debug") / "tools/sockctl/sockctl")


class Failed(Exception):
    """What a test has found wrong."""


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failed(what or "what is expected")  # An empty text would say that all is well.


def attempt(test, make_world) -> str:
    """Empty, or what is wrong."""
    try:
        world = make_world()
        try:
            test(world)
        finally:
            world.close()
    except Failed as failure:
        return str(failure)
    except Exception:  # noqa: BLE001 - one test's surprise must not end the others
        return traceback.format_exc().strip().replace("\n", " | ")
    return ""


def run_cases(tests: list, make_world) -> int:
    """All of them, or those that the command line names; the exit status."""
    wanted = set(sys.argv[1:])
    chosen = [test for test in tests if not wanted or test.__name__ in wanted]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, test in enumerate(chosen, 1):
        wrong = attempt(test, make_world)
        name = test.__name__.replace("_", " ")
        # A hash sign would begin a directive.
        print(f"ok {number} - {name}" if not wrong else f"not ok {number} - {name}: {wrong.replace('#', '')}",
              flush=True)
        failed += bool(wrong)
    return 1 if failed else 0
