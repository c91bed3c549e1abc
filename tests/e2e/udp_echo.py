"""udp_echo.py NAME PORT...: answers each datagram with "NAME DATA", from the very address it was sent to.

A server behind DR or TUN must answer from the VIP; a plain UDP socket would take the interface's address.
"""

import selectors
import socket
import struct
import sys

IP_PKTINFO = 8  # Linux; the socket module of Debian 12 doesn't name it


def echo(server: socket.socket, name: bytes) -> None:
    data, ancillary, _, client = server.recvmsg(65535, 256)
    for level, kind, content in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, _, destination = struct.unpack("i4s4s", content[:12])
            answer_from = struct.pack("i4s4s", 0, destination, bytes(4))
            server.sendmsg([name, b" ", data], [(socket.IPPROTO_IP, IP_PKTINFO, answer_from)], 0, client)


def main() -> None:
    name, ports = sys.argv[1].encode(), sys.argv[2:]
    selector = selectors.DefaultSelector()
    for port in ports:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        server.bind(("0.0.0.0", int(port)))
        selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            echo(key.fileobj, name)


if __name__ == "__main__":
    main()
