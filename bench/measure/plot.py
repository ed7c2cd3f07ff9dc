"""Plots as SVG, by gnuplot."""

import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Points = list[tuple[float, float]]
# Told apart by most people, whatever colours they see; in this order.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#8a8a00", "#b2182b",
           "#4d4d4d", "#a6761d", "#66c2a5", "#bdbdbd")
WIDE = 30  # letters of a name: two of them are not beside one another in a legend
SMALL_SHARE = 0.02  # of a bar: stages that are nowhere longer are put together


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot: the median, its interval, and what the slowest took; NaN: not known."""

    label: str
    middle: float
    low: float
    high: float
    p90: float
    p99: float


@dataclass(frozen=True)
class Axes:
    title: str
    x: str
    y: str = ""


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tic_label(text: str) -> str:
    """gnuplot takes it for a format."""
    return quoted(text.replace("%", "%%"))


def _draw(path: Path, axes: Axes, size: tuple[int, int], lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = [f"set terminal svg size {size[0]},{size[1]} font 'DejaVu Sans,13' noenhanced background '#ffffff'",
            f"set output {quoted(str(path))}", f"set title {quoted(axes.title)}", f"set ylabel {quoted(axes.y)}",
            f"set xlabel {quoted(axes.x)[:-1]}\\n\"",  # An empty line between it and the legend.
            "set xlabel offset 0,0.4", "set grid linecolor '#dddddd'", "set border 3", "set tics nomirror"]
    script = "\n".join([*head, *lines]) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def _block(name: str, rows: list[tuple]) -> str:
    return "\n".join([f"${name} << E", *(" ".join(str(value) for value in row) for row in rows), "E"])


def line_plot(path: Path, title: str, x: str, y: str, lines: dict[str, Points], logarithmic: str = "",
              elsewhere: str = "") -> None:
    """Both axes from what was measured; x in steps of two. A single point is a level line. Dashed: a level, and the
    line that was measured elsewhere."""
    last = max(point[0] for points in lines.values() for point in points)
    first = min(point[0] for points in lines.values() for point in points)
    data, curves = [], []
    for number, (name, points) in enumerate(lines.items()):
        level = len(points) == 1 and last > first
        shown = [(first, points[0][1]), (last, points[0][1])] if level else points
        data.append(_block(f"d{number}", shown))
        style = "lines dashtype 2" if level or name == elsewhere else f"linespoints pointtype {number % 12 + 4} pointsize 0.7"
        curves.append(f"$d{number} using 1:2 with {style} linewidth 2 linecolor '{COLOURS[number % len(COLOURS)]}' title {quoted(name)}")
    columns = 2 if max(map(len, lines)) <= WIDE else 1
    key = 22 * -(-len(lines) // columns)
    _draw(path, Axes(title, x, y), (800, 460 + key), [
        *data, "set logscale x 2", *(["set logscale y 10"] if "y" in logarithmic else ["set yrange [0:*]"]),
        "set format x '%.0f'", "set offsets graph 0.02, graph 0.02, 0, 0", "set key outside bottom center horizontal maxcols %d" % columns,
        f"plot {', '.join(curves)}"])


def dot_plot(path: Path, title: str, x: str, dots: list[Dot], unit: str) -> None:
    """A row for each, from the top; the figure beside it is the median."""
    count = len(dots)
    rows = [(dot.middle, count - n, dot.low, dot.high, dot.p90, dot.p99) for n, dot in enumerate(dots)]
    figures = [f"set label {quoted(f'{_short(dot.middle)} {unit}')} at graph 1.02, first {count - n} left"
               for n, dot in enumerate(dots)]
    labels = ", ".join(f"{tic_label(dot.label)} {count - n}" for n, dot in enumerate(dots))
    least = min(min(dot.low, dot.middle) for dot in dots) * 0.6
    most = max(max(dot.high, dot.p90, dot.p99) for dot in dots) * 1.5  # In this order NaN is never the larger one.
    _draw(path, Axes(title, x), (900, 160 + 25 * count), [
        _block("d", rows), *figures, f"set label 'median' at graph 1.02, first {count + 0.9} left", "set title offset 0,0.8",
        "set rmargin 12", "set logscale x 10", f"set xrange [{least}:{most}]", f"set yrange [0.3:{count + 0.7}]",
        f"set ytics ({labels})", "set key outside bottom center horizontal maxcols 3 spacing 1.2",
        f"set xtics ({', '.join(f'{quoted(_plain(tic))} {tic}' for tic in tics(least, most))})", f"set lmargin {_margin(dots)}",
        f"plot {', '.join(_percentiles(dots))} "
        "$d using 1:2:3:4 with xerrorbars pointtype 7 pointsize 0.6 linewidth 2 linecolor '#0072b2' title 'median, 95 % CI'"])


def _percentiles(dots: list[Dot]) -> Iterator[str]:
    """Those that some of them have; the last one is empty, for the comma."""
    for values, column, style in (([dot.p90 for dot in dots], 5, "pointtype 2 pointsize 0.7 linecolor '#999999' title 'p90'"),
                                  ([dot.p99 for dot in dots], 6, "pointtype 8 pointsize 0.8 linecolor '#d55e00' title 'p99'")):
        if not all(map(math.isnan, values)):
            yield f"$d using {column}:2 with points {style}"
    yield ""


def stacked_plot(path: Path, title: str, x: str, bars: dict[str, dict[str, float]],
                 notes: dict[str, str] | None = None) -> None:
    """A bar for each, from the top, in stages from the left; short stages are put together. Notes stand beside bars."""
    notes = notes or {}
    names = shown_stages(bars)
    count, data, curves = len(bars), [], []
    at = {bar: 0.0 for bar in bars}
    for number, name in enumerate(names):
        rows = []
        for row, (bar, stages) in enumerate(bars.items()):
            length = stages.get(name, 0.0) if name != REST else sum(v for k, v in stages.items() if k not in names)
            y = count - row
            rows.append((at[bar] + length / 2, y, at[bar], at[bar] + length, y - 0.36, y + 0.36))
            at[bar] += length
        data.append(_block(f"d{number}", rows))
        curves.append(f"$d{number} using 1:2:3:4:5:6 with boxxyerror fillstyle solid 0.9 noborder "
                      f"fillcolor '{COLOURS[number % len(COLOURS)]}' title {quoted(name)}")
    longest = max(at.values())
    totals = [(at[bar], count - row, quoted(_short(at[bar]) + notes.get(bar, ""))) for row, bar in enumerate(bars)]
    labels = ", ".join(f"{tic_label(bar)} {count - row}" for row, bar in enumerate(bars))
    key_rows = -(-len(names) // 4)
    margin = max(len(bar) for bar in bars) + 2
    _draw(path, Axes(title, x), (900, 150 + 46 * count + 22 * key_rows), [
        *data, _block("totals", totals), f"set xrange [0:{longest * (1.5 if any(notes.values()) else 1.12)}]", f"set xtics {tic_step(longest)}", f"set yrange [0.4:{count + 0.6}]", f"set ytics ({labels})",
        "set key outside bottom center horizontal maxcols 4", f"set lmargin {margin}",
        f"plot {', '.join(curves)}, $totals using 1:2:3 with labels left offset 0.7,0 notitle"])


REST = "the rest"
MOST_TICS = 8  # As many figures have room below an axis beside long names.


def tics(least: float, most: float) -> list[float]:
    """For a logarithmic axis: powers of ten where there are enough, else 2 and 5 times them, else all."""
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    found = [float(f"{step}e{decade}") for decade in decades for step in range(1, 10)]
    all_inside = [tic for tic in found if least <= tic <= most]
    inside = [tic for tic in all_inside if f"{tic:e}"[0] in "125"]
    if len(inside) < 3:
        return all_inside
    tens = [tic for tic in inside if f"{tic:e}".startswith("1.0")]
    return tens if len(tens) > 3 or (len(tens) == 3 and len(inside) > MOST_TICS) else inside


def tic_step(longest: float) -> float:
    """So that about five figures stand on a linear axis, whatever their length."""
    power = 10 ** math.floor(math.log10(longest / 5))
    return next(step * power for step in (1, 2, 5, 10) if longest / (step * power) <= 6)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def shown_stages(bars: dict[str, dict[str, float]]) -> list[str]:
    """Those that are long somewhere, in their order; the last one stands for all others."""
    names = list(dict.fromkeys(name for stages in bars.values() for name in stages))
    share = {name: max(stages.get(name, 0.0) / (sum(stages.values()) or 1) for stages in bars.values()) for name in names}
    long = [name for name in names if share[name] >= SMALL_SHARE]
    biggest = sorted(long, key=lambda name: -share[name])[:len(COLOURS) - 1]
    kept = [name for name in names if name in biggest]
    return kept if len(kept) == len(names) else [*kept, REST]


def _margin(dots: list[Dot]) -> int:
    return max(len(dot.label) for dot in dots) + 2


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
