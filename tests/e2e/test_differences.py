"""docs/differences.md lists every difference that the comparisons with `keepalived -t` make an exception for, so that
none is known to the tests alone. SLUICE_WRITE_DOCS=1 writes its tables.
"""

from __future__ import annotations

import os

from director import REPOSITORY
from test_language_lexical import DIFFERENT, ROWS
from test_language_oracle import DIFFERENT_FILES, keyword_rows

PAGE = REPOSITORY / "docs/differences.md"
OWN_BLOCK = "Sluice's own block"
MARK = "<!-- From here on a test writes this page: tests/e2e/test_differences.py. -->\n"


def code(text: str) -> str:
    """Markdown's code in a table's cell, with what a reader can't see made visible."""
    shown = text.rstrip("\n").replace("\n", "⏎").replace("\0", "\\0").replace("\ufeff", "\\ufeff")
    shown = shown if len(shown) <= 90 else shown[:90] + "..."
    ticks = "``" if "`" in shown else "`"
    return ticks + shown.replace("|", "\\|") + ticks


def tables() -> str:
    texts = {row.name: row.text for row in ROWS}
    lines = ["", "## How lines are read", "", "| | text | Sluice |", "|---|---|---|"]
    lines += [f"| {name} | {code(texts[name])} | {difference.why} |" for name, difference in DIFFERENT.items()]
    lines += ["", "## Keywords", "", "| in | line | why the verdict is another one |", "|---|---|---|"]
    lines += [f"| {row.path.split('#')[0].split('+')[0].replace('/', ' / ') if row.path != '/' else 'top level'} "
              f"| {code(row.text)} | {row.difference} |" for row in keyword_rows() if row.difference and row.difference != OWN_BLOCK]
    lines += ["", "## Files", ""]
    lines += [f"- `{name}`: {why}." for name, (_, _, why) in DIFFERENT_FILES.items()]
    return "\n".join(lines) + "\n"


def test_the_page_lists_what_the_comparisons_leave_out():
    head, mark, written = PAGE.read_text().partition(MARK)
    assert mark
    if os.environ.get("SLUICE_WRITE_DOCS"):
        PAGE.write_text(head + MARK + tables())
        written = tables()
    assert written == tables(), "run this test with SLUICE_WRITE_DOCS=1"
