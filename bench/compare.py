#!/usr/bin/env python3
"""Compares two files of bench/peers --json: what became slower, and whether that is luck.

A difference counts when it is larger than the threshold and the Mann-Whitney U test on the medians
of the rounds gives p < 0.01. Exit status: 1 if something became slower like that, else 0.
Two runs on a machine that others use differ by more than one run's interval shows: take both runs
in turn, and compare ratios to the reference first (--relative).
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
from measure.peers import REFERENCE  # noqa: E402
from measure.report import plain  # noqa: E402
from measure.samples import Rounds, independent_ratio_interval, mann_whitney, pooled  # noqa: E402

HEAD = ("name", "old", "new", "new / old", "95% CI", "p", "verdict")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/compare.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--threshold", type=float, default=5, metavar="PERCENT",
                        help="smaller differences never count (default: 5)")
    parser.add_argument("--relative", action="store_true",
                        help="compare multiples of the C reference of the same round, not times")
    return parser.parse_args()


def load(path: Path, relative: bool) -> dict[str, Rounds]:
    peers = json.loads(path.read_text())["peers"]
    found = {name: peer["rounds"] for name, peer in peers.items() if peer["rounds"]}
    if not relative:
        return found
    if REFERENCE not in found:
        sys.exit(f"compare: {path} has no {REFERENCE} (hint: leave --relative out)")
    yardstick = [median(one_round) for one_round in found[REFERENCE]]
    return {name: [[duration / unit for duration in one_round]
                   for one_round, unit in zip(rounds, yardstick)]
            for name, rounds in found.items() if name != REFERENCE}


def compare(name: str, old: Rounds, new: Rounds, threshold: float) -> tuple[tuple[str, ...], bool]:
    """A row of the table, and whether it is a regression."""
    before, after = median(pooled(old)), median(pooled(new))
    low, high = independent_ratio_interval(new, old)
    p = mann_whitney([median(r) for r in old], [median(r) for r in new])
    significant = p < 0.01 and abs(after / before - 1) > threshold / 100
    verdict = ("SLOWER" if after > before else "faster") if significant else "same"
    row = (name, f"{before:.4g}", f"{after:.4g}", f"{after / before:.3f}", f"{low:.3f} .. {high:.3f}",
           f"{p:.2g}", verdict)
    return row, verdict == "SLOWER"


def main() -> int:
    options = arguments()
    old, new = (load(path, options.relative) for path in (options.old, options.new))
    rows, regressed = [HEAD], False
    for name in old:
        if name not in new:
            rows.append((name, "", "", "", "", "", "only in the old file"))
            continue
        row, slower = compare(name, old[name], new[name], options.threshold)
        rows.append(row)
        regressed = regressed or slower
    print(plain(rows))
    return 1 if regressed else 0


if __name__ == "__main__":
    sys.exit(main())
