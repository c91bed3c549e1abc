#!/usr/bin/python3
"""How long an address has no owner when BFD at 10 ms x 3 watches: from a death to the backup's first gratuitous ARP.
Advertisements go once a second, so that nothing but BFD can be quick. Sluice and keepalived run the same configurations
on the same wire in the same run.

  killed     the master is killed (SIGKILL of all its processes); the backup watches it
  cut        the master's link is cut; the backup watches it
  upstream   what the master watches is killed: a FAULT, the master says goodbye, the backup waits for its skew time

usage: sudo bench/bfd_failover.py [--build DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))
sys.path.insert(0, str(REPOSITORY / "bench"))

from bfd_speakers import Session, speaker  # noqa: E402
from netns import Failed, Lab, until  # noqa: E402
from routers import ADDRESS, KEEPALIVED, Wire, instance  # noqa: E402
from vrrp_failover import Capture  # noqa: E402

ALPHA, BETA, CLIENT = (ADDRESS[name] for name in ("alpha", "beta", "client"))
# keepalived's session doesn't stay Up on a busy host otherwise, and with its default limit of 10 ms the kernel kills it
# there. Ours has real-time priority by default.
REALTIME = ("global_defs {\n bfd_rt_priority 50\n vrrp_rt_priority 50\n"
            " bfd_rlimit_rttime 1000000\n vrrp_rlimit_rttime 1000000\n}\n")
V3 = ("version 3", "advert_int 1")
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def link_down(host, interface: str) -> float:
    """When: without the milliseconds that ip(8) takes to start."""
    with host.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", interface.encode(), 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        request = struct.pack("16sh14x", interface.encode(), flags & ~IFF_UP)
        died = time.time()
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
        return died


def routers(wire: Wire, build, kind: str, case: str):
    """Master, backup, and whose death it is to be."""
    def make(host: str, own: str, neighbor: str, what: str, more: str):
        return speaker(what, wire.hosts[host], Session(own, neighbor, 10), build, more=more + REALTIME)

    if case == "upstream":
        # 255 and 254: the shortest skew time there is, 7.8 ms.
        master = make("alpha", ALPHA, CLIENT, kind, instance("VI_1", *V3, "track_bfd {\n b1\n }", priority=255))
        backup = speaker(kind, wire.hosts["beta"], Session(BETA, "10.98.0.250", passive=True), build,
                         more=instance("VI_1", *V3, priority=254) + REALTIME)
        return master, backup, make("client", CLIENT, ALPHA, "sluice", "")
    master = make("alpha", ALPHA, BETA, kind, instance("VI_1", *V3, priority=150))
    # The backup's priority rises to 254 as the session ends.
    backup = make("beta", BETA, ALPHA, kind,
                  instance("VI_1", *V3, "track_bfd {\n b1 weight -154 reverse\n }", priority=100))
    return master, backup, master


def one(directory: Path, build, kind: str, case: str) -> float:
    """Seconds."""
    with Lab(directory) as lab:
        wire = Wire(lab)
        master, backup, victim = routers(wire, build, kind, case)
        capture = Capture(wire.hosts["client"])
        everybody = {id(each): each for each in (victim, master, backup)}.values()
        try:
            for each in everybody:
                each.start()
            master.wait_master(seconds=20)
            until("the session is Up", lambda: (victim if case == "upstream" else backup).is_up(), 10)
            time.sleep(1.5)  # the backup has heard the master
            before = len(capture.garps)
            died = time.time()
            if case == "cut":
                died = link_down(wire.lan, "alpha")
            else:
                os.killpg(victim.process.pid, signal.SIGKILL)
            until("the backup announces itself", lambda: len(capture.garps) > before, 20, 0.001)
        finally:
            capture.close()
            for each in everybody:
                if each.running():
                    each.process.kill()
        return capture.garps[before] - died


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--rounds", type=int, default=7)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    kinds = ["sluice"] + (["keepalived"] if KEEPALIVED else [])
    print("| | routers | median | worst | didn't settle |\n|---|---|---|---|---|")
    for case in ("killed", "cut", "upstream"):
        took = {kind: [] for kind in kinds}
        failed = dict.fromkeys(kinds, 0)
        for _ in range(options.rounds):
            for kind in kinds:
                directory = Path(tempfile.mkdtemp(prefix="sluice-bfd-"))
                try:
                    took[kind].append(one(directory, build, kind, case) * 1e3)
                except Failed as why:
                    failed[kind] += 1
                    print(f"{case}, {kind}: {str(why).splitlines()[0]}", file=sys.stderr)
                finally:
                    shutil.rmtree(directory, ignore_errors=True)
        for kind in kinds:
            times = f"{statistics.median(took[kind]):.1f} ms | {max(took[kind]):.1f} ms" if took[kind] else "- | -"
            print(f"| {case} | {kind} | {times} | {failed[kind]} |", flush=True)


if __name__ == "__main__":
    main()
