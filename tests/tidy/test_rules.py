"""Rules of the house that a machine can check. Each complaint says what to do instead.

A rule is a function from the sources (path -> text) to complaints, so that each can be shown to fail, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("net", "dataplane", "vrrp", "health", "control", "bpf", "bench")

# Who may include whom; see ARCHITECTURE.md. vrrp, health and dataplane never include each other, nor control.
MAY_INCLUDE = {
    "net": {"net"},
    "bpf": {"bpf"},
    "dataplane": {"dataplane", "net", "bpf"},
    "vrrp": {"vrrp", "net"},
    "health": {"health", "net"},
    "control": {"control", "vrrp", "health", "dataplane", "net"},
    "bench": set(FOLDERS),
}


def read_sources() -> dict[str, str]:
    return {str(path.relative_to(REPOSITORY)): path.read_text(errors="replace")
            for folder in FOLDERS for path in sorted((REPOSITORY / folder).rglob("*"))
            if path.suffix in (".cc", ".h", ".c") or path.name == "meson.build"}


def include_arrows(sources: dict[str, str]) -> list[str]:
    complaints = []
    for path, text in sources.items():
        folder = path.split("/")[0]
        for number, line in enumerate(text.splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or "/" not in found[1]:
                continue
            target = found[1].split("/")[0]
            if target in FOLDERS and target not in MAY_INCLUDE[folder]:
                complaints.append(f"{path}:{number}: {folder}/ must not include {target}/; it may include "
                                  f"{', '.join(sorted(MAY_INCLUDE[folder]))}. Pass a value or a callback instead")
    return complaints


def relative_includes(sources: dict[str, str]) -> list[str]:
    names = {Path(path).name for path in sources if path.endswith(".h")}
    return [f'{path}:{number}: write the path from the repository\'s root: #include "{Path(path).parent}/{found[1]}"'
            for path, text in sources.items() for number, line in enumerate(text.splitlines(), 1)
            if (found := re.match(r'\s*#\s*include\s+"((?:\.\./)[^"]*|[^"/]+)"', line)) and Path(found[1]).name in names]


def opening_comments(sources: dict[str, str]) -> list[str]:
    """A .cc beside its header is introduced there."""
    return [f"{path}:1: open the file with two or three sentences: what it is for, what it leaves to others"
            for path, text in sources.items()
            if not path.endswith(("_test.cc", "meson.build")) and not text.startswith(("//", "/*"))
            and not (path.endswith(".cc") and path.removesuffix(".cc") + ".h" in sources)]


def pragma_once(sources: dict[str, str]) -> list[str]:
    return [f"{path}: a header needs #pragma once" for path, text in sources.items()
            if path.endswith(".h") and "#pragma once" not in text]


def debug_prints(sources: dict[str, str]) -> list[str]:
    """Below control, nobody prints: errors are values, events go through the log that was passed in."""
    pattern = re.compile(r"\b(std::cout|std::cerr|std::clog|f?printf\s*\(|fmt::print\s*\(|puts\s*\()")
    return [f"{path}:{number}: no printing here; return an Error, or use the Log that was passed in"
            for path, text in sources.items()
            if path.endswith((".cc", ".h")) and not path.startswith(("control/", "bench/")) and "test" not in path
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line.split("//")[0])]


def unbuilt_files(sources: dict[str, str]) -> list[str]:
    builds = [(str(Path(path).parent), text) for path, text in sources.items() if path.endswith("meson.build")]
    complaints = []
    for path in sources:
        if not path.endswith((".cc", ".c")):
            continue
        # A meson.build of the file's folder or of one above it must name it.
        named = any(f"'{Path(path).relative_to(folder)}'" in text
                    for folder, text in builds if Path(path).is_relative_to(folder))
        if not named:
            complaints.append(f"{path}: nothing builds this; name it in a meson.build or remove it")
    return complaints


RULES = {rule.__name__: rule for rule in
         (include_arrows, relative_includes, opening_comments, pragma_once, debug_prints, unbuilt_files)}


@pytest.mark.parametrize("rule", RULES)
def test_sources_keep_the_rule(rule: str) -> None:
    complaints = RULES[rule](read_sources())
    assert not complaints, "\n" + "\n".join(complaints)


BREACHES = {
    "include_arrows": {"dataplane/worker.cc": '// x\n#include "health/pool.h"\n'},
    "relative_includes": {"net/a.cc": '// x\n#include "b.h"\n', "net/b.h": "// x\n#pragma once\n"},
    "opening_comments": {"net/a.cc": "int a;\n"},
    "pragma_once": {"net/a.h": "// x\n"},
    "debug_prints": {"net/a.cc": '// x\nvoid f() { printf("here"); }\n'},
    "unbuilt_files": {"net/a.cc": "// x\n", "net/meson.build": "library('net', 'b.cc')\n"},
}


@pytest.mark.parametrize("rule", RULES)
def test_a_breach_of_the_rule_is_seen(rule: str) -> None:
    assert RULES[rule](BREACHES[rule])
