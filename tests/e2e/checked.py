"""checked.py KIND PORT [ARGUMENT]...: one server for checkers to judge, well-behaved or not.

    dns RCODE           answers each question with that code and no records
    dns-noise           answers each question with datagrams that are no answer to it
    smtp LINE...        says the lines one after the other: the first at once, each other one after a command
    silent              accepts and says nothing
    drip SECONDS TEXT   a byte each so many seconds, again and again
    flood TEXT PIECE    TEXT, then PIECE for ever, as fast as it is taken
    reset TEXT          TEXT once asked, then a reset
    say TEXT            TEXT once asked, then a close
All speak as soon as they are connected to, but for `reset` and `say`. In texts \\r and \\n are what they are in C.
"""

import contextlib
import socket
import struct
import sys
import threading
import time


def datagrams(port: int) -> socket.socket:
    """IPv4 and IPv6."""
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", port))
    return server


def dns(port: int, rcode: str) -> None:
    server = datagrams(port)
    while True:
        question, client = server.recvfrom(512)
        server.sendto(question[:2] + struct.pack("!H", 0x8180 | int(rcode)) + question[4:], client)


def dns_noise(port: int) -> None:
    server = datagrams(port)
    while True:
        question, client = server.recvfrom(512)
        other_id = bytes([question[0] ^ 1, question[1]])
        for noise in (question, b"", b"x", other_id + b"\x81\x80" + question[4:], bytes(3000)):
            server.sendto(noise, client)


def smtp(connection: socket.socket, *lines: str) -> None:
    file = connection.makefile("rb")
    for number, line in enumerate(lines):
        if number > 0 and not file.readline():
            return
        connection.sendall(line.encode() + b"\r\n")
    file.readline()


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def drip(connection: socket.socket, seconds: str, text: str) -> None:
    while True:
        for byte in text.encode():
            connection.sendall(bytes([byte]))
            time.sleep(float(seconds))


def flood(connection: socket.socket, text: str, piece: str) -> None:
    connection.sendall(text.encode())
    pieces = piece.encode() * (65536 // len(piece))
    while True:
        connection.sendall(pieces)


def reset(connection: socket.socket, text: str) -> None:
    connection.recv(4096)
    connection.sendall(text.encode())
    time.sleep(0.1)  # it is to arrive first
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say(connection: socket.socket, text: str) -> None:
    connection.recv(4096)
    connection.sendall(text.encode())


def converse(connection: socket.socket, kind: str, arguments: list[str]) -> None:
    with connection, contextlib.suppress(OSError):
        {"smtp": smtp, "silent": silent, "drip": drip, "flood": flood, "reset": reset, "say": say}[kind](
            connection, *arguments)


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    arguments = [text.replace("\\r", "\r").replace("\\n", "\n") for text in sys.argv[3:]]
    if kind.startswith("dns"):
        {"dns": dns, "dns-noise": dns_noise}[kind](port, *arguments)
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        threading.Thread(target=converse, args=(listener.accept()[0], kind, arguments), daemon=True).start()


if __name__ == "__main__":
    main()
