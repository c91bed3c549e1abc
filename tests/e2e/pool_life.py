"""Lives through a scenario of pool_scenarios.py on one side, a director with three machines to check, and writes down
by variant and step what came of it. A side runs the daemon: record_pools.py has keepalived's, test_pools_like_keepalived.py
ours.

A record is text, as in keepalived_pools/*.log: "== VARIANT", "-- STEP", then lines
    table  ADDRESS/WEIGHT...   what stands in the table at the end of the step
    log    a line of the log, in order
    script what a notify script was called with   (sorted: scripts run beside each other)
    fifo   a line of the FIFO, in order
    mail   SUBJECT | BODY                          (sorted)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Protocol

from netns import Host, Lab
from pool_scenarios import Scenario, Step, Variant
from test_mail import MailServer
from topology import LAN_BACK, Topology

HERE = Path(__file__).parent
Record = dict[str, dict[str, list[str]]]

TOLD = """#!/bin/sh
echo "$*" >> <DIR>/told
"""
READ = """#!/bin/sh
exec cat "$1" >> <DIR>/fifo.out
"""


class Side(Protocol):
    directory: str  # <DIR>, as the director sees it

    def start(self, config: str, prepare: str) -> None: ...
    def shell(self, command: str) -> None: ...
    def reload(self, config: str) -> None: ...
    def stop(self) -> None: ...
    def log(self) -> list[str]:
        """Lines without the time, in keepalived's words."""
    def told(self) -> list[str]: ...
    def fifo(self) -> list[str]: ...
    def table(self) -> dict[int, list[str]]:
        """By port: ADDRESS/WEIGHT of what is in the table."""


class Machine:
    def __init__(self, host: Host, address: str, listeners: list[str]) -> None:
        self.host, self.address, self.listeners = host, address, listeners
        self.process = None

    def start(self) -> None:
        self.host.sysctl("net.ipv4.icmp_echo_ignore_all=0")
        self.process = self.host.start(sys.executable, HERE / "pool_servers.py", self.address, *self.listeners)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
        self.host.sysctl("net.ipv4.icmp_echo_ignore_all=1")


class Life:
    def __init__(self, lab: Lab, scenario: Scenario) -> None:
        self.scenario = scenario
        self.topology = Topology(lab)
        self.mail = MailServer(self.topology.lan, address=LAN_BACK)
        for web in self.topology.web:
            web.host.sysctl("net.ipv4.icmp_ratelimit=0")  # each datagram to nobody is answered
        self.machines = {name: Machine(web.host, web.address, scenario.listeners())
                         for name, web in zip("ABC", self.topology.web)}
        self.names = {port: name for name, port in scenario.ports.items()}

    def begin(self, side: Side) -> None:
        for name, machine in self.machines.items():
            if name in self.scenario.down:
                machine.stop()
            else:
                machine.start()
        self.side = side
        prepare = "".join(f"cat > <DIR>/{name} << 'END'\n{text}END\nchmod 755 <DIR>/{name}\n"
                          for name, text in (("told.sh", TOLD), ("read.sh", READ)))
        side.start(self.config(self.scenario.variants), self.placed(prepare + self.scenario.prepare))

    def config(self, variants: tuple[Variant, ...]) -> str:
        return self.scenario.config(variants, self.side.directory)

    def placed(self, text: str) -> str:
        return self.scenario.placed(text, self.side.directory)

    def take(self, step: Step) -> None:
        if step.stop:
            self.machines[step.stop].stop()
        if step.start:
            self.machines[step.start].start()
        if step.shell:
            self.side.shell(self.placed(step.shell))
        if step.reload:
            self.side.reload(self.config(step.reload))
        if step.end:
            self.side.stop()

    def seen(self) -> dict[str, dict[str, list[str]]]:
        """By variant and kind, everything since the start."""
        found: dict[str, dict[str, list[str]]] = {
            name: {"log": [], "script": [], "fifo": [], "mail": []} for name in self.names.values()}
        mails = []
        for mail in self.mail.mails():
            head, _, body = mail.partition("\r\n\r\n")
            mails.append(f"{re.search('Subject: (.*)', head)[1].strip()} | {body.strip()}")
        log = [line.replace(self.side.directory, "<DIR>") for line in self.side.log()]
        for kind, lines in (("log", log), ("script", self.side.told()), ("fifo", self.side.fifo()),
                            ("mail", mails)):
            for line in lines:
                port = re.search(r"\b(80\d\d)\b", line)
                if port and int(port[1]) in self.names:
                    found[self.names[int(port[1])]][kind].append(line)
        return found


def lines_of(now: dict[str, list[str]], before: dict[str, list[str]] | None, table: list[str]) -> list[str]:
    """One variant's step."""
    lines = ["table  " + " ".join(sorted(table))]
    for kind, all_of_it in now.items():
        new = all_of_it[len(before[kind]) if before else 0:]
        lines += [f"{kind:6} {line}" for line in (sorted(new) if kind in ("script", "mail") else new)]
    return lines


def text_of(record: Record, title: str) -> str:
    text = f"# {title}\n"
    for variant, steps in record.items():
        text += f"\n== {variant}\n"
        for step, lines in steps.items():
            text += f"-- {step}\n" + "".join(f"{line}\n" for line in lines)
    return text


def record_from(text: str) -> Record:
    record: Record = {}
    for line in text.splitlines():
        if line.startswith("== "):
            steps = record[line[3:]] = {}
        elif line.startswith("-- "):
            lines = steps[line[3:]] = []
        elif line and not line.startswith("#"):
            lines.append(line)
    return record
