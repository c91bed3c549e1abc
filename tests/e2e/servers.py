"""What runs on real servers: nginx and an echo that tell who answered, and what can be done to them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from netns import Failed, Host, Process, until

HERE = Path(__file__).parent

NGINX_CONFIG = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_max_body_size 0;
  {temporary}
{servers}
}}
"""

# keepalive_timeout 0: a new connection for each request is what a balancer's test wants, whatever the client asks.
NGINX_SERVER = """\
  server {{
    listen {port} backlog=4096;
    keepalive_timeout 0;
    sendfile on;
    default_type text/plain;
    location / {{ add_header X-Port {port}; return 200 "{name}\\n"; }}
    location /busy {{ return 503; }}
    location /client {{ return 200 "$remote_addr $remote_port\\n"; }}
    location /files {{ alias {files}; }}
  }}
"""


class Server:
    """A program on a host that can be stopped, killed and started again."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.process: Process | None = None

    def argv(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        if self.process is None or not self.process.running():
            self.process = self.host.start(*self.argv())

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        """As if the machine lost power, but for the kernel, which answers with RST."""
        if self.process:
            self.process.kill()

    def ports(self) -> list[str]:
        """What `ss` must show for it to be ready, as "tcp 80"."""
        raise NotImplementedError

    def wait_ready(self) -> None:
        for wanted in self.ports():
            protocol, port = wanted.split()
            until(f"{self.host.name} listens on {wanted}",
                  lambda: self._alive() and self._listens(protocol, port))

    def _alive(self) -> bool:
        if not self.process.running():
            raise Failed(f"{self.process.argv} ended:\n{self.process.output()}")
        return True

    def _listens(self, protocol: str, port: str) -> bool:
        flag = "-t" if protocol == "tcp" else "-u"
        return f":{port} " in self.host.run("ss", "-H", "-n", "-l", flag).stdout


# By name: "www" is the server that a client asks for by TLS' server name; who names none gets the first.
NGINX_TLS_SERVER = """\
  server {{
    listen {port} ssl{default};
    server_name {name};
    ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key;
    {client}
    keepalive_timeout 0;
    default_type text/plain;
    location / {{ return 200 "{name} asked for $ssl_server_name by $ssl_client_s_dn\n"; }}
    location /busy {{ return 503; }}
    location /files {{ alias {files}; }}
  }}
"""


def make_certificate(directory: Path, name: str, password: str = "") -> None:
    """NAME.key and NAME.pem: self-signed, as nobody checks it."""
    key = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", *key, "-subj", f"/CN={name}", "-days", "2",
                    "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem"],
                   check=True, capture_output=True)


class Nginx(Server):
    def __init__(self, host: Host, name: str, ports: list[int]) -> None:
        super().__init__(host)
        self.directory = host.lab.directory / f"nginx-{host.name}"
        self.files = self.directory / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._ports = ports
        temporary = " ".join(f"{kind}_temp_path {self.directory}/{kind};"
                             for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        servers = "".join(NGINX_SERVER.format(port=port, name=name, files=self.files) for port in ports)
        self.config = self.directory / "nginx.conf"
        self.config.write_text(NGINX_CONFIG.format(directory=self.directory, temporary=temporary, servers=servers))

    def argv(self) -> list[str]:
        # "user root": the lab's directory is nobody else's to read.
        return ["nginx", "-p", str(self.directory), "-c", str(self.config), "-e", "stderr", "-g", "user root;"]

    def ports(self) -> list[str]:
        return [f"tcp {port}" for port in self._ports]

    def offer_tls(self, port: int, *names: str, client: str = "") -> None:
        """From its next start on, also in TLS, under these names. client: lines about the clients' certificates."""
        make_certificate(self.directory, "server")
        servers = "".join(NGINX_TLS_SERVER.format(port=port, name=name, directory=self.directory, files=self.files,
                                                  client=client, default=" default_server" if name == names[0] else "")
                          for name in names)
        text = self.config.read_text()
        end = text.rindex("}")
        self.config.write_text(text[:end] + servers + text[end:])
        self._ports = [*self._ports, port]

    def offer(self, name: str, size: int) -> str:
        """Makes /files/NAME of `size` random bytes; returns its SHA-256."""
        digest = hashlib.sha256()
        with open(self.files / name, "wb") as file:
            while size > 0:
                block = os.urandom(min(size, 1 << 20))
                digest.update(block)
                file.write(block)
                size -= len(block)
        return digest.hexdigest()


class Echo(Server):
    """Answers each datagram with "NAME DATA", and a TCP upload with its SHA-256 (see echo.py)."""

    def __init__(self, host: Host, name: str, udp_ports: list[int], tcp_port: int) -> None:
        super().__init__(host)
        self._name = name
        self._udp_ports = udp_ports
        self._tcp_port = tcp_port

    def argv(self) -> list[str]:
        return [sys.executable, str(HERE / "echo.py"), self._name, ",".join(map(str, self._udp_ports)),
                str(self._tcp_port)]

    def ports(self) -> list[str]:
        return [*(f"udp {port}" for port in self._udp_ports), f"tcp {self._tcp_port}"]


class Checked(Server):
    """A server for checkers to judge; kind and arguments are those of checked.py."""

    def __init__(self, host: Host, kind: str, port: int, *arguments: str) -> None:
        super().__init__(host)
        self._protocol = "udp" if kind.startswith("dns") else "tcp"
        self._port = port
        self._command = [sys.executable, str(HERE / "checked.py"), kind, str(port), *arguments]

    def argv(self) -> list[str]:
        return self._command

    def ports(self) -> list[str]:
        return [f"{self._protocol} {self._port}"]

    def run(self) -> Checked:
        self.start()
        self.wait_ready()
        return self
