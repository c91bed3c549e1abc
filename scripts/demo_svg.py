#!/usr/bin/env python3
"""Draws what scripts/demo printed as an SVG, for the README.

usage: sudo FORCE_COLOR=1 scripts/demo | scripts/demo_svg.py > docs/demo.svg

Sections that only repeat another (the file, DR, TUN) are left out. Each run of text has its place and its length, so that it stands
where it should in any font.
"""

from __future__ import annotations

import re
import sys
from html import escape

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN = 7.8, 17, 13, 18
COLUMNS = 100
STYLES = {"1": 'font-weight="bold"', "2": 'fill="#768390"', "31": 'fill="#f47067"', "32": 'fill="#57ab5a"',
          "1;36": 'fill="#39c5cf" font-weight="bold"'}
LEFT_OUT = ("keepalived.conf", "DR", "TUN")
CODE = re.compile(r"\033\[([\d;]*)m")


def chosen(lines: list[str]) -> list[str]:
    """The lines from the title on, without the sections in LEFT_OUT."""
    start = next(number for number, line in enumerate(lines) if "a keepalived.conf becomes" in line)
    kept: list[str] = []
    section = ""
    for line in lines[start:]:
        plain = CODE.sub("", line)
        if heading := re.match(r"── ([\w.-]+( \w+)?):", plain):
            section = heading[1]
            if section == "DR":
                kept += ["\033[2m   (the same for DR and TUN)\033[0m", ""]
        if section not in LEFT_OUT:
            kept.append(line)
    return kept


def runs(line: str):
    """(column, style, text) of a line with SGR codes."""
    column, style, position = 0, "", 0
    for code in [*CODE.finditer(line), None]:
        text = line[position:code.start() if code else None]
        if text.strip():
            yield column, style, text
        column += len(text)
        if code:
            style = STYLES.get(code[1], "")
            position = code.end()


def draw(lines: list[str]) -> str:
    width = COLUMNS * CELL_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'viewBox="0 0 {width:.0f} {height:.0f}">',
           f'<rect width="100%" height="100%" rx="8" fill="#1c2128"/>',
           f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
           f'font-size="{FONT_SIZE}" fill="#adbac7" xml:space="preserve">']
    for number, line in enumerate(lines):
        y = MARGIN + (number + 0.75) * LINE_HEIGHT
        for column, style, text in runs(line):
            text, column = text.rstrip(), column + len(text) - len(text.lstrip())
            text = text.lstrip()
            out.append(f'<text x="{MARGIN + column * CELL_WIDTH:.1f}" y="{y:.1f}" '
                       f'textLength="{len(text) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
                       f'{" " + style if style else ""}>{escape(text)}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(draw(chosen(sys.stdin.read().splitlines())))
