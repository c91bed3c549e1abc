#!/usr/bin/env python3
"""Instructions per packet of each path of the engine, counted by callgrind, against the figures beside this file
(instructions.json): more than 3 % above one is a failure, more than 3 % below asks to write it down. The count doesn't
depend on what else the machine does, so that a slow decay is seen where no clock would show it.

usage: tests/instructions.py BENCH_INSTRUCTIONS [--write | --json]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FIGURES = Path(__file__).with_name("instructions.json")
PATHS = ("dr", "nat-in", "nat-out", "tun", "open")
FLOWS, TURNS = 1024, 200
TOLERANCE = 0.03
SKIPPED = 77  # meson's word for it


def count(program: str, path: str) -> float:
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", "--toggle-collect=*measured*", program,
             path, str(FLOWS), str(TURNS)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{path}: status {done.returncode}\n{done.stdout}{done.stderr}")
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if collected is None:
        sys.exit(f"{path}: callgrind said nothing of what it collected\n{done.stderr}")
    return int(collected[1]) / int(done.stdout)


def main() -> int:
    program = sys.argv[1]
    if subprocess.run(["valgrind", "--version"], capture_output=True, check=False).returncode != 0:
        print("valgrind isn't installed")
        return SKIPPED
    counted = {path: round(count(program, path), 1) for path in PATHS}
    if "--write" in sys.argv[2:]:
        FIGURES.write_text(json.dumps(counted, indent=2) + "\n")
        return 0
    known = json.loads(FIGURES.read_text())
    if "--json" in sys.argv[2:]:
        print(json.dumps({path: {"counted": now, "committed": known[path]} for path, now in counted.items()}))
        return 0
    failed = 0
    for path, now in counted.items():
        change = now / known[path] - 1
        verdict = "as it was"
        if change > TOLERANCE:
            verdict, failed = f"more than {TOLERANCE:.0%} above: FAILED", failed + 1
        elif change < -TOLERANCE:
            verdict = f"better: {os.path.basename(__file__)} {program} --write"
        print(f"{path:8} {now:7.1f} instructions a packet, {known[path]:7.1f} written down ({change:+.1%}), {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as missing:
        print(missing)
        sys.exit(SKIPPED)
