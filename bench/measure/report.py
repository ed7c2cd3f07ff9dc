"""Rows of figures, and tables of rows for people and for the README."""

from dataclasses import dataclass, field
from statistics import median

from measure.cpu import CpuTime
from measure.peers import REFERENCE, SOCK, Peer
from measure.samples import Rounds, median_interval, pooled, ratio_interval, tail

LATENCY_HEAD = ("name", "median us", "p90", "p99", "min", "95% CI", "ratio to sock", "goal", "reached?")


@dataclass
class Measured:
    """What a run has found out about one peer."""

    peer: Peer
    rounds: Rounds
    rates: dict[int, list[float]]  # lives per second by number of creators
    stages: dict[str, float]
    failure: str = ""
    cpu: CpuTime = field(default_factory=CpuTime)  # of the machine, while rates were measured

    def median(self) -> float:
        return median(pooled(self.rounds))


def _verdict(reached: bool, value: str) -> str:
    return f"{'yes' if reached else 'NO'} ({value})"


def _latency_row(one: Measured, sock: Measured | None) -> tuple[str, ...]:
    if not one.rounds:
        return (one.peer.name, one.peer.missing or one.failure, "", "", "", "", "", "", "")
    values = pooled(one.rounds)
    low, high = median_interval(one.rounds)
    ratio = goal = verdict = ""
    if sock and sock.rounds:
        times = one.median() / sock.median()
        below, above = ratio_interval(one.rounds, sock.rounds)
        ratio = f"{times:.2f} [{below:.2f}, {above:.2f}]"
        if one.peer.name == REFERENCE:
            verdict = _verdict(1 / times <= one.peer.goal, f"{1 / times:.2f}x of it")
        elif one.peer.goal:
            verdict = _verdict(times >= one.peer.goal, f"{times:.1f}x")
    if one.peer.goal:
        goal = (f"within {one.peer.goal}x" if one.peer.name == REFERENCE
                else f"{one.peer.goal:g}x faster")
    return (one.peer.name, f"{median(values):.0f}", tail(values, 0.9), tail(values, 0.99), f"{min(values):.0f}", f"{low:.0f} .. {high:.0f}", ratio, goal, verdict)


def latency_rows(results: list[Measured]) -> list[tuple[str, ...]]:
    sock = next((one for one in results if one.peer.name == SOCK), None)
    return [LATENCY_HEAD] + [_latency_row(one, sock) for one in results]


def rate_rows(results: list[Measured]) -> list[tuple[str, ...]]:
    """Containers per second, and the goal of sock against the reference for two creators and up."""
    measured = [one for one in results if one.rates]
    creators = sorted({count for one in measured for count in one.rates})
    rows = [("containers per second", *(f"{count} creators" for count in creators))]
    rows += [(one.peer.name, *(f"{median(one.rates[count]):.0f}" if count in one.rates else ""
                               for count in creators)) for one in measured]
    found = {one.peer.name: one.rates for one in measured}
    if SOCK in found and REFERENCE in found:
        limit = next(one.peer.rate_goal for one in measured if one.peer.name == REFERENCE)
        ratios = [median(found[SOCK][count]) / median(found[REFERENCE][count]) for count in creators]
        rows.append((f"sock to reference, goal {limit}x", *(
            f"{ratio:.2f}x" if count == 1 else _verdict(ratio >= limit, f"{ratio:.2f}x")
            for count, ratio in zip(creators, ratios))))
    return rows


def stage_rows(results: list[Measured]) -> list[tuple[str, ...]]:
    """The same step of sock and of the reference side by side: where the difference is."""
    found = {one.peer.name: one.stages for one in results if one.stages}
    names = list(dict.fromkeys(stage for stages in found.values() for stage in stages))
    rows = [("stage, median us", *found)] + [
        (name, *(f"{stages[name]:.1f}" if name in stages else "" for stages in found.values()))
        for name in names]
    shares = {one.peer.name: one.cpu.kernel_share() for one in results if one.stages}
    return rows + [("the machine's CPU time, in the kernel", *("" if share is None else f"{share:.0%}" for share in shares.values()))]


def plain(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
             for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def markdown(rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" + "|--:" * (len(rows[0]) - 1) + "|", *lines[1:]])
