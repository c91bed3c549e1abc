#!/usr/bin/python3
"""How long a dead server still gets new connections: a client opens one each millisecond through a virtual server (DR),
one of its two real servers is killed at a moment that nobody chose, and the wire in front of it is watched. From the
check that fails to the last SYN of a client, and from the death to that SYN beside what the check's arithmetic allows:
delay_loop, and delay_before_retry for each retry.

usage: sudo bench/server_death.py [--build DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import random
import select
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

from director import Director, real_server, virtual_server  # noqa: E402
from netns import Lab, until  # noqa: E402
from topology import CLIENT, DIRECTOR_BACK, HTTP, VIP, Topology  # noqa: E402

SO_TIMESTAMPNS = 35
CHECKS = {
    "TCP_CHECK": "TCP_CHECK {{\n connect_timeout 1\n retry {}\n delay_before_retry 1\n }}",
    "HTTP_GET": "HTTP_GET {{\n url {{\n path /\n status_code 200\n }}\n connect_timeout 1\n retry {}\n"
                " delay_before_retry 1\n }}",
}


class Clients:
    """One new connection each millisecond, whatever became of the ones before."""

    def __init__(self, host) -> None:
        self._host = host
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._host.entered():
            due, open_sockets = time.monotonic(), []
            while not self._ends:
                connection = socket.socket()
                connection.setblocking(False)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.connect_ex((VIP, HTTP))
                open_sockets.append((time.monotonic() + 0.2, connection))
                while open_sockets and open_sockets[0][0] < time.monotonic():
                    open_sockets.pop(0)[1].close()
                due += 0.001
                select.select([], [], [], max(0.0, due - time.monotonic()))
            for _, connection in open_sockets:
                connection.close()

    def close(self) -> None:
        self._ends = True
        self._thread.join()


class Syns:
    """Connections that begin at a host: when, and from whom. The kernel stamps them."""

    def __init__(self, host) -> None:
        with host.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._socket.bind(("eth0", 0x0800))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.settimeout(0.1)
        self.seen: list[tuple[float, str]] = []
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends:
            try:
                frame, control, _, _ = self._socket.recvmsg(64, 64)
            except TimeoutError:
                continue
            if len(frame) > 47 and frame[23] == 6 and frame[47] & 0x12 == 0x02:
                seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
                self.seen.append((seconds + nanoseconds / 1e9, socket.inet_ntoa(frame[26:30])))

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._socket.close()


def one(check: str, retries: int, build) -> tuple[float, float]:
    """Milliseconds: from the check that was enough to the last new connection; from the death to it, beyond what the
    arithmetic allows (negative: sooner)."""
    directory = Path(tempfile.mkdtemp(prefix="sluice-death-"))
    directory.chmod(0o755)
    try:
        with Lab(directory) as lab:
            net = Topology(lab, servers=2)
            net.start_servers()
            net.prepare("DR")
            servers = [real_server(each.address, HTTP, check=CHECKS[check].format(retries)) for each in net.web]
            director = Director(net.director, build, virtual_server(
                VIP, HTTP, "delay_loop 1", "warmup 0", servers=servers, kind="DR")).start()
            dying = net.web[1]
            syns, clients = Syns(dying.host), Clients(net.client)
            try:
                until("it was checked twice and has clients", lambda: sum(
                    who == DIRECTOR_BACK for _, who in list(syns.seen)) > 2 and len(syns.seen) > 500, 30)
                time.sleep(random.random())
                dying.nginx.kill()
                died = time.time()
                until("it is out", lambda: dying.address not in director.weights(), 10)
                time.sleep(0.3)
                seen = list(syns.seen)
                failed = [when for when, who in seen if who == DIRECTOR_BACK and when > died][retries]
                # A client tries again after a second if nobody answers: but a dead server's kernel answers.
                last = max(when for when, who in seen if who == CLIENT)
                return (last - failed) * 1e3, (last - died - (1 + retries)) * 1e3
            finally:
                clients.close()
                syns.close()
                director.process.stop()
                for server in net.web:
                    server.nginx.stop()
                    server.echo.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--rounds", type=int, default=10)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    print("| check, every second | from the failing check to the last new connection: median, worst "
          "| from the death, beyond the arithmetic: worst |\n|---|---|---|")
    for check in CHECKS:
        for retries in (0, 1):
            rounds = [one(check, retries, build) for _ in range(options.rounds)]
            after = [each[0] for each in rounds]
            print(f"| {check}, retry {retries} | {statistics.median(after):.1f} ms, {max(after):.1f} ms "
                  f"| {max(each[1] for each in rounds):.1f} ms |", flush=True)


if __name__ == "__main__":
    main()
