"""What is promised, as bench/SPECIFICATION.md says it, and whether a run holds it.

That file's table is the only place where a bound is written. A promise is a quotient of two figures of one
run (or one figure, where nothing is written below the line), found in the JSON of one program by a path.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measure.samples import Rounds, mann_whitney, ratio_interval

PLACE = Path(__file__).resolve().parent.parent / "SPECIFICATION.md"
COLUMNS = ("id", "promise", "program", "of", "than", "goal", "CI fails at")
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Bound:
    at_most: bool
    value: float

    def holds(self, value: float) -> bool:
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.value:g}"


@dataclass(frozen=True)
class Promise:
    id: str
    what: str
    program: str
    of: str
    than: str  # empty: the figure itself is judged
    goal: Bound
    limit: Bound | None  # looser: what a change may not fall behind


@dataclass(frozen=True)
class Judgement:
    promise: Promise
    value: float | None = None  # None: not measured
    low: float = 0
    high: float = 0
    p: float | None = None  # of the Mann-Whitney test: that the two do not differ
    failure: str = ""  # why not, where one of the two failed

    def reached(self, bound: Bound) -> bool:
        return self.value is not None and bound.holds(self.value)

    def surely_missed(self, bound: Bound) -> bool:
        """Not even the end of the interval that is nearest to it holds the bound."""
        return self.value is not None and not (bound.holds(self.low) or bound.holds(self.high))

    def verdict(self) -> str:
        if self.value is None:
            return f"NOT reached: {self.failure}" if self.failure else NOT_MEASURED
        reached, goal = self.reached(self.promise.goal), self.promise.goal
        noisy = goal.holds(self.low) != goal.holds(self.high)
        return ("reached" if reached else "NOT reached") + (", within the noise" if noisy else "")


def parse_bound(text: str) -> Bound | None:
    """`<= 1.15` or `>= 8`; a dash for none."""
    if text in ("", "-", "–", "—"):
        return None
    found = re.fullmatch(r"(<=|≤|>=|≥)\s*([\d.,]+)", text)
    if not found:
        raise ValueError(f"not a bound: {text!r} (hint: <= 1.15)")
    return Bound(found[1] in ("<=", "≤"), float(found[2].replace(",", "")))


def cells_of(line: str) -> list[str]:
    """The cells of a row of a Markdown table; `\\|` is a bar inside one."""
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


def parse(text: str) -> list[Promise]:
    promises: list[Promise] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = cells_of(line)
        if tuple(cells) == COLUMNS:
            inside = True
        elif inside and not set(cells[0]) <= set("-:"):
            promises.append(_promise(cells))
    names = [promise.id for promise in promises]
    if len(set(names)) != len(names):
        raise ValueError("two promises have one id")
    return promises


def _promise(cells: list[str]) -> Promise:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} columns instead of {len(COLUMNS)}: {cells}")
    goal = parse_bound(cells[5])
    if goal is None:
        raise ValueError(f"{cells[0]} has no goal")
    of, than = (cell.strip("`") for cell in cells[3:5])
    return Promise(cells[0], cells[1], cells[2], of, "" if than in ("-", "–", "—") else than, goal, parse_bound(cells[6]))


def parse_reasons(text: str) -> dict[str, str]:
    """Of lists such as "- `id`, `id`: why"."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if listed := re.fullmatch(r"- ((?:`[\w-]+`(?:, )?)+): (.*)", line):
            found |= {name: listed[2] for name in re.findall(r"`([\w-]+)`", listed[1])}
    return found


def read() -> list[Promise]:
    return parse(PLACE.read_text())


def read_reasons() -> dict[str, str]:
    return parse_reasons(PLACE.read_text())


def goal(promise_id: str) -> float:
    return next(promise.goal.value for promise in read() if promise.id == promise_id)


def find(data: object, path: str) -> list[object]:
    """What a path leads to: a key of an object, or each item of a list that has this name. Names may have a
    slash in them, so that the longest name that is there is taken."""
    if not path:
        return [data]
    parts = path.split("/")
    for count in range(len(parts), 0, -1):
        name, rest = "/".join(parts[:count]), "/".join(parts[count:])
        if isinstance(data, dict) and name in data:
            return find(data[name], rest)
        if isinstance(data, list) and (named := [item for item in data if isinstance(item, dict) and item.get("name") == name]):
            return [found for item in named for found in find(item, rest)]
    return []


def rounds_at(data: object, path: str) -> Rounds:
    """A figure as rounds: those of a way, or single values, each a round of its own."""
    found = find(data, path)
    if len(found) == 1 and isinstance(found[0], dict):
        found = [found[0].get("rounds", [])]
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    rounds = [item if isinstance(item, list) else [item] for item in found]
    return [one for one in rounds if one and all(isinstance(value, (int, float)) for value in one)]


def judge(promise: Promise, data: object) -> Judgement:
    """`data` is what the promise's program has measured; None if it has not run."""
    if failure := _failure(data, promise.of) or _failure(data, promise.than):
        return Judgement(promise, failure=failure)  # Whatever it has measured until then.
    above = rounds_at(data, promise.of)
    below = rounds_at(data, promise.than) if promise.than else [[1.0]] * len(above)
    if not above or not below or not median(_pooled(below)):
        return Judgement(promise)
    value = median(_pooled(above)) / median(_pooled(below))
    low, high = ratio_interval(above, below)
    p = mann_whitney([median(one) for one in above], [median(one) for one in below]) if promise.than else None
    return Judgement(promise, value, low, high, p)


def _failure(data: object, path: str) -> str:
    """Of something that was tried, or of what it belongs to; what is not installed has not failed."""
    parts = path.split("/") if path else []
    for count in range(len(parts), 0, -1):
        for item in find(data, "/".join(parts[:count])):
            if said := failure_of(item):
                return said
    return ""


def failure_of(item: object) -> str:
    """Of a way; or of a repetition, as Google Benchmark says it."""
    if not isinstance(item, dict):
        return ""
    if item.get("error_occurred"):
        return f"failed: {item.get('error_message', '')}"
    said = item.get("failure", "")
    return said if isinstance(said, str) and said.startswith("failed") else ""


def _pooled(rounds: Rounds) -> list[float]:
    return [value for one in rounds for value in one]


def rows(judgements: list[Judgement], reasons: dict[str, str] | None = None) -> list[tuple[str, ...]]:
    table = [("id", "promise", "measured", "95% CI", "p of no difference", "goal", "verdict")]
    for one in judgements:
        measured = ("", "") if one.value is None else (figure(one.value), f"{figure(one.low)} .. {figure(one.high)}")
        measured += ("" if one.p is None else f"{one.p:.2g}",)
        table.append((one.promise.id, one.promise.what, *measured, str(one.promise.goal), one.verdict() + why(one, reasons or {})))
    return table


def why(one: Judgement, reasons: dict[str, str]) -> str:
    if one.value is None or one.reached(one.promise.goal) or one.promise.id not in reasons:
        return ""
    return f": {reasons[one.promise.id]}"


def figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
