#!/usr/bin/python3
"""What many checkers cost: real servers on 10.96.0.0/16, all of them one nginx that listens on every address, checked
each second (TCP, HTTP) or every five (TLS). Core 0 is the director's, core 1 the real servers', their kernels' receive
work included. Prints the share of a core that the health thread and the control thread take, all that core 0 did, how
late checks begin (from the end of one to the next, less delay_loop), and the daemon's memory per checker.

usage: sudo bench/health_checks.py [--build DIR] [--seconds N] [--runs N]
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from director import Director, virtual_server  # noqa: E402
from netns import Host, Lab, until  # noqa: E402
from servers import Nginx  # noqa: E402

DIRECTORS_CORE, SERVERS_CORE = 0, 1
SO_TIMESTAMPNS = 35


@dataclass(frozen=True)
class Case:
    name: str
    count: int
    every: int  # seconds
    port: int
    check: str


CASES = (
    Case("TCP_CHECK", 10_000, 1, 80, "TCP_CHECK {\n connect_timeout 2\n }"),
    Case("HTTP_GET", 5_000, 1, 80, "HTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 2\n }"),
    Case("SSL_GET", 2_000, 5, 443, "SSL_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 2\n }"),
)


def addresses(count: int) -> list[str]:
    return [f"10.96.{i // 250}.{i % 250 + 1}" for i in range(count)]


class Checks:
    """When the kernel saw checks begin (SYN) and end (FIN), by the address that was asked; taken where the real servers
    are."""

    # Ethernet, IPv4 without options, from the director, TCP: SYN or FIN.
    FILTER = ((0x28, 0, 0, 12), (0x15, 0, 7, 0x0800), (0x20, 0, 0, 26), (0x15, 0, 5, 0x0a610001), (0x30, 0, 0, 23),
              (0x15, 0, 3, 6), (0x30, 0, 0, 47), (0x45, 0, 1, 0x03), (0x06, 0, 0, 64), (0x06, 0, 0, 0))

    def __init__(self, host: Host, every: int) -> None:
        with host.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._socket.bind(("eth0", 0x0800))
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in self.FILTER))
        program = struct.pack("HL", len(self.FILTER), ctypes.addressof(code))
        self._socket.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self._socket.settimeout(0.1)
        self.seen: set[bytes] = set()
        self._late: list[float] = []
        self._ended: dict[bytes, float] = {}
        self._every = every
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        os.sched_setaffinity(0, {SERVERS_CORE})
        while not self._ends:
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(64, 64)
            except TimeoutError:
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            when, address = seconds + nanoseconds / 1e9, frame[30:34]
            if frame[47] & 0x02:
                self.seen.add(address)
                if address in self._ended:
                    self._late.append(when - self._ended[address] - self._every)
            else:
                self._ended[address] = when

    def forget(self) -> None:
        self._late.clear()

    def late(self) -> list[float]:
        """From the end of a check to the begin of the next, less the delay_loop that was asked for. Sorted."""
        return sorted(self._late)

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._socket.close()


def spent(pid: int, thread: str) -> float:
    """Seconds on a core, receive work that the kernel did meanwhile included."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()
               if (task / "comm").read_text().strip() == thread) / 1e9


def busy(core: int) -> float:
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _, _, irq, softirq, *_ = map(int, line.split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


def config(case: Case, count: int) -> str:
    check = case.check if count > 1 else ""
    servers = [f"    real_server {each} {case.port} {{\n {check}\n }}\n" for each in addresses(count)]
    return ("dataplane {\n interfaces eth0\n connections 1024\n}\n"
            + virtual_server("10.97.0.100", case.port, f"delay_loop {case.every}", f"warmup {case.every}",
                             servers=servers, kind="DR"))


def receive_on(host: Host, core: int) -> None:
    """The host's receive work, wherever the sender runs."""
    host.run("sh", "-c", f"echo {1 << core} > /sys/class/net/eth0/queues/rx-0/rps_cpus")


@contextmanager
def network() -> Iterator[tuple[Host, Host]]:
    directory = Path(tempfile.mkdtemp(prefix="sluice-health-"))
    directory.chmod(0o755)
    try:
        with Lab(directory) as lab:
            front, servers = lab.host("front"), lab.host("servers")
            lab.wire(front, "eth0", servers, "eth0")
            front.ip("address add 10.97.0.1/24 dev eth0", "address add 10.97.0.100/32 dev lo",
                     "route add 10.96.0.0/16 via 10.97.0.2 dev eth0")
            servers.ip("address add 10.97.0.2/24 dev eth0", "route add local 10.96.0.0/16 dev lo")
            for host in (front, servers):
                host.sysctl("net.ipv4.tcp_max_syn_backlog=65536", "net.core.somaxconn=65536",
                            "net.ipv4.ip_local_port_range=1024 65000", "net.ipv4.tcp_tw_reuse=1")
            receive_on(servers, SERVERS_CORE)
            yield front, servers
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True)
class Measured:
    health: float
    control: float
    core: float
    late: tuple[float, float, float]  # median, 99.9 %, worst
    memory: float


def measure(case: Case, build, seconds: float) -> Measured:
    with network() as (front, servers):
        nginx = Nginx(servers, "web", [80])
        nginx.offer_tls(443, "www")
        nginx.start()
        nginx.wait_ready()
        subprocess.run(["taskset", "-a", "-p", str(1 << SERVERS_CORE), str(nginx.process.pid)], check=True,
                       capture_output=True)
        for child in Path(f"/proc/{nginx.process.pid}/task/{nginx.process.pid}/children").read_text().split():
            os.sched_setaffinity(int(child), {SERVERS_CORE})
        empty = Director(front, build, config(case, 1)).start(cores=str(DIRECTORS_CORE))
        base = memory(empty.director_pid())
        empty.process.stop()
        checks = Checks(servers, case.every)
        director = Director(front, build, config(case, case.count), "full").start(60, cores=str(DIRECTORS_CORE))
        try:
            pid = director.director_pid()
            until("every server was asked", lambda: len(checks.seen) == case.count, 60)
            time.sleep(case.every)
            checks.forget()
            before = spent(pid, "health"), spent(pid, "sluiced"), busy(DIRECTORS_CORE), time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - before[3]
            health, control = spent(pid, "health") - before[0], spent(pid, "sluiced") - before[1]
            core = busy(DIRECTORS_CORE) - before[2]
            late = checks.late()
            places = (late[len(late) // 2], late[len(late) * 999 // 1000], late[-1])
            return Measured(health / took, control / took, core / took, places, (memory(pid) - base) / case.count)
        finally:
            checks.close()
            director.process.stop()
            nginx.stop()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--case", action="append", help="only this checker, as TCP_CHECK")
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    print("| checkers | health thread, of a core | control thread | all of core 0 | late: median, 99.9 %, worst, ms "
          "| memory each |\n|---|---|---|---|---|---|")
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        runs = [measure(case, build, options.seconds) for _ in range(options.runs)]
        median = lambda value: statistics.median(map(value, runs))  # noqa: E731
        late = ", ".join(f"{median(lambda run, i=i: run.late[i]) * 1e3:.1f}" for i in range(3))
        print(f"| {case.count} {case.name} every {case.every} s | {median(lambda run: run.health):.1%} "
              f"| {median(lambda run: run.control):.1%} | {median(lambda run: run.core):.1%} | {late} "
              f"| {median(lambda run: run.memory) / 1024:.1f} KiB |", flush=True)


if __name__ == "__main__":
    main()
