"""Virtual servers live through what keepalived with kernel IPVS was seen to live through (keepalived_pools/*.log, written
by record_pools.py): the same table, scripts, FIFO lines, mails and words in the log, step by step.
"""

from __future__ import annotations

import difflib
import re

import pytest

from director import Director
from netns import Failed, until
from pool_life import HERE, Life, Record, lines_of, record_from
from pool_scenarios import ALL, Step

STEP_S = 20.0
RECORDED = HERE / "keepalived_pools"

# (scenario, variant, step) -> why it isn't compared. docs/operations.md tells users.
DIFFERENT = {
    ("reload", "another check", "all else"): "keepalived brings a failed server back for a check that is new",
    ("reload", "another check", "back"): "as above",
    ("reload", "another check, alpha", "all else"): "keepalived notifies up again, of servers that never went",
    ("reload", "another check, alpha", "back"): "as above",
    **{("reload", "no sorry server", step): "keepalived forgets the servers that are up when it takes the sorry server away"
       for step in ("all else", "C comes back", "B dies")},
    ("reload", "a sorry server", "back"): "as above",
    **{("reload", "another way", step): "keepalived adds a failed server whose forwarding is another"
       for step in ("all else", "C comes back", "B dies", "back", "the end")},
}

# What a line of ours has more than keepalived's: the reason, in parentheses.
REASON = re.compile(r"^(?P<said>.*(?:failed|retries|retry|:\d+)\.?)(?: \(.*\))$")


class Sluice:
    def __init__(self, life: Life, build) -> None:
        self.host = life.topology.director
        self.directory = str(life.topology.lab.directory / "side")
        self.life, self.build = life, build

    def start(self, config: str, prepare: str) -> None:
        self.host.run("mkdir", self.directory)
        self.shell(prepare)
        self.director = Director(self.host, self.build, config)
        self.director.start()

    def shell(self, command: str) -> None:
        self.host.run("sh", "-ec", command)

    def reload(self, config: str) -> None:
        self.director.config.write_text(config)
        self.director.sluicectl("reload")

    def stop(self) -> None:
        assert self.director.stop() == 0

    def read(self, name: str) -> list[str]:
        path = self.life.topology.lab.directory / "side" / name
        return path.read_text().splitlines() if path.exists() else []

    def told(self) -> list[str]:
        return self.read("told")

    def fifo(self) -> list[str]:
        return self.read("fifo.out")

    def log(self) -> list[str]:
        lines = [re.sub(r"^[\d-]+ [\d:.]+ \w+: ", "", line) for line in self.director.log().splitlines()
                 if "keepalived.conf:" not in line]  # what is said of the file is compared elsewhere
        return [found["said"] if "Misc check" not in line and (found := REASON.match(line)) else line for line in lines]

    def table(self) -> dict[int, list[str]]:
        if not self.director.process.running():
            return {}
        return {service["port"]: [f"{entry['address']}/{entry['weight']}" for entry in service["destinations"]
                                  if entry["in_table"]] for service in self.director.services()}


def recorded(name: str) -> Record:
    return record_from((RECORDED / f"{name}.log").read_text())


def comparable(variant: str, lines: list[str], step: Step | None) -> list[str]:
    """Without what only one of the two says."""
    without = ["IPVS cmd", "Warning - quorum"]  # keepalived's: ours knows its table; and says it of the file, in other words
    without.append("DNS_CHECK (")  # up: keepalived has no word for it; down: it names the system call
    if any(": tracked file " in line for line in lines):  # keepalived says that with -D only
        lines = [line for line in lines if ": tracked file " not in line]
    if step and step.reload:
        without.append("Activating")  # keepalived: each one again at each reload
    if variant.endswith("file"):
        # A file is never suspended; keepalived says so at times, and reads it all the same.
        without += [f"{word} healthchecker for service [10.0.2.11]" for word in ("Activating", "Suspending")]
    kept = [line for line in lines if not line.startswith(tuple(f"log    {words}" for words in without))]
    if step and step.end:
        # keepalived takes its FIFOs away before it tells them of the end, and has no time to mail of it.
        kept = [line for line in kept if not line.startswith(("fifo", "mail"))]
    if step is None or step.reload or step.together or variant.startswith("two"):
        # Several servers, or one in two ways, are probed at the same time.
        return sorted(kept)
    return kept


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [name for name in ALL if (RECORDED / f"{name}.log").exists()])
def test_the_same_happens_as_in_keepalived(lab, build, name):
    scenario = ALL[name]
    expected = recorded(name)
    life = Life(lab, scenario)
    side = Sluice(life, build)
    life.begin(side)
    before: dict = {}
    wrong: list[str] = []
    for step in (None, *scenario.steps):
        if step:
            life.take(step)
        title = step.name if step else "the start"

        def difference() -> list[str]:
            now, table = life.seen(), side.table()
            text = []
            for variant, port in scenario.ports.items():
                if (name, variant, title) in DIFFERENT:
                    continue
                theirs = comparable(variant, expected[variant][title], step)
                ours = comparable(variant, lines_of(now[variant], before.get(variant), table.get(port, [])), step)
                if theirs != ours:
                    text += [f"== {variant}, {title} ({port})",
                             *list(difflib.unified_diff(theirs, ours, "keepalived", "sluice", lineterm="", n=9))[3:]]
            return text

        try:
            until("as in keepalived", lambda: not difference(), STEP_S)
        except Failed:
            wrong += difference()
        before = life.seen()
    print("\n".join(wrong))
    assert not wrong
