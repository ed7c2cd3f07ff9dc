"""How often everything is measured: in full rounds only, and in no more than there is time for."""

import argparse
import time
from collections.abc import Iterator
from math import inf


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--within", type=float, default=inf, metavar="SECONDS",
                        help="begin no round that would most likely end after that (default: make all rounds)")


def rounds(most: int, seconds: float = inf, least: int = 1) -> Iterator[int]:
    """Their numbers, up to `most`. A round is taken to last as long as the one before it; `least` are made in any case."""
    begin = before = time.monotonic()
    for number in range(most):
        now = time.monotonic()
        if number >= max(1, least) and now - begin + (now - before) > seconds:
            return
        before = now
        yield number
