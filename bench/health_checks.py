#!/usr/bin/python3
"""What many checkers cost: real servers on 10.96.0.0/16, all of them one host that listens on every address, each
checked once a second. Prints the share of a core that the health thread and the control thread take, how far the times
between two checks of a server are from a second, and the daemon's memory per checker.

usage: sudo bench/health_checks.py [--build DIR] [--seconds N]
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from director import Director, virtual_server  # noqa: E402
from netns import Host, Lab, until  # noqa: E402

HERTZ = os.sysconf("SC_CLK_TCK")
TCP = "TCP_CHECK {\n connect_timeout 2\n }"
HTTP = "HTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 2\n }"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def addresses(count: int) -> list[str]:
    return [f"10.96.{i // 250}.{i % 250 + 1}" for i in range(count)]


class Listener:
    """Accepts on every address; notes when each was asked. Says the answer if asked for one, and closes."""

    def __init__(self, host: Host, answers: bool) -> None:
        with host.entered():
            self._socket = socket.create_server(("0.0.0.0", 80), backlog=4096)
        self._answers = answers
        self.asked: dict[str, list[float]] = {}
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._socket.setblocking(False)
        poll = select.epoll()
        poll.register(self._socket, select.EPOLLIN)
        waiting: dict[int, socket.socket] = {}
        while not self._ends:
            for descriptor, _ in poll.poll(0.1):
                if descriptor != self._socket.fileno():
                    connection = waiting.pop(descriptor)
                    connection.recv(4096)
                    connection.send(ANSWER)
                    connection.close()
                    continue
                try:
                    while True:
                        connection, _ = self._socket.accept()
                        self.asked.setdefault(connection.getsockname()[0], []).append(time.monotonic())
                        if not self._answers:
                            connection.close()
                            continue
                        waiting[connection.fileno()] = connection
                        poll.register(connection, select.EPOLLIN)
                except BlockingIOError:
                    pass

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._socket.close()


def spent(pid: int, thread: str) -> float:
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() != thread:
            continue
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / HERTZ


def memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


def config(count: int, check: str) -> str:
    servers = [f"    real_server {each} 80 {{\n {check}\n }}\n" for each in addresses(count)]
    return ("dataplane {\n interfaces eth0\n connections 1024\n}\n"
            + virtual_server("10.97.0.100", 80, "delay_loop 1", "warmup 1", servers=servers, kind="DR"))


def one(count: int, check: str, build, seconds: float) -> str:
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
            empty = Director(front, build, config(1, "")).start()
            base = memory(empty.director_pid())
            empty.process.stop()
            listener = Listener(servers, check is HTTP)
            director = Director(front, build, config(count, check), "full").start(60)
            try:
                pid = director.director_pid()
                until("every server was asked", lambda: len(listener.asked) == count, 30)
                time.sleep(2)
                listener.asked.clear()
                before = spent(pid, "health"), spent(pid, "sluiced"), time.monotonic()
                time.sleep(seconds)
                took = time.monotonic() - before[2]
                health = (spent(pid, "health") - before[0]) / took
                control = (spent(pid, "sluiced") - before[1]) / took
                late = sorted(b - a - 1 for times in listener.asked.values() for a, b in zip(times, times[1:]))
                each = (memory(pid) - base) / count
                return (f"{health:.1%} | {control:.1%} | {late[len(late) // 2] * 1e3:.1f}, "
                        f"{late[len(late) * 999 // 1000] * 1e3:.1f}, {late[-1] * 1e3:.1f} ms | {each / 1024:.1f} KiB")
            finally:
                listener.close()
                director.process.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--seconds", type=float, default=20)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    print("| checkers | health thread, of a core | control thread | time between two checks less 1 s: median, 99.9 %, worst "
          "| memory each |\n|---|---|---|---|---|")
    for count, check, name in ((10_000, TCP, "TCP_CHECK"), (5_000, HTTP, "HTTP_GET")):
        print(f"| {count} {name} | {one(count, check, build, options.seconds)} |", flush=True)


if __name__ == "__main__":
    main()
