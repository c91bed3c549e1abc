"""pool_servers.py ADDRESS PORT:KIND...: one machine's servers for every kind of check, until they are ended together.

KIND: tcp (accepts and hangs up), http (answers 200 with a fixed page), smtp (greets and says yes), dns (answers with no
records), udp (sends back what it gets).
"""

import selectors
import socket
import struct
import sys

PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def dns(question: bytes) -> bytes:
    return question[:2] + struct.pack("!H", 0x8180) + question[4:]


def serve_stream(kind: str, connection: socket.socket) -> None:
    with connection:
        connection.settimeout(2)
        try:
            if kind == "http":
                connection.recv(4096)
                connection.sendall(PAGE)
            elif kind == "smtp":
                for answer in (b"220 ready\r\n", b"250 fine\r\n", b"221 bye\r\n"):
                    connection.sendall(answer)
                    connection.recv(4096)
        except OSError:
            pass


def main() -> None:
    selector = selectors.DefaultSelector()
    for word in sys.argv[2:]:
        port, kind = word.split(":")
        if kind in ("dns", "udp"):
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind((sys.argv[1], int(port)))
        else:
            server = socket.create_server((sys.argv[1], int(port)), backlog=64)
        selector.register(server, selectors.EVENT_READ, kind)
    while True:
        for key, _ in selector.select():
            if key.data in ("dns", "udp"):
                data, client = key.fileobj.recvfrom(512)
                key.fileobj.sendto(dns(data) if key.data == "dns" else data, client)
            else:
                serve_stream(key.data, key.fileobj.accept()[0])


if __name__ == "__main__":
    main()
