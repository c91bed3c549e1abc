"""The directors of bench/wire.py: each forwards what arrives for one virtual address, on a host of its own with one
interface, and sends it out there again. Sluice, DPDK's testpmd as yardstick, nftables and plain kernel forwarding.
Between measurements they are held, so that several can stand ready beside each other on one core.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from director import Build, Director, real_server, virtual_server
from netns import Host, Lab, Process, until

DIRECTORS_CORE, OTHERS_CORE = 0, 1
VIP, PORT = "10.80.0.100", 53
REAL_SERVERS = [f"10.80.0.{11 + number}" for number in range(4)]
BEHIND = "10.81.0.1"  # what a router forwards to, by way of the first real server


class Missing(Exception):
    """This case cannot run here, and why."""


# On a machine that does other work as well, the measured come first, all alike: with real-time priority what runs on the
# director's core, the kernel's own share of it included, and the generator; with weight what shares a core.


def first_in_line(pid: int) -> None:
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(1))


def weigh(pid: int, nice: int) -> None:
    """The whole session of that process; where the kernel makes no groups of sessions, nothing."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))


@contextlib.contextmanager
def privileged() -> Iterator[None]:
    """This process and what it runs weigh more, and the receive work that a core defers comes first, until the end."""
    deferred = [int(task.name) for task in Path("/proc").iterdir() if task.name.isdigit()
                and (task / "comm").exists() and (task / "comm").read_text().startswith("ksoftirqd/")]
    weigh(os.getpid(), -20)
    try:
        for pid in deferred:
            first_in_line(pid)
        yield
    finally:
        for pid in deferred:
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
        weigh(os.getpid(), 0)


class Peer:
    name = ""

    def __init__(self, lab: Lab, outside: Host, letter: str) -> None:
        self.outside = outside
        self.outer, self.inner = (f"{side}{os.getpid() % 100_000}{letter}" for side in "od")
        self.host = lab.host(f"director-{letter}")
        lab.wire(outside, self.outer, self.host, self.inner)
        for host, interface in ((outside, self.outer), (self.host, self.inner)):
            host.run("ethtool", "-K", interface, "gro", "on")  # or a veth has no receive queue to wait in
        # A veth's packets are received by whoever sends them, on his core; what becomes of them is for the director's.
        self.host.run("sh", "-c", f"echo {1 << DIRECTORS_CORE} > /sys/class/net/{self.inner}/queues/rx-0/rps_cpus")
        self.host.ip(f"address add 10.80.0.1/24 dev {self.inner}",
                     *(f"neigh replace {address} lladdr 02:00:00:00:02:{number:02x} nud permanent dev {self.inner}"
                       for number, address in enumerate(REAL_SERVERS)),
                     f"neigh replace 10.80.0.10 lladdr 02:00:00:00:01:0a nud permanent dev {self.inner}",
                     f"route add 10.81.0.0/24 via {REAL_SERVERS[0]}")
        self.process: Process | None = None

    address = VIP

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        if self.process:
            self.process.signal(signal.SIGCONT)
            self.process.stop()

    def go(self) -> None:
        """Whoever polls without end does so from now on ..."""

    def hold(self) -> None:
        """... to here."""

    def counted(self) -> tuple[int, float]:
        """Packets that came back so far, and when."""
        shown = self.outside.run("cat", f"/sys/class/net/{self.outer}/statistics/rx_packets").stdout
        return int(shown), time.monotonic()


class Sluice(Peer):
    def __init__(self, lab: Lab, outside: Host, letter: str, build: Build, kind: str) -> None:
        super().__init__(lab, outside, letter)
        self.name = f"Sluice {kind}"
        self.host.ip(f"address add {VIP}/32 dev {self.inner}")
        service = virtual_server(VIP, PORT, kind=kind, protocol="UDP",
                                 servers=[real_server(each, PORT) for each in REAL_SERVERS])
        self._director = Director(self.host, build, f"dataplane {{\n interfaces {self.inner}\n cores {DIRECTORS_CORE}\n"
                                                    f" xdp_mode native_copy\n}}\n{service}", f"sluice-{letter}")

    def start(self) -> None:
        self._director.start(cores=str(DIRECTORS_CORE))

    def go(self) -> None:
        first_in_line(self._director.director_pid())  # not at the start: workers may begin after it answers

    def stop(self) -> None:
        if self._director.process:
            self._director.stop()


class Testpmd(Peer):
    """Swaps the MAC addresses of every frame and sends it back: what DPDK's driver costs, and nothing of a balancer."""

    name = "testpmd macswap"

    def start(self) -> None:
        if not (program := shutil.which("dpdk-testpmd")):
            raise Missing("dpdk-testpmd is not installed (package dpdk)")
        self.process = self.host.start(
            program, "--no-huge", "-m", "256", "--no-shconf", "--no-pci", "--no-telemetry",
            "--lcores", f"0@{OTHERS_CORE},1@{DIRECTORS_CORE}", "--vdev", f"net_af_xdp0,iface={self.inner}",
            "--", "--forward-mode=macswap", "--total-num-mbufs=16384", "--auto-start", "--stats-period", "1000", name="testpmd")
        until("testpmd forwards or ends", lambda: not self.process.running() or "forwarding - ports" in self.process.output())
        if not self.process.running():
            raise Missing("dpdk-testpmd doesn't start: " + self.process.output().strip().splitlines()[-1])
        first_in_line(self.process.pid)
        self.hold()

    def go(self) -> None:
        self.process.signal(signal.SIGCONT)

    def hold(self) -> None:
        self.process.signal(signal.SIGSTOP)


class Kernel(Peer):
    """A router."""

    name = "kernel forwarding"
    address = BEHIND

    def start(self) -> None:
        self.host.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0",
                         f"net.ipv4.conf.{self.inner}.send_redirects=0")


class Nftables(Kernel):
    name = "nftables DNAT"
    address = VIP

    def start(self) -> None:
        if not shutil.which("nft"):
            raise Missing("nft is not installed (package nftables)")
        super().start()
        choices = ", ".join(f"{number} : {address}" for number, address in enumerate(REAL_SERVERS))
        rules = self.host.lab.directory / "dnat.nft"
        rules.write_text(f"table ip balancer {{ chain before {{ type nat hook prerouting priority dstnat; "
                         f"ip daddr {VIP} udp dport {PORT} dnat to numgen inc mod {len(REAL_SERVERS)} "
                         f"map {{ {choices} }}\n}}\n}}\n")
        self.host.run("nft", "-f", rules)
