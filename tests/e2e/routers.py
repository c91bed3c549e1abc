"""VRRP routers beside each other on one wire, ours and keepalived: two routers, `alpha` and `beta`, and a client.

      client 10.98.0.9      fd98::9
         |
    ==== lan ====================================  bridge in host `lan`
         |                                   |
      alpha eth0 10.98.0.1  fe80::ff:fe00:101    beta eth0 10.98.0.2  fe80::ff:fe00:102
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
from pathlib import Path

from director import Build
from netns import Failed, Host, Lab, Process, until

KEEPALIVED = shutil.which("keepalived")
ADDRESS = {"alpha": "10.98.0.1", "beta": "10.98.0.2", "client": "10.98.0.9"}
MAC = {"alpha": "02:00:00:00:01:01", "beta": "02:00:00:00:01:02", "client": "02:00:00:00:01:09"}
VIP = "10.98.0.100"


def instance(name: str = "VI_1", *lines: str, vrid: int = 51, priority: int = 100, state: str = "BACKUP",
             vips: tuple[str, ...] = (f"{VIP}/24",), interface: str = "eth0") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    addresses = "".join(f"        {vip}\n" for vip in vips)
    return (f"vrrp_instance {name} {{\n    state {state}\n    interface {interface}\n    virtual_router_id {vrid}\n"
            f"    priority {priority}\n{body}    virtual_ipaddress {{\n{addresses}    }}\n}}\n")


class Wire:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.lan = lab.host("lan")
        self.lan.ip("link add lan type bridge", "link set lan type bridge mcast_snooping 0", "link set lan up")
        self.hosts: dict[str, Host] = {}
        for name in ADDRESS:
            host = self.hosts[name] = lab.host(name)
            lab.wire(host, "eth0", self.lan, name)
            self.lan.ip(f"link set {name} master lan")
            host.ip("link set eth0 down", f"link set eth0 address {MAC[name]}", "link set eth0 up",
                    f"address add {ADDRESS[name]}/24 dev eth0")
            host.sysctl("net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.eth0.disable_ipv6=0",
                        "net.ipv6.conf.eth0.accept_dad=0")

    def reaches(self, address: str = VIP) -> bool:
        """The client gets an answer from whoever has the address: a reset, because nobody listens there."""
        with self.hosts["client"].entered(), socket.socket() as connection:
            connection.settimeout(1)
            return connection.connect_ex((address, 9)) == errno.ECONNREFUSED


class Router:
    """Runs a configuration on a host. Subclasses say what runs it."""

    kind = ""

    def __init__(self, host: Host, config: str) -> None:
        self.host = host
        self.directory = host.lab.directory / f"{host.name}-{self.kind}"
        self.directory.mkdir(exist_ok=True)
        self.config = self.directory / "keepalived.conf"
        self.config.write_text(config)
        self.process: Process | None = None

    def start(self) -> Router:
        raise NotImplementedError

    def stop(self) -> int:
        """TERM to the parent alone; what it has is given up when this returns."""
        os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(10)

    def kill(self) -> None:
        """As a host that loses power: nothing is said. Its address goes with it."""
        self.process.kill()
        self.host.ip("link set eth0 down")

    def log(self) -> str:
        return self.process.output() if self.process else ""

    def has(self, address: str = VIP, interface: str = "eth0") -> bool:
        return f" {address}/" in self.host.show("address", "show", "dev", interface)

    def wait_master(self, address: str = VIP, seconds: float = 8.0) -> None:
        self._wait(f"{self.kind} on {self.host.name} has {address}", lambda: self.has(address), seconds)

    def wait_backup(self, address: str = VIP, seconds: float = 8.0) -> None:
        self._wait(f"{self.kind} on {self.host.name} gave up {address}", lambda: not self.has(address), seconds)

    def _wait(self, what: str, condition, seconds: float) -> None:
        try:
            until(what, condition, seconds)
        except Failed as error:
            raise Failed(f"{error}\n{self.log()[-5000:]}") from None


class Sluice(Router):
    kind = "sluiced"

    def __init__(self, host: Host, config: str, build: Build) -> None:
        super().__init__(host, config)
        self.build = build
        self.socket = self.directory / "sluiced.sock"

    def start(self, wait: bool = True) -> Sluice:
        self.process = self.host.start("env", f"TMPDIR={self.directory}", self.build.sluiced, "-f", self.config, "--socket", self.socket, "-p",
                                       self.directory / "pid", "-c", self.directory / "director.pid", "-n", "-l", "-D",
                                       name="sluiced")
        if wait:
            self._wait("sluiced answers", lambda: self.ctl("vrrp", check=False).returncode == 0, 15)
        return self

    def ctl(self, *arguments: str, check: bool = True):
        return self.host.run(self.build.sluicectl, "--socket", self.socket, *arguments, check=check)

    def status(self, name: str = "VI_1") -> dict:
        instances = json.loads(self.ctl("vrrp", "--json").stdout)["vrrp_instances"]
        return next(each for each in instances if each["name"] == name)

    def reload(self, config: str) -> str:
        """What has changed by it, a line each."""
        self.config.write_text(config)
        return self.ctl("reload").stdout


class Keepalived(Router):
    kind = "keepalived"

    def start(self) -> Keepalived:
        if "router_id" not in (text := self.config.read_text()):
            self.config.write_text("global_defs {\n    router_id oracle\n}\n" + text)
        self.process = self.host.start(KEEPALIVED, "-n", "-l", "-D", "-P", "-f", self.config, "-p", self.directory / "pid",
                                       "-r", self.directory / "vrrp.pid", name="keepalived")
        return self
