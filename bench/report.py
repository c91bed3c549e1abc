#!/usr/bin/python3
"""Makes a folder to read from the benches' JSON: report.md with the machine, a table and a plot of bars for each group of
results, report.json, and the plots as SVG. A group is what stands before the first ": " of results' names.

usage: bench/report.py FOLDER A.json [B.json]...
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent))

from results import Result, Run, read, table  # noqa: E402

WIDTH, BARS_AT, BARS_WIDTH, ROW = 860, 330, 380, 26
MET, NOT_MET, PLAIN = "#2e7d4f", "#b3412e", "#5b7794"


def report(folder: Path, run: Run) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    run.write(folder / "report.json")
    lines = ["# Measured", "", *(f"- {key}: {value}" for key, value in run.machine.items() if value), ""]
    for group, members in groups(run.results).items():
        lines += [f"## {group}", "", table(members), ""]
        if any(each.figure is not None for each in members):
            name = "".join(letter if letter.isalnum() else "-" for letter in group.lower()) + ".svg"
            (folder / name).write_text(bars(group, members))
            lines += [f"![{group}]({name})", ""]
    for name, text in run.profiles.items():
        lines += [f"## Where the time goes: {name}", "", "```", text, "```", ""]
    (folder / "report.md").write_text("\n".join(lines))


def groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for each in results:
        found.setdefault(each.name.split(": ", 1)[0] if ": " in each.name else "Results", []).append(each)
    return found


def bars(title: str, results: Sequence[Result]) -> str:
    """A row for each result that was measured: bar, its rounds' range, figure and ratio. Each unit has a scale of its own."""
    shown = [each for each in results if each.figure is not None]
    longest = {each.unit: max(other.figure * (1 + (other.spread or 0)) for other in shown if other.unit == each.unit)
               for each in shown}
    height = 44 + ROW * len(shown)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
             f'font-size="13">', f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>']
    for row, each in enumerate(shown):
        top, scale = 38 + ROW * row, BARS_WIDTH / (longest[each.unit] or 1)
        length, middle = each.figure * scale, top + ROW / 2 - 2
        colour = {True: MET, False: NOT_MET, None: PLAIN}[each.met]
        label = each.name.split(": ", 1)[-1]
        text = each.text
        if each.ratio is not None:
            text += f"  ({each.ratio:.2f} x)"
        parts.append(f'<text x="{BARS_AT - 8}" y="{middle + 4:.0f}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{BARS_AT}" y="{top}" width="{length:.1f}" height="{ROW - 6}" fill="{colour}"/>')
        if each.spread:
            low, high = (BARS_AT + length * (1 + sign * each.spread) for sign in (-1, 1))
            parts.append(f'<path d="M{low:.1f} {middle - 4:.0f}v8m0 -4H{high:.1f}m0 -4v8" stroke="#000000" fill="none"/>')
        parts.append(f'<text x="{BARS_AT + BARS_WIDTH + 8}" y="{middle + 4:.0f}">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("json", type=Path, nargs="+")
    options = arguments.parse_args()
    whole = Run()
    for path in options.json:
        run = read(path)
        whole.results += run.results
        whole.machine = {**run.machine, **whole.machine}
        whole.profiles |= run.profiles
    report(options.folder, whole)


if __name__ == "__main__":
    main()
