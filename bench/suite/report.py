"""Writes report.md, and report.html with everything inside."""

import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from measure import machine, specification
from measure.report import markdown
from measure.specification import Judgement
from suite import figures, page
from suite.parts import PROJECT
from suite.run import Outcome, failures_in, say

SHOWN = 4  # of what was left behind


@dataclass
class Report:
    size: str
    seconds: float
    before: float  # seconds of installing, building and making images
    busy: float  # share of the CPUs that others had before the run
    machine: dict[str, str]
    outcomes: list[Outcome]
    left_behind: list[str]
    judgements: list[Judgement]
    plot_failures: list[str] = field(default_factory=list)

    def failures(self) -> list[str]:
        return [f"{one.part.name}: {one.failure}" for one in self.outcomes if one.failure] + self.plot_failures

    def warnings(self) -> list[str]:
        found = [warning] if (warning := machine.noise_warning(self.busy)) else []
        if noisy := [f"{one.part.name} {one.busy:.0%}" for one in self.outcomes if one.busy > machine.NOISY_SHARE]:
            found.append(f"WARNING: others used the CPUs right before these: {', '.join(noisy)}")
        if stolen := [f"{one.part.name} {one.stolen:.0%}" for one in self.outcomes if one.stolen > machine.MOST_STOLEN]:
            found.append(f"WARNING: the hypervisor gave CPU time to others during these: {', '.join(stolen)}")
        return found


def commit() -> str:
    done = subprocess.run(["git", "-C", str(PROJECT), "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown"


def describe_machine(busy: float) -> dict[str, str]:
    return {**machine.describe(), **machine.describe_more(), **machine.versions(), "sock": commit(),
            "used by others before": f"{busy:.0%} of the CPUs", "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def as_markdown(printed: str) -> str:
    """What a part has printed: its tables as they are, anything else as it stood there."""
    out: list[str] = []
    kind = ""
    for line in printed.strip().splitlines():
        now = "table" if line.startswith("|") else "text" if line.strip() or kind == "text" else ""
        if now != kind:
            out += ["```"] if kind == "text" else [""]
            out += ["", "```"] if now == "text" else [""]
        kind = now
        out.append(line)
    return "\n".join([*out, "```"] if kind == "text" else out)


def section(report: Report, outcome: Outcome, directory: Path) -> list[str]:
    part = outcome.part
    lines = [f"## {part.title}", "", part.question, ""]
    if outcome.left_out:
        return [*lines, f"Left out: {outcome.left_out}.", ""]
    lines += ["```", shlex.join(outcome.command), "```", "", f"It took {outcome.seconds:.0f} s. Before it, others used {outcome.busy:.0%} of the CPUs."]
    if outcome.failure:
        lines += ["", f"**WARNING: this part failed: {outcome.failure}.** What it has said until then:"]
    judged = [one for one in report.judgements if one.promise.program == part.name]
    if judged:
        lines += ["", markdown(escaped(specification.rows(judged)))]
    for file, caption in draw(report, outcome, directory / "plots"):
        lines += ["", f"![{caption.split('. ')[0]}](plots/{file})", "", caption]
    return [*lines, "", as_markdown(outcome.printed), "", *commands(outcome.data), ""]


def commands(data: object) -> list[str]:
    """Of everything in a part's figures that was another program, each once."""
    found = dict.fromkeys(commands_in(data))
    return ["What was run:", "", "```", *found, "```"] if found else []


def commands_in(data: object) -> Iterator[str]:
    if isinstance(data, dict):
        if data.get("name") and isinstance(data.get("command"), list):
            yield f"{data['name']}: {shlex.join(map(str, data['command']))}"
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            if isinstance(item, (dict, list)):
                yield from commands_in(item)


def escaped(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]


def draw(report: Report, outcome: Outcome, directory: Path) -> figures.Shown:
    """A plot that cannot be made is named, and costs the report nothing else."""
    if not outcome.data:
        return []
    try:
        return figures.DRAW[outcome.part.name](outcome.data, directory)
    except (KeyError, ValueError, OSError, subprocess.CalledProcessError) as error:
        report.plot_failures.append(f"{outcome.part.name}: no plot: {error!r} (hint: gnuplot comes with scripts/install-packages)")
        say(report.plot_failures[-1])
        return []


def counted_failures(report: Report) -> list[str]:
    return [f"{one.part.name}: {failure}" for one in report.outcomes for failure in failures_in(one.data)]


def summary(report: Report) -> list[str]:
    lines = [f"# sock, measured: a {report.size} run", "",
             "All of it in one run on one machine, ways in turn, by `scripts/bench"
             + ("" if report.size == "full" else f" --{report.size}") + f"` in {report.seconds / 60:.1f} minutes, after {report.before / 60:.1f} of installing and building. "
             "How: `bench/README.md`. Ratios are what counts; times are this machine's.", ""]
    lines += [f"- {warning}" for warning in report.warnings()] or ["- Nobody else was using the machine, as far as could be seen."]
    lines += [f"- WARNING: {failure}" for failure in report.failures()]
    if report.left_behind:
        shown = "; ".join(report.left_behind[:SHOWN])
        lines += [f"- WARNING: by this run, or by others meanwhile: {shown}; in all {len(report.left_behind)} (data/run.json)"]
    if failures := counted_failures(report):
        lines += [f"- failed or missing, {failure}" for failure in failures]
    else:
        lines += ["- No single measurement failed."]
    held = sum(one.reached(one.promise.goal) for one in report.judgements)
    measured = sum(one.value is not None for one in report.judgements)
    lines += ["", "## Promises", "", f"{held} of {measured} that were measured are held, of {len(report.judgements)}; "
              "the table is `bench/SPECIFICATION.md`.", "", markdown(escaped(specification.rows(report.judgements, specification.read_reasons()))), ""]
    return [*lines, "## The machine", "", markdown(escaped([("machine", ""), *report.machine.items()])), ""]


def write(report: Report, directory: Path) -> None:
    sections = [line for outcome in report.outcomes for line in section(report, outcome, directory)]
    text = "\n".join([*summary(report), *sections]) + "\n"
    (directory / "report.md").write_text(text)
    (directory / "report.html").write_text(page.render(text, directory, "sock, measured"))
