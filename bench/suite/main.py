"""The command line of scripts/bench."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from measure import machine, specification
from measure.specification import Judgement
from suite import report, run
from suite.parts import FULL, PARTS, PROJECT, QUICK, SMOKE
from testing import leftovers

DESCRIPTION = """Runs everything in bench/ in one run, and writes a report of it: DIR/report.md and DIR/report.html, with plots
in DIR/plots and all figures as JSON in DIR/data. Before that it installs what it compares with, builds, and makes
images: a quarter of an hour in an empty clone. As root. Exit status: 1 if a part failed, or, with --check, if a promise of
bench/SPECIFICATION.md does not hold."""


def arguments() -> argparse.Namespace:
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="scripts/bench", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", dest="size", action="store_const", const=QUICK, default=FULL,
                        help="within ten minutes (without: within an hour)")
    parser.add_argument("--smoke", dest="size", action="store_const", const=SMOKE,
                        help="only whether everything works: figures mean nothing")
    parser.add_argument("--check", action="store_true", help="name the promises that do not hold, and fail")
    parser.add_argument("--regressions", action="store_true",
                        help="with --check: judge by what no change may fall behind, not by the goals")
    parser.add_argument("--promised", action="store_true", help="only the parts that a promise is of")
    parser.add_argument("--only", nargs="+", choices=names, metavar="PART", help=f"only these: {', '.join(names)}")
    parser.add_argument("--out", type=Path, default=PROJECT / "bench-report", metavar="DIR", help="default: bench-report")
    parser.add_argument("--build", type=Path, default=PROJECT / "build/release", metavar="DIR",
                        help="where the programs were built (default: build/release, for which all is installed and built first)")
    parser.add_argument("--no-run", action="store_true", help="write the report again from what is in DIR/data")
    return parser.parse_args()


def judgements(outcomes: list[run.Outcome], left_behind: list[str]) -> list[Judgement]:
    data: dict[str, object] = {one.part.name: one.data for one in outcomes}
    data["suite"] = {"leftovers": [len(left_behind)]} if any(one.data for one in outcomes) else {}
    return [specification.judge(promise, data.get(promise.program)) for promise in specification.read()]


def broken(one: Judgement, regressions: bool) -> str:
    """How it does not hold; empty where it does, or where that was not measured: what was left out is not asked for."""
    bound = one.promise.limit if regressions else one.promise.goal
    if one.failure or bound is None or one.value is None:
        return one.failure
    if not (one.surely_missed(bound) if regressions else not one.reached(bound)):
        return ""
    return f"{specification.figure(one.value)} [{specification.figure(one.low)}, {specification.figure(one.high)}], not {bound}: {one.promise.what}"


def check(options: argparse.Namespace, judged: list[Judgement], data: Path) -> bool:
    """Prints a line for each promise that does not hold. A regression is one that a second measurement shows too: neighbours
    on the machine come and go."""
    found = [one for one in judged if broken(one, options.regressions)]
    if found and options.regressions and not options.no_run:
        for one in found:
            print(f"{one.promise.id}: {broken(one, True)} (measured again now)", flush=True)
        found = [one for one in measure_again(found, options, data / "again") if broken(one, True)]
    for one in found:
        print(f"{one.promise.id}: {broken(one, options.regressions)}")
    unmeasured = [one.promise.id for one in judged if one.value is None and not one.failure]
    if unmeasured:
        print(f"not measured: {', '.join(unmeasured)}")
    print(f"{len(found)} of {len(judged) - len(unmeasured)} promises that were measured do not hold")
    return not found and len(unmeasured) < len(judged)


def measure_again(found: list[Judgement], options: argparse.Namespace, directory: Path) -> list[Judgement]:
    """The parts that these promises are of; what is of no part, or cannot be had a second time, stays as it was."""
    directory.mkdir(exist_ok=True)
    programs = {one.promise.program for one in found}
    known = {part.name: run.run_part(part, options.size, directory, options.build).data for part in PARTS if part.name in programs}
    return [specification.judge(one.promise, data) if (data := known.get(one.promise.program)) else one for one in found]


def saved_outcomes(options: argparse.Namespace, data: Path) -> list[run.Outcome]:
    found = json.loads((data / "run.json").read_text())
    outcomes = []
    for part in PARTS:
        if (known := found["parts"].get(part.name)) is None or options.only and part.name not in options.only:
            continue
        outcome = run.Outcome(part, **known)
        if not outcome.left_out:
            if (file := data / f"{part.name}.txt").exists():
                outcome.printed = file.read_text(errors="replace")
            if (file := data / f"{part.name}.json").exists():
                outcome.data = json.loads(file.read_text())
        outcomes.append(outcome)
    return outcomes


def run_all(options: argparse.Namespace, data: Path, before: float) -> dict:
    """Runs the parts, and keeps what belongs to none of them in DIR/data/run.json."""
    start, busy, there = time.monotonic(), machine.busy_share(), leftovers.snapshot()
    promised = {promise.program for promise in specification.read()}
    parts = [part for part in PARTS if (not options.only or part.name in options.only)
             and (not options.promised or part.name in promised)]
    run.adopt_orphans()
    outcomes = [run.run_part(part, options.size, data, options.build) for part in parts]
    left_behind = run.reap_orphans()
    # Of processes only our own count. The rest cannot be told from what others make on this machine meanwhile.
    left_behind += [line for result in leftovers.compare(there) if result.status == "failed" and result.name != "processes"
                    for line in result.output.splitlines() if not line.startswith("gone")]
    kept = {"size": options.size, "seconds": time.monotonic() - start, "before": before, "busy": busy, "left_behind": left_behind,
            "machine": report.describe_machine(busy),
            "parts": {one.part.name: {"command": one.command, "seconds": one.seconds, "busy": one.busy, "stolen": one.stolen,
                                      "failure": one.failure, "left_out": one.left_out} for one in outcomes}}
    (data / "run.json").write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def main() -> int:
    options = arguments()
    if os.geteuid() != 0:
        print("bench: containers with limits, and what they are compared with, need root", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options.out, options.build = options.out.resolve(), options.build.resolve()
    data = options.out / "data"
    data.mkdir(parents=True, exist_ok=True)
    if not options.no_run:
        start = time.monotonic()
        if not run.prepare(options.build, options.size == FULL and (not options.only or "image_load" in options.only)):
            print(f"bench: not built: {options.build}", file=sys.stderr)
            return 2
        run_all(options, data, time.monotonic() - start)
    kept = json.loads((data / "run.json").read_text())
    outcomes = saved_outcomes(options, data)
    judged = judgements(outcomes, kept["left_behind"])
    written = report.Report(kept["size"], kept["seconds"], kept["before"], kept["busy"], kept["machine"], outcomes, kept["left_behind"], judged)
    report.write(written, options.out)
    print(f"report: {options.out / 'report.html'}")
    for failure in written.failures():
        print(f"failed: {failure}")
    held = check(options, judged, data) if options.check else True
    return 0 if held and not written.failures() else 1
