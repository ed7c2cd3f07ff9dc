#!/usr/bin/env python3
"""Compares two builds or two reports: what became slower, and whether that is luck.

OLD and NEW are two directories of scripts/build (build/release of two checkouts), which are measured in turn, or
two of scripts/bench (bench-report), or two files that a program of bench/ has written (--json).
A difference counts when it is larger than the threshold and the Mann-Whitney U test on the medians
of the rounds gives p < 0.01. Exit status: 1 if something became slower like that, else 0.
Two runs on a machine that others use differ by more than one run's interval shows: compare two builds, or take
both runs in turn and compare ratios to the reference first (--relative).
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
from measure import two_builds  # noqa: E402
from measure.peers import REFERENCE  # noqa: E402
from measure.report import plain  # noqa: E402
from measure.samples import Rounds, independent_ratio_interval, mann_whitney, pooled, ratio_interval  # noqa: E402

HEAD = ("name", "old", "new", "new / old", "95% CI", "p", "verdict")
ROUNDS = 24
CONTAINERS = ("peers", "sets", "ways", "found")  # Keys that name nothing.


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/compare.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--threshold", type=float, default=5, metavar="PERCENT",
                        help="smaller differences never count (default: 5)")
    parser.add_argument("--relative", action="store_true",
                        help="of bench/peers: compare multiples of the C reference of the same round, not times")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of two builds (default: %(default)s)")
    return parser.parse_args()


def rounds_in(data: object, where: tuple[str, ...] = ()) -> dict[str, Rounds]:
    """Everything in a program's JSON that has been measured in rounds, by a name made of where it stands."""
    found: dict[str, Rounds] = {}
    if isinstance(data, dict):
        if data.get("rounds"):
            found[": ".join(where)] = data["rounds"]
        for key, value in data.items():
            found |= rounds_in(value, where if key in CONTAINERS else (*where, key))
    elif isinstance(data, list):
        for item in data:
            name = item.get("name") or item.get("count") if isinstance(item, dict) else None
            found |= rounds_in(item, (*where, str(name))) if name else {}
    return found


def load(path: Path, relative: bool) -> dict[str, Rounds]:
    files = sorted((path / "data").glob("*.json")) if path.is_dir() else [path]
    if not files:
        sys.exit(f"compare: nothing to compare in {path} (hint: build/release, bench-report, or a file of --json)")
    found: dict[str, Rounds] = {}
    for file in files:
        data = json.loads(file.read_text())
        here = multiples(data, file) if relative else rounds_in(data)
        found |= {f"{file.stem}: {name}" if path.is_dir() else name: rounds for name, rounds in here.items()}
    return found


def multiples(data: dict, path: Path) -> dict[str, Rounds]:
    found = rounds_in({"peers": data.get("peers", {})})
    if not found:
        return {}
    if REFERENCE not in found:
        sys.exit(f"compare: {path} has no {REFERENCE} (hint: leave --relative out)")
    yardstick = [median(one_round) for one_round in found[REFERENCE]]
    return {name: [[duration / unit for duration in one_round]
                   for one_round, unit in zip(rounds, yardstick)]
            for name, rounds in found.items() if name != REFERENCE}


def compare(name: str, old: Rounds, new: Rounds, threshold: float, interval) -> tuple[tuple[str, ...], bool]:
    """A row of the table, and whether it is a regression."""
    before, after = median(pooled(old)), median(pooled(new))
    low, high = interval(new, old)
    p = mann_whitney([median(r) for r in old], [median(r) for r in new])
    significant = p < 0.01 and abs(after / before - 1) > threshold / 100
    verdict = ("SLOWER" if after > before else "faster") if significant else "same"
    row = (name, f"{before:.4g}", f"{after:.4g}", f"{after / before:.3f}", f"{low:.3f} .. {high:.3f}",
           f"{p:.2g}", verdict)
    return row, verdict == "SLOWER"


def main() -> int:
    options = arguments()
    builds = two_builds.is_build(options.old) and two_builds.is_build(options.new)
    if builds:
        pairs = two_builds.measure(options.old.resolve(), options.new.resolve(), options.rounds)
    else:
        old, new = (load(path, options.relative) for path in (options.old, options.new))
        pairs = {name: (rounds, new.get(name, [])) for name, rounds in old.items()}
    rows, regressed = [HEAD], False
    for name, (before, after) in pairs.items():
        if not after:
            rows.append((name, "", "", "", "", "", "only in the old one"))
            continue
        row, slower = compare(name, before, after, options.threshold, ratio_interval if builds else independent_ratio_interval)
        rows.append(row)
        regressed = regressed or slower
    print(plain(rows))
    return 1 if regressed else 0


if __name__ == "__main__":
    sys.exit(main())
