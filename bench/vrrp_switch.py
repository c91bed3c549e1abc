#!/usr/bin/python3
"""What a client loses when the address moves as planned, with virtual MAC: it sends an ICMP echo each millisecond, and
the master is stopped (TERM: the backup waits its Skew_Time, and no more), or its priority falls below the backup's (it
goes on serving until the other takes over). Prints the echoes without an answer, less those that Skew_Time asks for.

usage: sudo bench/vrrp_switch.py [--build DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from netns import Lab  # noqa: E402
from routers import KEEPALIVED, VIP, Router, Wire, instance, make_router  # noqa: E402
from vrrp_frames import checksum  # noqa: E402

INTERVAL = 0.1
BACKUP_PRIORITY = 100
SKEW = (256 - BACKUP_PRIORITY) / 256 * INTERVAL


class Pings:
    """Echoes from the client to the address, one each millisecond, until close()."""

    def __init__(self, host) -> None:
        with host.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.settimeout(0.1)
        self.sent: list[float] = []
        self.answered: set[int] = set()
        self._ends = False
        self._threads = [threading.Thread(target=each) for each in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        begin = time.monotonic()
        while not self._ends:
            number = len(self.sent)
            time.sleep(max(0.0, begin + number / 1000 - time.monotonic()))
            echo = struct.pack("!BBHHHI", 8, 0, 0, 7, number & 0xffff, number)
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
            self.sent.append(time.monotonic())
            try:
                self._socket.sendto(echo, (VIP, 0))
            except OSError:
                pass  # it counts as lost

    def _receive(self) -> None:
        while not self._ends:
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                continue
            if packet[20] == 0 and len(packet) >= 32:
                self.answered.add(struct.unpack("!I", packet[28:32])[0])

    def close(self) -> int:
        """How many had no answer."""
        time.sleep(0.2)
        last = len(self.sent)
        time.sleep(0.2)
        self._ends = True
        for thread in self._threads:
            thread.join()
        self._socket.close()
        return sum(number not in self.answered for number in range(last))


def config(priority: int, watched: Path | None) -> str:
    lines = ["version 3", f"advert_int {INTERVAL}", "use_vmac"]
    before = ""
    if watched is not None:
        before = f"track_file moves {{\n file {watched}\n}}\n"
        lines.append("track_file {\n moves weight 1\n}")
    return before + instance("VI_1", *lines, priority=priority)


def one(lab_directory: Path, build, kind: str, stops: bool) -> int:
    with Lab(lab_directory) as lab:
        wire = Wire(lab)
        for host in wire.hosts.values():
            # As hosts with a virtual MAC must have it: nobody answers, or asks, for the address by the physical one.
            host.sysctl("net.ipv6.conf.default.disable_ipv6=0", "net.ipv4.conf.all.arp_announce=2")
        watched = lab_directory / "number"
        watched.write_text("0\n")
        routers: list[Router] = [make_router(kind, wire.hosts["alpha"], config(150, watched), build),
                                 make_router(kind, wire.hosts["beta"], config(BACKUP_PRIORITY, None), build)]
        master, backup = routers
        try:
            master.start()
            master.wait_master(interface="vrrp.51")
            backup.start()
            time.sleep(1.5)
            pings = Pings(wire.hosts["client"])
            time.sleep(0.5)
            if stops:
                master.stop()
            else:
                watched.write_text("-100\n")
            backup.wait_master(interface="vrrp.51")
            time.sleep(0.5)
            return pings.close()
        finally:
            for each in routers:
                if each.running():
                    each.stop()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    kinds = ["sluice"] + (["keepalived"] if KEEPALIVED else [])
    print(f"Skew_Time is {SKEW * 1e3:.1f} ms\n\n| | the master is stopped: lost less Skew_Time, median, worst | its priority "
          "falls: lost, median, worst |\n|---|---|---|")
    for kind in kinds:
        cells = []
        for stops in (True, False):
            lost = []
            for _ in range(options.rounds):
                directory = Path(tempfile.mkdtemp(prefix="sluice-switch-"))
                directory.chmod(0o755)
                try:
                    lost.append(one(directory, build, kind, stops) - (SKEW * 1e3 if stops else 0))
                finally:
                    shutil.rmtree(directory, ignore_errors=True)
            cells.append(f"{statistics.median(lost):+.1f}, {max(lost):+.1f}")
        print(f"| {kind} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
