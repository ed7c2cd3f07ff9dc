"""How a cost grows: the exponent of a power law that is fitted to what was measured.

A cost that does not depend on n has the exponent 0, one that is proportional to it 1. The fit is on
logarithms, by Theil and Sen's estimator: the median of the slopes between all pairs of points, which one
disturbed point does not move. Costs have a part that is there at any n. Where it hides the growth, the slope
at the end tells (`last_slope`), and so does what is left without it, where that is more than noise
(`without_fixed`).
"""

import math
from itertools import combinations
from statistics import median

LINEAR = 1.0
TOLERANCE = 0.15
NOISE = 0.1  # of the fixed part
HEAD = ("grows as", "at the end as", "without the fixed part as")


def exponent(points: list[tuple[float, float]]) -> float | None:
    """Of y ~ n^exponent. None where fewer than three values of n are above zero."""
    logs = [(math.log(n), math.log(y)) for n, y in points if n > 0 and y > 0]
    if len({n for n, _ in logs}) < 3:
        return None
    return median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(logs, 2) if a[0] != b[0])


def last_slope(points: list[tuple[float, float]]) -> float | None:
    """The exponent of the three largest values of n alone: where it is going."""
    return exponent(sorted(points)[-3:])


def without_fixed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """By how much more than the fewest others cost, by how many more they are."""
    if not points:
        return []
    least, fixed = min(points)
    return [(n - least, y - fixed) for n, y in points if y - fixed > NOISE * fixed]


def is_above_linear(value: float | None) -> bool:
    return value is not None and value > LINEAR + TOLERANCE


def of_rates(points: list[tuple[float, float]]) -> str:
    """How long each of n takes, from how many all of them do in a second: with n CPUs or more it stays, with fewer
    it grows as n; more than that is contention."""
    return words([(n, n / rate) for n, rate in points if rate > 0])


def words(points: list[tuple[float, float]]) -> str:
    value = exponent(points)
    if value is None:
        return "too few points"
    above = is_above_linear(value) or is_above_linear(last_slope(points))
    return power(value) + (" WARNING: above linear" if above else "")


def power(value: float | None) -> str:
    return "" if value is None else f"n^{value:.2f}"


def label(points: list[tuple[float, float]]) -> str:
    """As words(), with the slope at the end where that is another."""
    value, last = exponent(points), last_slope(points)
    if value is None or last is None or abs(last - value) <= TOLERANCE:
        return words(points)
    return f"{words(points)}, {power(last)} at the end"


def columns(points: list[tuple[float, float]]) -> tuple[str, ...]:
    """As HEAD says."""
    return words(points), power(last_slope(points)), power(exponent(without_fixed(points)))
