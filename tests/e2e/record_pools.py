#!/usr/bin/env python3
"""Writes down what keepalived with kernel IPVS does in the scenarios of pool_scenarios.py, in keepalived_pools/.

usage: record_pools.py UML_HOST [SCENARIO]...

UML_HOST NETNS INTERFACE SCRIPT has to run SCRIPT as root on a machine of its own with kernel IPVS, keepalived, this
machine's files and INTERFACE of NETNS as its network device vec0 (user-mode Linux does). Run it as root. A scenario takes
one to three minutes: after each step everything is awaited that may come of it. keepalived's own logs are kept in the
folder KEEP_LOGS, if the environment names one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from netns import Lab, stop_on_signals, until
from pool_life import Life, lines_of, text_of
from pool_scenarios import ALL, Scenario
from topology import DIRECTOR_BACK

HERE = Path(__file__).parent
SETTLED_S = 10  # longer than any check's retries and time-outs together

GUEST = """\
ip address add {address}/24 dev vec0
mkdir /run/side
sh {out}/prepare
setsid keepalived -n -l -f {out}/keepalived.conf > /run/side/log 2>&1 &
tell() {{
  cat "$2" > {out}/"$1".new && mv {out}/"$1".new {out}/"$1"
}}
n=1
while :; do
  tell table /proc/net/ip_vs
  for file in log told fifo.out; do
    [ -e /run/side/$file ] && tell $file /run/side/$file
  done
  if [ -e {out}/command.$n ]; then
    . {out}/command.$n
    touch {out}/done.$n
    n=$((n + 1))
  fi
  sleep 0.1
done
"""


class Keepalived:
    """In a guest, which tells by files."""

    directory = "/run/side"

    def __init__(self, life: Life, uml_host: str, out: Path) -> None:
        self.life, self.uml_host, self.out = life, uml_host, out
        self.commands = 0

    def start(self, config: str, prepare: str) -> None:
        host = self.life.topology.director
        host.ip("address flush dev back")
        self.write("keepalived.conf", config)
        self.write("prepare", prepare)
        self.write("guest", GUEST.format(address=DIRECTOR_BACK, out=self.out))
        self.process = subprocess.Popen([self.uml_host, host.netns, "back", self.out / "guest"], stdin=subprocess.DEVNULL,
                                        stdout=open(self.out / "console", "w"), stderr=subprocess.STDOUT)
        until("keepalived runs", lambda: any("Startup complete" in line for line in self.log()), 60)

    def write(self, name: str, text: str) -> None:
        new = self.out / f"{name}.new"
        new.write_text(text)
        new.rename(self.out / name)

    def read(self, name: str) -> str:
        file = self.out / name
        return file.read_text(errors="replace") if file.exists() else ""

    def shell(self, command: str) -> None:
        self.commands += 1
        self.write(f"command.{self.commands}", command + "\n")
        until("it is done", lambda: (self.out / f"done.{self.commands}").exists(), 20)

    def reload(self, config: str) -> None:
        self.write("keepalived.conf", config)
        self.shell("kill -HUP $(cat /run/keepalived.pid)")

    def stop(self) -> None:
        self.shell("kill $(cat /run/keepalived.pid)")

    def end(self) -> None:
        self.shell("touch {}/done.{}; halt -f".format(self.out, self.commands + 1))
        self.process.wait(30)

    def log(self) -> list[str]:
        return [re.sub(r"^\w{3} \w{3} +\d+ [\d:]+ \d{4}: ", "", line) for line in self.read("log").splitlines()]

    def told(self) -> list[str]:
        return self.read("told").splitlines()

    def fifo(self) -> list[str]:
        return self.read("fifo.out").replace("\0", "").splitlines()

    def table(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for line in self.read("table").splitlines()[3:]:
            words = line.split()
            if words[0] == "->":
                raw, _ = words[1].split(":")
                address = ".".join(str(byte) for byte in bytes.fromhex(raw))
                entries.append(f"{address}/{words[3]}")
            else:
                entries = found.setdefault(int(words[1].split(":")[1], 16), [])
        return found


def record(scenario: Scenario, uml_host: str, keep: Path | None) -> None:
    directory = Path(tempfile.mkdtemp(prefix="sluice-record-"))
    with Lab(directory) as lab:
        life = Life(lab, scenario)
        side = Keepalived(life, uml_host, directory)
        life.begin(side)
        found: dict[str, dict[str, list[str]]] = {name: {} for name in scenario.ports}
        before: dict = {}
        for step in (None, *scenario.steps):
            if step:
                life.take(step)
            now, table = life.seen(), side.table()
            since = time.monotonic()
            while time.monotonic() - since < SETTLED_S:
                time.sleep(0.2)
                if (life.seen(), side.table()) != (now, table):
                    now, table, since = life.seen(), side.table(), time.monotonic()
            for name, port in scenario.ports.items():
                lines = lines_of(now[name], before.get(name), table.get(port, []))
                found[name][step.name if step else "the start"] = lines
            before = now
            print(f"{scenario.name}: {step.name if step else 'the start'}", flush=True)
        side.end()
        if keep:
            shutil.copy(directory / "log", keep / f"{scenario.name}.raw")
        version = next(line.split("Starting ")[1] for line in side.log() if "Starting Keepalived" in line)
        kernel = next(line.split("Running on ")[1].split(" #")[0] for line in side.log() if "Running on" in line)
    target = HERE / "keepalived_pools" / f"{scenario.name}.log"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text_of(found, f"{version}, IPVS of {kernel}; written by record_pools.py"))
    shutil.rmtree(directory)


def main() -> int:
    if len(sys.argv) < 2 or any(name not in ALL for name in sys.argv[2:]):
        print(__doc__ + f"\nscenarios: {' '.join(ALL)}", file=sys.stderr)
        return 2
    stop_on_signals()
    for name in sys.argv[2:] or ALL:
        record(ALL[name], sys.argv[1], Path(os.environ["KEEP_LOGS"]) if "KEEP_LOGS" in os.environ else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
