"""What clients do: one request, many at once, datagrams. All sockets belong to the host given."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from netns import Failed, Host


def connect(host: Host, address: str, port: int, source: str = "", source_port: int = 0,
            seconds: float = 5.0) -> socket.socket:
    with host.entered():
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    if source:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((source, source_port))
    try:
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def ask(connection: socket.socket, path: str = "/") -> str:
    """One HTTP request over an open connection; the body of the answer, which ends with the connection."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    answer = b""
    while block := connection.recv(65536):
        answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failed(f"no answer 200: {head!r}")
    return body.decode().strip()


def get(host: Host, address: str, port: int, path: str = "/", source: str = "", source_port: int = 0,
        seconds: float = 5.0) -> str:
    """A request over a connection of its own. For path "/" that is the server's name."""
    with connect(host, address, port, source, source_port, seconds) as connection:
        return ask(connection, path)


def udp_ask(host: Host, address: str, port: int, data: str = "hello", source: str = "", source_port: int = 0,
            seconds: float = 3.0) -> str:
    """A datagram from a new port; the name of the server that answered, after the data was checked."""
    with host.entered():
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with channel:
        channel.settimeout(seconds)
        channel.bind((source, source_port))
        channel.connect((address, port))  # so that answers of anybody else don't count
        channel.send(data.encode())
        name, _, echoed = channel.recv(65535).decode().partition(" ")
    if echoed != data:
        raise Failed(f"sent {data!r}, got back {echoed!r}")
    return name


@dataclass
class LoadResult:
    answered: Counter[str] = field(default_factory=Counter)  # by server
    failed: Counter[str] = field(default_factory=Counter)    # by what went wrong
    failed_ports: list[int] = field(default_factory=list)    # where those came from
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"answered {dict(self.answered)}, failed {dict(self.failed)}, {self.seconds:.1f} s"


class Load:
    """Requests for "/" in a thread of its own: `requests` of them, or until stop(); at most `concurrency` at once.

    Each comes from a port that was not used before. With DR and TUN a port that comes again within two minutes is still
    an old connection to the director, here as with LVS: it would stay with its server, even one that was taken out.
    """

    _ports = itertools.cycle(range(10_000, 60_000))

    def __init__(self, host: Host, address: str, port: int, requests: int | None = None, concurrency: int = 64,
                 seconds_each: float = 10.0) -> None:
        self.result = LoadResult()
        self._host = host
        self._target = (address, port)
        self._left = requests
        self._concurrency = concurrency
        self._seconds_each = seconds_each
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Load:
        self._thread.start()
        return self

    def stop(self) -> LoadResult:
        self._stop = True
        return self.wait()

    def wait(self, seconds: float = 120.0) -> LoadResult:
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._stop = True
            raise Failed(f"load did not end within {seconds:g} s: {self.result}")
        return self.result

    def _run(self) -> None:
        begin = time.monotonic()
        with self._host.entered():
            asyncio.run(self._clients())
        self.result.seconds = time.monotonic() - begin

    async def _clients(self) -> None:
        await asyncio.gather(*(self._one_client() for _ in range(self._concurrency)))

    async def _one_client(self) -> None:
        while not self._stop and (self._left is None or self._left > 0):
            if self._left is not None:
                self._left -= 1
            port = next(self._ports)
            try:
                async with asyncio.timeout(self._seconds_each):
                    self.result.answered[await self._request(port)] += 1
            except (OSError, Failed) as error:  # asyncio's timeout is an OSError, too
                self.result.failed[str(error) or type(error).__name__] += 1
                self.result.failed_ports.append(port)

    async def _request(self, port: int) -> str:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            connection.bind(("", port))
            await loop.sock_connect(connection, self._target)
            await loop.sock_sendall(connection, b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            answer = b""
            while block := await loop.sock_recv(connection, 65536):
                answer += block
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or not body:
            raise Failed(f"bad answer: {answer[:80]!r}")
        return body.decode().strip()
