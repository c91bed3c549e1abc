"""What benches hand over: results with a yardstick and a goal each, the machine that they came from, as JSON and as a
Markdown table. Measuring is the benches' own business, drawing report.py's, comparing two runs compare's.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FIGURES = {"per_second": "/s", "ns_per_packet": "ns", "latency_us": "us", "bytes": "B", "instructions": "instructions"}


@dataclass(frozen=True)
class Result:
    """One figure, the median of some rounds. At most one of the figures is there; none: it was skipped, see note."""

    name: str
    per_second: float | None = None
    ns_per_packet: float | None = None
    latency_us: float | None = None
    bytes: float | None = None
    instructions: float | None = None
    ratio: float | None = None   # to the yardstick, in the same run
    to: str | None = None        # the yardstick's name
    goal: float | None = None    # for the ratio, or for the figure where there is no yardstick
    compare: str | None = None   # ">=" or "<="
    spread: float | None = None  # half of what lies between the lowest and the highest round, as a share of the median
    note: str = ""

    @property
    def figure(self) -> float | None:
        return next((value for name in FIGURES if (value := getattr(self, name)) is not None), None)

    @property
    def unit(self) -> str:
        return next((unit for name, unit in FIGURES.items() if getattr(self, name) is not None), "")

    @property
    def text(self) -> str:
        """The figure for a reader, as 482 k/s or 6.25 us; empty without one."""
        if self.figure is None:
            return ""
        text = number(self.figure)
        return text + ("" if text[-1] in "kM" else " ") + self.unit

    @property
    def met(self) -> bool | None:
        """None: there is no goal, or nothing was measured."""
        value = self.ratio if self.to else self.figure
        if self.goal is None or value is None:
            return None
        return value >= self.goal if self.compare == ">=" else value <= self.goal


def spread(values: Sequence[float]) -> float:
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def summary(name: str, kind: str, rounds: Sequence[float], yardstick: Sequence[float] = (), **more) -> Result:
    """kind: one of FIGURES. yardstick: its rounds, taken in turns with these; the ratio is the median of the rounds'."""
    if yardstick and len(yardstick) == len(rounds) and all(yardstick):
        more["ratio"] = statistics.median(a / b for a, b in zip(rounds, yardstick))
    return Result(name, spread=spread(rounds), **{kind: statistics.median(rounds)}, **more)


def skipped(name: str, why: str, **more) -> Result:
    return Result(name, note=f"skipped: {why}", **more)


def machine(flags: str = "") -> dict[str, str]:
    """What a reader must know of where it was measured. flags: how the programs were built and the bench was called."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name")), platform.machine())
    memory = Path("/proc/meminfo").read_text().split(maxsplit=2)[1]
    return {"cpu": model, "cores": str(os.cpu_count()), "memory": f"{int(memory) / (1 << 20):.1f} GiB",
            "kernel": platform.release(), "commit": _commit(), "flags": flags,
            "load": " ".join(f"{each:.1f}" for each in os.getloadavg()),
            "date": time.strftime("%Y-%m-%d %H:%M:%S %z")}


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-c", f"safe.directory={REPOSITORY}", *words], cwd=REPOSITORY, check=False,
                              capture_output=True, text=True)
        return done.stdout.strip()

    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (" and changes" if git("status", "--short") else "")


@dataclass
class Run:
    """What one call of a bench measured, and where. profiles: where the time went, text by what was profiled."""

    results: list[Result] = field(default_factory=list)
    machine: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        entries = [{**asdict(result), "met": result.met} for result in self.results]
        document = {"machine": self.machine, "results": entries, "profiles": self.profiles}
        path.write_text(json.dumps(document, indent=2) + "\n")


def read(path: Path) -> Run:
    """Of any bench's JSON; what it says beyond a Result's fields is left out."""
    document = json.loads(path.read_text())
    known = {each.name for each in fields(Result)}
    return Run([Result(**{key: value for key, value in entry.items() if key in known}) for entry in document["results"]],
               document.get("machine", {}), document.get("profiles", {}))


def number(value: float) -> str:
    """Three digits are all that a measurement here is worth."""
    for limit, suffix in ((1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            scaled = value / (1e6 if suffix == " M" else 1e3)
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}{suffix}"
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"


def table(results: Iterable[Result]) -> str:
    lines = ["| | median | spread | ratio | to | goal | met |", "|---|---|---|---|---|---|---|"]
    for each in results:
        lines.append(" | ".join((
            f"| {each.name}", each.text or each.note or "-", "" if each.spread is None else f"± {each.spread:.0%}",
            "" if each.ratio is None else f"{each.ratio:.2f}", each.to or "",
            "" if each.goal is None else f"{each.compare} {each.goal:g}",
            {True: "yes", False: "**no**", None: ""}[each.met])) + " |")
    return "\n".join(lines)
