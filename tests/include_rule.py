#!/usr/bin/env python3
"""Checks what the source tree promises about itself, and says what to use instead of what it refuses.

usage: include_rule.py [ROOT]       exit status 1 and one line per complaint if something is refused

  - include arrows: control -> vrrp, health, dataplane -> net; nothing sideways, nothing upwards
  - includes name the path from the repository's root
  - every header opens with #pragma once
  - every .cc and .c is built: some meson.build that the root reaches by subdir() names it
  - no debug prints outside of programs' entry points, tests and benches

It reads text, not C++: what a comment or a string says doesn't count, what a macro hides isn't seen.
"""

import re
import sys
from pathlib import Path

# Folder -> what it may include besides itself. bpf/ holds what the XDP program and its loader agree on.
ARROWS = {
    "net": set(),
    "bpf": set(),
    "vrrp": {"net"},
    "health": {"net"},
    "dataplane": {"net", "bpf"},
    "control": {"net", "bpf", "vrrp", "health", "dataplane"},
}
FREE = {"bench", "tests"}  # may include anything
FOLDERS = set(ARROWS) | FREE

INSTEAD_OF_ARROW = {
    "net": "net/ is the vocabulary and depends on nothing: move what you need down into net/, or the code up",
    "bpf": "bpf/ is shared with the kernel: plain C that includes only bpf/ and system headers",
    "vrrp": "vrrp/, health/ and dataplane/ don't know each other: let control/ carry the value across",
    "health": "vrrp/, health/ and dataplane/ don't know each other: let control/ carry the value across",
    "dataplane": "vrrp/, health/ and dataplane/ don't know each other: let control/ carry the value across",
}

PRINTS = [
    (r"std::(cout|cerr|clog)\b", "the logger, or return the text to the caller"),
    (r"(?<![\w.>])(?:std::)?(printf|vprintf|puts|putchar|perror)\s*\(", "the logger, or fmt::format and return it"),
    (r"(?<![\w.>])(?:std::)?(?:v?fprintf|fputs|fputc)\s*\([^;]*\b(?:stdout|stderr)\b", "the logger"),
    (r"\bfmt::(print|println)\s*\(", "the logger, or fmt::format and return it"),
    (r"\bbpf_(trace_)?printk\s*\(", "a counter in a map"),
]
# Programs talk to people on standard output; tests and benches talk to developers.
MAY_PRINT = re.compile(r"^(bench|tests)/|_(test|bench|fuzz)\.cc$|(^|/)test_[^/]*\.h$|(^|/)(main|sluicectl|sluiced)[^/]*\.cc$|(^|/)sluicectl/")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
GENERATED = re.compile(r"(_object|\.skel)\.h$|^config\.h$")  # made by the build, has no folder


def main(arguments):
    if len(arguments) > 1 or "-h" in arguments or "--help" in arguments:
        print(__doc__.strip())
        return 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


def check(root):
    """All complaints about the tree at `root`, as "path:line: what, use what instead"."""
    sources = [path for folder in sorted(FOLDERS) for path in sorted((root / folder).rglob("*"))
               if path.suffix in (".h", ".cc", ".c", ".cpp", ".hpp")]
    built = built_sources(root)
    complaints = []
    for path in sources:
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix in (".cpp", ".hpp"):
            complaints.append(f"{name}:1: suffix {path.suffix}, use .cc and .h")
        elif path.suffix == ".h":
            complaints += check_pragma(name, text)
        elif path.resolve() not in built:
            complaints.append(f"{name}:1: nothing builds this file, list it in {path.parent.relative_to(root)}"
                              "/meson.build (reached by subdir() from the root), or delete it")
        complaints += check_includes(name, text, root)
        if not MAY_PRINT.search(name):
            complaints += check_prints(name, text)
    return complaints


def check_includes(name, text, root):
    folder = name.split("/")[0]
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        target = included.split("/")[0]
        if "/" not in included or target not in FOLDERS:
            if not GENERATED.search(included):
                yield (f'{name}:{number}: includes "{included}", use the path from the repository\'s root, '
                       "or <...> for a system header")
        elif not (root / included).exists():
            yield f'{name}:{number}: includes "{included}", which doesn\'t exist'
        elif folder not in FREE and target != folder and target not in ARROWS[folder]:
            instead = INSTEAD_OF_ARROW.get(folder, f"only bench/ and tests/ may include {target}/")
            yield f'{name}:{number}: {folder}/ includes "{included}"; {instead}'


def check_pragma(name, text):
    code = [line.strip() for line in without_comments(text).splitlines() if line.strip()]
    if not code or code[0] != "#pragma once":
        yield f"{name}:1: no #pragma once before the first line of code, use it in every header (no include guards)"


def check_prints(name, text):
    for number, line in enumerate(without_strings(without_comments(text)).splitlines(), 1):
        for pattern, instead in PRINTS:
            match = re.search(pattern, line)
            if match:
                yield f"{name}:{number}: {match.group(0).strip()} is a debug print, use {instead}"


def built_sources(root):
    """Paths of all .cc and .c files named in the meson.build files that subdir() reaches from the root."""
    found = set()
    todo = [root]
    while todo:
        folder = todo.pop()
        build = folder / "meson.build"
        if not build.exists():
            continue
        text = re.sub(r"^((?:[^'#\n]|'[^'\n]*')*)#.*$", r"\1", build.read_text(encoding="utf-8"), flags=re.M)
        found |= {(folder / source).resolve() for source in re.findall(r"'([^'\n]+\.(?:cc|c))'", text)}
        todo += [folder / sub for sub in re.findall(r"\bsubdir\(\s*'([^'\n]+)'", text)]
    return found


# Comments, raw strings, strings, characters; a ' after a digit separates thousands.
TOKEN = re.compile("|".join((
    r"//[^\n]*",
    r"/\*.*?\*/",
    r'R"(\w*)\(.*?\)\1"',
    r'"(?:\\.|[^"\\\n])*"',
    r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
)), re.S)


def without_comments(text):
    """Same lines, comments blanked."""
    return TOKEN.sub(lambda m: keep_lines(m.group(0)) if m.group(0)[0] == "/" else m.group(0), text)


def without_strings(text):
    """Same lines, string literals emptied. Expects no comments."""
    return TOKEN.sub(lambda m: '""' + keep_lines(m.group(0)) if m.group(0)[0] in 'R"' else m.group(0), text)


def keep_lines(text):
    return "\n" * text.count("\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
