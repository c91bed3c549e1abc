"""Frames as a host's interface sees them, byte by byte; and what they are."""

from __future__ import annotations

import contextlib
import socket
import struct

from netns import Host


class Capture:
    """Frames that reach a host's interface while inside `with`: all that the wire carries, its own among them."""

    def __init__(self, host: Host, interface: str = "eth0") -> None:
        with host.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(263, 1, struct.pack("iHH8s", socket_index(host, interface), 1, 0, b""))  # promiscuous
        self.socket.setblocking(False)

    def frames(self) -> list[bytes]:
        seen = []
        with contextlib.suppress(BlockingIOError):
            while True:
                seen.append(self.socket.recv(2048))
        return seen

    def close(self) -> None:
        self.socket.close()


def socket_index(host: Host, interface: str) -> int:
    with host.entered():
        return socket.if_nametoindex(interface)


def source_of(frame: bytes) -> str:
    return frame[6:12].hex(":")


def is_advert(frame: bytes) -> bool:
    return (frame[12:14] == b"\x08\x00" and frame[23] == 112) or (frame[12:14] == b"\x86\xdd" and frame[20] == 112)
