"""Advertisements made by hand, right and wrong, as whole Ethernet frames; and how to put them on a wire."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import struct
import time
from collections.abc import Iterator

from netns import Host

GROUP, GROUP6 = "224.0.0.18", "ff02::12"
VRRP, AH = 112, 51
HMAC_KEY = bytes(range(32))
HMAC = f"auth_hmac {{\n key 1 hex:{HMAC_KEY.hex()}\n }}"
HMAC_BYTES = 28


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_checksum(pdu: bytes, over: bytes = b"") -> bytes:
    """over: the pseudo-header."""
    blank = pdu[:6] + b"\0\0" + pdu[8:]
    return blank[:6] + struct.pack("!H", checksum(over + blank)) + blank[8:]


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def ethernet(packet: bytes, source: str = "02:00:00:00:01:09", destination: str = "01:00:5e:00:00:12") -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return bytes.fromhex((destination + source).replace(":", "")) + kind + packet


def ipv4(payload: bytes, source: str, destination: str = GROUP, ttl: int = 255, protocol: int = VRRP,
         number: int = 1) -> bytes:
    header = struct.pack("!BBHHHBBH", 0x45, 0xc0, 20 + len(payload), number, 0, ttl, protocol, 0)
    header += packed(source) + packed(destination)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(payload: bytes, source: str, destination: str = GROUP6, hop_limit: int = 255) -> bytes:
    return struct.pack("!IHBB", 0x6c000000, len(payload), VRRP, hop_limit) + packed(source) + packed(destination) + payload


def v2(vrid: int = 51, priority: int = 200, addresses: tuple[str, ...] = ("10.98.0.100",), auth_type: int = 0,
       auth: bytes = b"", interval: int = 1, head: int = 0x21) -> bytes:
    pdu = struct.pack("!BBBBBBH", head, vrid, priority, len(addresses), auth_type, interval, 0)
    return with_checksum(pdu + b"".join(map(packed, addresses)) + auth.ljust(8, b"\0"))


def v3(source: str, vrid: int = 51, priority: int = 200, addresses: tuple[str, ...] = ("10.98.0.100",),
       interval: int = 10, head: int = 0x31, destination: str = "") -> bytes:
    """interval: centiseconds."""
    pdu = struct.pack("!BBBBHH", head, vrid, priority, len(addresses), interval, 0) + b"".join(map(packed, addresses))
    if ":" in source:
        return with_checksum(pdu, packed(source) + packed(destination or GROUP6) + struct.pack("!II", len(pdu), VRRP))
    return with_checksum(pdu, packed(source) + packed(destination or GROUP) + struct.pack("!BBH", 0, VRRP, len(pdu)))


def ah(pdu: bytes, source: str, sequence: int, password: bytes = b"s3cret12", payload_length: int = 4,
       spi: str = "") -> bytes:
    """The whole IP packet, to the group."""
    def packet(digest: bytes) -> bytes:
        header = struct.pack("!BBH", VRRP, payload_length, 0) + packed(spi or source) + struct.pack("!I", sequence)
        return ipv4(header + digest + pdu, source, protocol=AH, number=sequence)

    blank = bytearray(packet(b"\0" * 12))
    blank[1] = 0
    blank[6:8] = blank[10:12] = b"\0\0"
    return packet(hmac.new(password, bytes(blank), hashlib.md5).digest()[:12])


def signed(pdu: bytes, source: str, key: bytes = HMAC_KEY, key_id: int = 1, at: float | None = None, kind: int = 1,
           counter: int = 0) -> bytes:
    """With auth_hmac's trailer. at: when it says that it was signed, seconds of the epoch."""
    at = time.time() if at is None else at
    head = struct.pack("!BBHIHH", kind, key_id, 0, int(at), int(at % 1 * 65536), counter)
    scope = bytes([6 if ":" in source else 4, pdu[0] >> 4, pdu[1], 0]) + packed(source).ljust(16, b"\0")
    digest = hmac.new(key, scope + pdu[:6] + b"\0\0" + pdu[8:] + head + b"\0" * 16, hashlib.sha256).digest()
    return pdu + head + digest[:16]


def unsigned(frame: bytes) -> tuple[bytes, bytes, str]:
    """Of an advertisement's frame: the advertisement, auth_hmac's trailer, the sender's address."""
    if frame[12:14] == b"\x86\xdd":
        return frame[54:-HMAC_BYTES], frame[-HMAC_BYTES:], socket.inet_ntop(socket.AF_INET6, frame[22:38])
    return frame[34:-HMAC_BYTES], frame[-HMAC_BYTES:], socket.inet_ntop(socket.AF_INET, frame[26:30])


@contextlib.contextmanager
def sender(host: Host, interface: str = "eth0") -> Iterator[socket.socket]:
    """A socket that puts whole frames on the host's wire by send()."""
    with host.entered():
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with opened:
        opened.bind((interface, 0))
        yield opened
