"""Statistics of durations that were measured in rounds.

Durations of one round resemble one another (the same neighbours were busy), so rounds, not single
durations, are what is resampled and ranked: intervals come out wider, and honest.
"""

import math
import random
from collections.abc import Callable
from statistics import median

Rounds = list[list[float]]
RESAMPLES = 1000
FEW = 20  # values, of which a test is exact


def pooled(rounds: Rounds) -> list[float]:
    return [duration for one_round in rounds for duration in one_round]


def percentile(values: list[float], share: float) -> float:
    """The nearest rank: always a value that was measured."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def tail(values: list[float], share: float, digits: int = 0) -> str:
    """That percentile, where so many were measured that some are beyond it."""
    return f"{percentile(values, share):.{digits}f}" if round(len(values) * (1 - share), 6) >= 1 else ""


def _interval(count: int, statistic: Callable[[list[int]], float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a statistic over drawn rounds; the same every time."""
    generator = random.Random(1)
    drawn = sorted(statistic(generator.choices(range(count), k=count)) for _ in range(RESAMPLES))
    return drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES) - 1]


def median_interval(rounds: Rounds) -> tuple[float, float]:
    medians = [median(one_round) for one_round in rounds]
    return _interval(len(rounds), lambda drawn: median(medians[i] for i in drawn))


def ratio_interval(over: Rounds, under: Rounds) -> tuple[float, float]:
    """Of median(over) / median(under). Rounds measured side by side are drawn together, so that a
    slow minute of the machine does not count as a difference."""
    above = [median(one_round) for one_round in over]
    below = [median(one_round) for one_round in under]
    count = min(len(above), len(below))
    return _interval(
        count, lambda drawn: median(above[i] for i in drawn) / median(below[i] for i in drawn))


def independent_ratio_interval(over: Rounds, under: Rounds) -> tuple[float, float]:
    """As ratio_interval, for two runs that have nothing to do with each other."""
    generator = random.Random(1)
    above = [median(one_round) for one_round in over]
    below = [median(one_round) for one_round in under]
    drawn = sorted(median(generator.choices(above, k=len(above))) /
                   median(generator.choices(below, k=len(below))) for _ in range(RESAMPLES))
    return drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES) - 1]


def _ranks(values: list[float]) -> tuple[list[float], float]:
    """Ranks from 1, ties sharing their mean, and the sum of t^3 - t over groups of t ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, ties, start = [0.0] * len(values), 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for position in order[start:end]:
            ranks[position] = (start + 1 + end) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    return ranks, ties


def _ways_of_u(m: int, n: int) -> list[int]:
    """In how many orders of m and n values U is 0, 1, ... m*n: a Gaussian binomial's coefficients."""
    ways = [1] + [0] * (m * n)
    for i in range(1, m + 1):
        for at in range(m * n, n + i - 1, -1):
            ways[at] -= ways[at - n - i]
        for at in range(i, m * n + 1):
            ways[at] += ways[at - i]
    return ways


def mann_whitney(left: list[float], right: list[float]) -> float:
    """The two-sided p of the Mann-Whitney U test: exact where no values are equal and there are few; else the normal
    approximation, corrected for ties and for continuity (Mann and Whitney 1947; Lehmann, Nonparametrics, section 1.2)."""
    m, n = len(left), len(right)
    ranks, ties = _ranks(left + right)
    u = sum(ranks[:m]) - m * (m + 1) / 2
    total = m + n
    if ties == 0 and m > 0 and n > 0 and max(m, n) <= FEW:
        ways = _ways_of_u(m, n)
        return min(1.0, 2 * sum(ways[:int(min(u, m * n - u)) + 1]) / sum(ways))
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1))) if total > 1 else 0.0
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(u - m * n / 2) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))
