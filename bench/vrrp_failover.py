#!/usr/bin/python3
"""How long an address has no owner: from the last advertisement of a master that vanishes to the first gratuitous ARP of
the backup, less Master_Down_Interval, which the protocol asks for; and the same from the goodbye of a master that is
stopped, less Skew_Time. Sluice and keepalived take turns as the backup, on the same wire, in the same run.

usage: sudo bench/vrrp_failover.py [--build DIR] [--rounds N]
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

from netns import Lab, until  # noqa: E402
from routers import KEEPALIVED, VIP, Keepalived, Sluice, Wire, instance  # noqa: E402

ETH_P_ALL = 0x0003
SO_TIMESTAMPNS = 35
FORMS = {"v2, 1 s": (("advert_int 1",), 1.0, True), "v3, 1 s": (("version 3", "advert_int 1"), 1.0, False),
         "v3, 100 ms": (("version 3", "advert_int 0.1"), 0.1, False),
         "v3, 10 ms": (("version 3", "advert_int 0.01"), 0.01, False)}
BACKUP_PRIORITY = 100
MASTER, BACKUP = "10.98.0.1", "10.98.0.2"


class Capture:
    """Times of advertisements and gratuitous ARPs as the client's interface saw them; the kernel stamps them."""

    def __init__(self, host) -> None:
        with host.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.bind(("eth0", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.settimeout(0.2)
        self.adverts: list[tuple[float, str, int]] = []  # when, from whom, priority
        self.garps: list[float] = []
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends:
            try:
                frame, control, _, _ = self._socket.recvmsg(2048, 256)
            except TimeoutError:
                continue
            seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
            when = seconds + nanoseconds / 1e9
            kind = frame[12:14]
            if kind == b"\x08\x00" and frame[23] == 112:
                self.adverts.append((when, socket.inet_ntoa(frame[26:30]), frame[36]))
            elif kind == b"\x08\x06" and frame[28:32] == frame[38:42] == socket.inet_aton(VIP):
                self.garps.append(when)

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._socket.close()


def one(lab_directory: Path, build, kind: str, lines: tuple[str, ...], interval: float, is_v2: bool,
        says_goodbye: bool) -> float:
    """Seconds beyond the protocol's own wait."""
    with Lab(lab_directory) as lab:
        wire = Wire(lab)
        master = Sluice(wire.hosts["alpha"], instance("VI_1", *lines, priority=150), build)
        config = instance("VI_1", *lines, priority=BACKUP_PRIORITY)
        backup = Sluice(wire.hosts["beta"], config, build) if kind == "sluice" else Keepalived(wire.hosts["beta"], config)
        capture = Capture(wire.hosts["client"])
        try:
            master.start()
            master.wait_master(seconds=15)
            backup.start()
            time.sleep(1 + 2 * interval)  # the backup has heard it
            before = len(capture.garps)
            if says_goodbye:
                master.stop()
            else:
                master.process.kill()
            until("the backup announces itself", lambda: len(capture.garps) > before, 20, 0.001)
            time.sleep(0.1)
        finally:
            capture.close()
            for each in (master, backup):
                if each.process is not None and each.process.running():
                    each.stop()
        skew = (256 - BACKUP_PRIORITY) / 256 * (1.0 if is_v2 else interval)
        wait = skew if says_goodbye else 3 * interval + skew
        last = max(when for when, source, priority in capture.adverts
                   if source == MASTER and (priority == 0) == says_goodbye)
        return next(when for when in capture.garps[before:] if when > last) - last - wait


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--rounds", type=int, default=7)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    kinds = ["sluice"] + (["keepalived"] if KEEPALIVED else [])
    print("| | backup | after a crash: median, worst | after a stop: median, worst |\n|---|---|---|---|")
    for form, (lines, interval, is_v2) in FORMS.items():
        took = {(kind, how): [] for kind in kinds for how in (False, True)}
        for _ in range(options.rounds):
            for kind, how in took:
                directory = Path(tempfile.mkdtemp(prefix="sluice-failover-"))
                try:
                    took[kind, how].append(one(directory, build, kind, lines, interval, is_v2, how) * 1e3)
                finally:
                    shutil.rmtree(directory, ignore_errors=True)
        for kind in kinds:
            cells = [f"{statistics.median(took[kind, how]):+.2f}, {max(took[kind, how]):+.2f} ms" for how in (False, True)]
            print(f"| {form} | {kind} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
