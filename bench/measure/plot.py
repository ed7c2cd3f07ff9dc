"""Plots as SVG, by gnuplot."""

import subprocess
from pathlib import Path

Points = list[tuple[float, float]]


def line_plot(path: Path, title: str, x: str, y: str, lines: dict[str, Points]) -> None:
    """Both axes from what was measured; x in steps of two. A single point is a level line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    last = max(point[0] for points in lines.values() for point in points)
    data, curves = "", []
    for number, (name, points) in enumerate(lines.items()):
        if len(points) == 1:
            points = [(1, points[0][1]), (last, points[0][1])]
        data += f"$d{number} << E\n" + "\n".join(f"{a} {b}" for a, b in points) + "\nE\n"
        curves.append(f"$d{number} using 1:2 with linespoints linewidth 2 title \"{name}\"")
    script = (f"{data}set terminal svg size 800,480 font 'sans,13' noenhanced background '#ffffff'\n"
              f"set output \"{path}\"\nset title \"{title}\"\nset xlabel \"{x}\"\nset ylabel \"{y}\"\n"
              "set logscale x 2\nset yrange [0:*]\nset grid\nset key outside bottom center horizontal\n"
              f"plot {', '.join(curves)}\n")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
