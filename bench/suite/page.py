"""The report's Markdown as one HTML file that needs nothing else: only the forms that suite/report.py writes."""

import base64
import html
import re
from pathlib import Path

from measure.specification import cells_of

STYLE = """body { font: 15px/1.5 'DejaVu Sans', system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem; color: #1a1a1a }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .7rem; text-align: left; vertical-align: top }
.number { text-align: right; white-space: nowrap } td:first-child { white-space: nowrap } th { background: #f3f3f3 }
pre { background: #f6f6f6; padding: .7rem; overflow-x: auto; font-size: 12px } code { font-size: 92% }
img { max-width: 100%; display: block; margin: 1rem 0 .3rem } .bad { color: #b2182b; font-weight: 600 } .scroll { overflow-x: auto }
h2 { border-top: 1px solid #ccc; padding-top: 1.2rem; margin-top: 2.5rem }"""


def inline(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
    return re.sub(r"(NOT reached(?:, within the noise)?|WARNING[^<]*)", r'<span class="bad">\1</span>', text)


def kind(cell: str) -> str:
    """Figures stand below one another; so do intervals and bounds."""
    figure = r"[-+]?[\d.,]*\d(e-?\d+)?(x|%| us| ms| s| MiB)?"
    return ' class="number"' if re.fullmatch(rf"{figure}( \[.*\]| \.\. {figure})?|at (most|least) {figure}", cell) else ""


def table(lines: list[str]) -> str:
    rows = [cells_of(line) for line in lines if not set(line) <= set("|-: ")]
    head = "".join(f"<th>{inline(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td{kind(cell)}>{inline(cell)}</td>" for cell in row) + "</tr>\n" for row in rows[1:])
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>'


def image(alt: str, path: Path) -> str:
    encoded = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{encoded}">'


def render(markdown: str, directory: Path, title: str) -> str:
    out, lines = [], markdown.splitlines()
    at = 0
    while at < len(lines):
        line, start = lines[at], at
        at += 1
        if line.startswith("```"):
            while lines[at] != "```":
                at += 1
            out.append(f"<pre>{html.escape(chr(10).join(lines[start + 1:at]))}</pre>")
            at += 1
        elif line.startswith("|"):
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            out.append(table(lines[start:at]))
        elif line.startswith("- "):
            while at < len(lines) and lines[at].startswith("- "):
                at += 1
            out.append("<ul>" + "".join(f"<li>{inline(item[2:])}</li>" for item in lines[start:at]) + "</ul>")
        elif heading := re.match(r"(#+) (.*)", line):
            out.append(f"<h{len(heading[1])}>{inline(heading[2])}</h{len(heading[1])}>")
        elif shown := re.fullmatch(r"!\[(.*)\]\((.*)\)", line):
            out.append(image(shown[1], directory / shown[2]))
        elif line:
            while at < len(lines) and lines[at] and not lines[at].startswith(("|", "```", "#", "!", "- ")):
                at += 1
            out.append(f"<p>{inline(' '.join(lines[start:at]))}</p>")
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>\n'
            + "\n".join(out) + "\n</html>\n")
