#!/usr/bin/python3
"""Sluice on veth pairs between network namespaces, beside testpmd, nftables, plain kernel forwarding, HAProxy and nginx:
64-byte packets a second at overload, the packets' age at half of that load, and requests a second of short connections.
What is compared takes turns, round by round. Core 0 is the director's, core 1 everybody else's. A peer that isn't
installed is skipped. docs/bench/wire.md says what the figures mean.

usage: sudo bench/wire.py [--quick] [--rounds N] [--json FILE] [--build DIR]
                           [--only packets,latency,requests] [--profile]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "tests/e2e"), str(REPOSITORY / "bench")]

from flood import Flood, Flows  # noqa: E402
from netns import Host, Lab, stop_on_signals  # noqa: E402
from results import Run, machine, skipped, summary, table  # noqa: E402

PACKETS, LATENCY, REQUESTS = "64-byte packets over veth", "Age at half load over veth", "Short connections over veth"
SETTLE = 0.3  # seconds: flows get their state
WARM = 0.1
PROFILE_LINES = 14
PLACES = {"median": 0.5, "99 %": 0.99, "99.9 %": 0.999}


class Measurement:
    """One run: its hosts, its results."""

    def __init__(self, lab: Lab, build, run: Run, rounds: int, seconds: float, profile: bool) -> None:
        self._lab, self._build, self._profile = lab, build, profile
        self._rounds, self._seconds = rounds, seconds
        self.run = run

    def _start(self, kinds: dict[str, Callable], stack: ExitStack, group: str, prepare=None) -> list:
        """Those that can run here; the others are skipped with the reason."""
        from peers import Missing
        started = []
        for letter, kind in kinds.items():
            each = kind(letter)
            stack.callback(each.stop)
            try:
                if prepare:
                    prepare(each)
                each.start()
            except Missing as error:
                self.run.results.append(skipped(f"{group}: {each.name}", str(error)))
                continue
            started.append(each)
        return started

    def packets(self, latency: bool) -> None:
        import peers
        with ExitStack() as stack:
            outside = self._lab.host("outside")
            flood = Flood(self._build.directory / "bench/wire.bpf.o")
            stack.callback(flood.close)
            kinds = {"t": lambda letter: peers.Testpmd(self._lab, outside, letter),
                     "s": lambda letter: peers.Sluice(self._lab, outside, letter, self._build, "DR"),
                     "n": lambda letter: peers.Sluice(self._lab, outside, letter, self._build, "NAT"),
                     "d": lambda letter: peers.Nftables(self._lab, outside, letter),
                     "k": lambda letter: peers.Kernel(self._lab, outside, letter)}
            started = self._start(kinds, stack, PACKETS, lambda each: flood.end_at(outside, each.outer))
            rates: dict[str, list[float]] = {each.name: [] for each in started}
            for _ in range(self._rounds):
                for each in started:
                    rates[each.name].append(self._rate(flood, outside, each))
            self._report_rates(rates)
            if self._profile:
                for each in started:
                    self.run.profiles[f"{PACKETS}: {each.name}"] = self._profiled(flood, outside, each)
            if latency:
                self._latency(flood, outside, [each for each in started if each.name.startswith(("Sluice", "kernel"))], rates)

    def _flood(self, flood: Flood, outside: Host, peer, rate: float = 0) -> None:
        from peers import OTHERS_CORE, PORT
        flood.start(outside, peer.outer, OTHERS_CORE, Flows(peer.host.mac(peer.inner), peer.address, PORT), rate)

    def _rate(self, flood: Flood, outside: Host, peer) -> float:
        peer.go()
        self._flood(flood, outside, peer)
        try:
            time.sleep(SETTLE)
            begin, began = peer.counted()
            time.sleep(self._seconds)
            end, ended = peer.counted()
        finally:
            flood.stop()
            peer.hold()
        return (end - begin) / (ended - began)

    def _report_rates(self, rates: dict[str, list[float]]) -> None:
        yardstick, nft = "testpmd macswap", "nftables DNAT"
        for name, values in rates.items():
            goal = {"goal": 1.1, "compare": ">="} if name.startswith("Sluice") else {}
            measured = rates.get(yardstick, [])
            self.run.results.append(summary(f"{PACKETS}: {name}", "per_second", values,
                                            measured if name != yardstick else (),
                                            **({"to": yardstick, **goal} if measured and name != yardstick else {})))
        for name, values in rates.items():
            if name.startswith("Sluice") and nft in rates:
                self.run.results.append(summary(f"{PACKETS}: {name} beside nftables", "per_second", values, rates[nft],
                                                to=nft, goal=1.2, compare=">="))

    def _latency(self, flood: Flood, outside: Host, peers: list, rates: dict[str, list[float]]) -> None:
        """All at the same rate, half of what the slowest of them forwards."""
        rate = min(sorted(rates[each.name])[len(rates[each.name]) // 2] for each in peers) / 2
        ages: dict[str, list[list[float]]] = {each.name: [] for each in peers}
        for _ in range(self._rounds):
            for each in peers:
                each.go()
                self._flood(flood, outside, each, rate / 2)
                time.sleep(WARM)
                flood.stop()  # flows have their state; what follows counts
                self._flood(flood, outside, each, rate)
                try:
                    time.sleep(self._seconds)
                finally:
                    flood.stop()
                    each.hold()
                ages[each.name].append(flood.ages(*PLACES.values()))
        yardstick = "kernel forwarding"
        for index, place in enumerate(PLACES):
            base = [each[index] for each in ages[yardstick]]
            for name, values in ages.items():
                other = {} if name == yardstick else {"to": f"{yardstick}, {place}"}
                self.run.results.append(summary(f"{LATENCY}: {name}, {place}", "latency_us",
                                                [each[index] for each in values], base if other else (),
                                                note=f"at {rate / 1e3:.0f} k/s", **other))

    def _profiled(self, flood: Flood, outside: Host, peer) -> str:
        """Where the director's core spends its time at overload: the first lines of a profile."""
        from peers import DIRECTORS_CORE
        if not shutil.which("perf"):
            return "perf is not installed"
        data = self._lab.directory / "perf.data"
        peer.go()
        self._flood(flood, outside, peer)
        try:
            time.sleep(SETTLE)
            subprocess.run(["perf", "record", "-q", "-C", str(DIRECTORS_CORE), "-o", data, "sleep", "1"], check=False,
                           capture_output=True)
        finally:
            flood.stop()
            peer.hold()
        shown = subprocess.run(["perf", "report", "-i", data, "--stdio", "-q", "--sort", "comm,symbol", "-w", "16,60"],
                               check=False, capture_output=True, text=True).stdout
        return "\n".join([line.rstrip("- ") for line in shown.splitlines() if line.strip()][:PROFILE_LINES])

    def requests(self) -> None:
        import proxies
        if not shutil.which("wrk") or not shutil.which("nginx"):
            self.run.results.append(skipped(f"{REQUESTS}: all", "wrk or nginx is not installed"))
            return
        with ExitStack() as stack:
            kinds = {"a": lambda letter: proxies.SluiceProxy(self._lab, letter, self._build),
                     "b": lambda letter: proxies.HAProxy(self._lab, letter),
                     "c": lambda letter: proxies.NginxStream(self._lab, letter),
                     "e": lambda letter: proxies.NftablesProxy(self._lab, letter)}
            started = self._start(kinds, stack, REQUESTS)
            rates: dict[str, list[float]] = {each.name: [] for each in started}
            for _ in range(self._rounds):
                for each in started:
                    rates[each.name].append(each.requests(self._seconds))
        sluice = rates.pop("Sluice NAT", [])
        for name, values in rates.items():
            self.run.results.append(summary(f"{REQUESTS}: {name}", "per_second", values))
            if sluice:
                self.run.results.append(summary(f"{REQUESTS}: Sluice NAT beside {name}", "per_second", sluice, values, to=name))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--quick", action="store_true", help="under a minute: two short rounds")
    arguments.add_argument("--rounds", type=int, help="otherwise 5, quick 2")
    arguments.add_argument("--json", type=Path, help="write the results there, too")
    arguments.add_argument("--only", default="packets,latency,requests", help="some of these; latency takes packets along")
    arguments.add_argument("--profile", action="store_true", help="say where the director's core spends its time, too")
    options = arguments.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("needs root: network namespaces")
    if os.cpu_count() < 2:
        raise SystemExit("needs two cores: one for the director, one for all others")
    stop_on_signals()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    only = set(options.only.split(","))
    directory = Path(tempfile.mkdtemp(prefix="sluice-wire-"))
    directory.chmod(0o755)
    run = Run(machine=machine(" ".join(["bench/wire.py", *sys.argv[1:]])))
    rounds, seconds = (options.rounds or 2, 0.8) if options.quick else (options.rounds or 5, 2.0)
    from peers import privileged
    try:
        with privileged(), Lab(directory) as lab:
            measurement = Measurement(lab, Build(), run, rounds, seconds, options.profile)
            if only & {"packets", "latency"}:
                measurement.packets("latency" in only)
            if "requests" in only:
                measurement.requests()
    finally:  # what was measured before a failure stays worth reading
        shutil.rmtree(directory, ignore_errors=True)
        print(table(run.results))
        for name, text in run.profiles.items():
            print(f"\n{name}\n{text}")
        if options.json:
            run.write(options.json)


if __name__ == "__main__":
    main()
