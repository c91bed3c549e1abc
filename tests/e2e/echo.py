"""echo.py NAME UDP_PORT,... TCP_PORT: what a real server answers beside nginx.

UDP: each datagram comes back as "NAME DATA", from the very address it was sent to (a server behind DR or TUN must answer
from the VIP; a plain socket would take the interface's address). TCP: reads until the client has sent all, then
answers with the SHA-256 of it.
"""

import hashlib
import selectors
import socket
import struct
import sys
import threading

IP_PKTINFO = 8  # Linux; the socket module of Debian 12 doesn't name it


def echo(server: socket.socket, name: bytes) -> None:
    data, ancillary, _, client = server.recvmsg(65535, 256)
    for level, kind, content in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, _, destination = struct.unpack("i4s4s", content[:12])
            answer_from = struct.pack("i4s4s", 0, destination, bytes(4))
            server.sendmsg([name, b" ", data], [(socket.IPPROTO_IP, IP_PKTINFO, answer_from)], 0, client)


def digest(connection: socket.socket) -> None:
    with connection:
        seen = hashlib.sha256()
        while block := connection.recv(1 << 16):
            seen.update(block)
        connection.sendall(seen.hexdigest().encode())


def main() -> None:
    name, udp_ports, tcp_port = sys.argv[1].encode(), sys.argv[2].split(","), int(sys.argv[3])
    selector = selectors.DefaultSelector()
    for port in udp_ports:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        server.bind(("0.0.0.0", int(port)))
        selector.register(server, selectors.EVENT_READ, echo)
    listener = socket.create_server(("0.0.0.0", tcp_port), backlog=64)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                threading.Thread(target=digest, args=(listener.accept()[0],), daemon=True).start()
            else:
                echo(key.fileobj, name)


if __name__ == "__main__":
    main()
