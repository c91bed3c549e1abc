"""sluiced on a host of the lab, and what sluicectl says about it.

The configuration is text, as an operator writes it; virtual_server() only saves typing.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from netns import Failed, Host, Process, until

REPOSITORY = Path(__file__).resolve().parents[2]


class Build:
    """Where the programs are: build/, or what SLUICE_BUILD names."""

    def __init__(self) -> None:
        self.directory = Path(os.environ.get("SLUICE_BUILD", REPOSITORY / "build")).resolve()
        self.sluiced = self._program("control/daemon/sluiced")
        self.sluicectl = self._program("control/api/sluicectl")
        self.decapsulator = self._program("bpf/decap.bpf.o")

    def _program(self, name: str) -> Path:
        path = self.directory / name
        if not path.exists():
            raise SystemExit(f"{path} is not there: run scripts/build first")
        return path


def real_server(address: str, port: int, *lines: str, check: str = "") -> str:
    body = "".join(f"        {line}\n" for line in (*lines, *check.splitlines()))
    return f"    real_server {address} {port} {{\n{body}    }}\n"


def virtual_server(vip: str, port: int, *lines: str, servers: list[str], algo: str = "rr", kind: str = "NAT",
                   protocol: str = "TCP") -> str:
    """A virtual_server block. lines: further keywords of the block; servers: made by real_server()."""
    body = "".join(f"    {line}\n" for line in (f"lb_algo {algo}", f"lb_kind {kind}", f"protocol {protocol}", *lines))
    return f"virtual_server {vip} {port} {{\n{body}{''.join(servers)}}}\n"


# Quick enough for a test: a failure counts at once, a probe comes twice a second.
QUICK = ("delay_loop 0.5", "warmup 0", "retry 1", "delay_before_retry 0.2", "connect_timeout 1")
TCP_CHECK = "TCP_CHECK {\n    retry 0\n    connect_timeout 1\n}"


class Director:
    """One run of sluiced."""

    def __init__(self, host: Host, build: Build, config: str, name: str = "") -> None:
        """name: of a folder of its own for what belongs to it; a second director of a lab needs one."""
        self.host = host
        self.build = build
        self.directory = host.lab.directory / name
        self.directory.mkdir(exist_ok=True)
        self.config = self.directory / "keepalived.conf"
        self.config.write_text(config)
        self.socket = self.directory / "sluiced.sock"
        self.pid_file = self.directory / "sluiced.pid"
        self.director_pid_file = self.directory / "director.pid"
        self.process: Process | None = None
        self.may_end = False  # set by tests that end it themselves

    def start(self, seconds: float = 15.0, cores: str = "", options: tuple[str, ...] = (),
              environment: dict[str, str] | None = None, prefix: tuple[str, ...] = ()) -> Director:
        """cores: those it may use, as taskset(1) takes them; empty: as all of us. prefix: words before its command."""
        if cores:
            prefix = ("taskset", "-c", cores, *prefix)
        if environment:
            prefix = ("env", *(f"{name}={value}" for name, value in environment.items()), *prefix)
        self.process = self.host.start(*prefix, *self.command("-n", "-l", *options), name="sluiced")
        until("sluiced answers", self._answers, seconds)
        return self

    def command(self, *options: str) -> list[str]:
        """What is typed to start it. Nothing of it is in a place that other tests use, too."""
        return [str(word) for word in (self.build.sluiced, "-f", self.config, "--socket", self.socket, "-p",
                                       self.pid_file, "-c", self.director_pid_file, *options)]

    def director_pid(self) -> int:
        """Of the process that serves; self.process is its supervisor."""
        return int(self.director_pid_file.read_text())

    def _answers(self) -> bool:
        self.alive()
        return self.sluicectl("stats", "--json", check=False).returncode == 0

    def alive(self) -> None:
        if self.process is not None and not self.process.running():
            raise SystemError(f"sluiced ended with status {self.process.wait(1)}:\n{self.log()}")

    def log(self) -> str:
        return self.process.output() if self.process else ""

    def stop(self) -> int:
        """TERM to the supervisor alone, as systemd does. Returns the exit status."""
        self.may_end = True
        if self.process.running():
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            return self.process.wait(10.0)
        except Failed:
            self.process.kill()
            raise

    def crash(self) -> None:
        """KILL to all of its processes: no code of ours runs any more."""
        self.may_end = True
        self.process.signal(signal.SIGKILL)
        self.process.wait(5)

    def sluicectl(self, *arguments: str, check: bool = True):
        return self.host.run(self.build.sluicectl, "--socket", self.socket, *arguments, check=check)

    def json(self, what: str) -> dict:
        return json.loads(self.sluicectl(what, "--json").stdout)

    def services(self) -> list[dict]:
        return self.json("services")["services"]

    def destination(self, address: str, service: int = 0) -> dict | None:
        """The real server as the engine has it, or None if it is out of the table."""
        for destination in self.services()[service]["destinations"]:
            if destination["address"] == address and destination["in_table"]:
                return destination
        return None

    def weights(self, service: int = 0) -> dict[str, int]:
        """Address -> weight of what is in the table."""
        return {entry["address"]: entry["weight"] for entry in self.services()[service]["destinations"]
                if entry["in_table"]}

    def drops(self) -> dict[str, int]:
        """Packets dropped, by reason, over all workers; reasons never seen are left out."""
        total: dict[str, int] = {}
        for worker in self.json("stats")["workers"]:
            for reason, count in worker["drops"].items():
                if count:
                    total[reason] = total.get(reason, 0) + count
        return total

    def received(self) -> list[int]:
        return [worker["received"] for worker in self.json("stats")["workers"]]

    def check_end(self) -> None:
        """At a test's end: it must still run, unless the test ended it; then it must stop cleanly."""
        if self.process is None:
            return
        if not self.may_end and not self.process.running():
            raise Failed(f"sluiced ended by itself, status {self.process.wait(1)}:\n{self.log()}")
        if not self.may_end and (status := self.stop()) != 0:
            raise Failed(f"sluiced stopped with status {status}:\n{self.log()}")
