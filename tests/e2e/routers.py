"""VRRP routers beside each other on one wire, ours, keepalived and FRR: two routers, `alpha` and `beta`, and a client.

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
FRR = Path("/usr/lib/frr")
HAS_FRR = (FRR / "vrrpd").exists()
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

    def running(self) -> bool:
        return self.process is not None and self.process.running()

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

    def wait_master(self, address: str = VIP, seconds: float = 8.0, interface: str = "eth0") -> None:
        self._wait(f"{self.kind} on {self.host.name} has {address}", lambda: self.has(address, interface), seconds)

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


class Frr(Router):
    """zebra and vrrpd of FRR. It makes no interfaces: the address is on a macvlan from the start, and while it isn't
    master it keeps that down by `protodown`. Its configuration is what an instance's lines are in FRR's words."""

    kind = "frr"

    def __init__(self, host: Host, config: str, vrid: int = 51) -> None:
        super().__init__(host, config)
        self.vrid = vrid

    def macvlan(self, is_v6: bool) -> str:
        return f"vrrp{6 if is_v6 else 4}-{self.vrid}"

    def start(self) -> Frr:
        for family, address in (("ip", VIP + "/24"), ("ipv6", "fd98::100/64")):
            name = self.macvlan(family == "ipv6")
            if f"vrrp {self.vrid} {family} " not in self.config.read_text() or name in self.host.show("-br", "link"):
                continue
            # The mode that makes link-local addresses differ between routers can't be given with the link's creation.
            self.host.ip(f"link add {name} link eth0 type macvlan mode bridge", f"link set {name} addrgenmode random",
                         f"link set {name} address 00:00:5e:00:0{2 if family == 'ipv6' else 1}:{self.vrid:02x}")
            self.host.sysctl(f"net.ipv6.conf.{name}.disable_ipv6={0 if family == 'ipv6' else 1}")
            self.host.ip(f"address add {address} dev {name}" + (" nodad" if family == "ipv6" else ""),
                         f"link set {name} up")
        # vrrpd tries again after ten seconds only: zebra must listen by then, and not its predecessor's socket.
        (self.directory / "zserv.api").unlink(missing_ok=True)
        self.zebra = self._daemon("zebra", self.directory / "empty.conf")
        until("zebra listens", lambda: (self.directory / "zserv.api").exists())
        self.process = self._daemon("vrrpd", self.config)
        return self

    def _daemon(self, name: str, config: Path) -> Process:
        config.touch()
        shutil.chown(self.directory, "frr", "frr")  # as whom it runs: it refuses to be root
        return self.host.start(FRR / name, "-u", "frr", "-g", "frr", "-f", config, "-i", self.directory / f"{name}.pid",
                               "-z", self.directory / "zserv.api", "--vty_socket", self.directory, "-P", "0",
                               "--log", "stdout", name=f"frr-{name}")

    def stop(self) -> int:
        for each in (self.process, self.zebra):
            each.stop()
        return 0

    def show(self) -> dict:
        shown = self.host.run("vtysh", "--vty_socket", self.directory, "-c", "show vrrp json").stdout
        return next(each for each in json.loads(shown) if each["vrid"] == self.vrid)

    def has(self, address: str = VIP, interface: str = "") -> bool:
        status = self.show()["v6" if ":" in address else "v4"]["status"] if self.running() else ""
        return status == "Master"


def make_router(kind: str, host: Host, config: str, build: Build) -> Router:
    """Not started. Of Frr, config is its own language."""
    if kind == "sluice":
        return Sluice(host, config, build)
    return {"keepalived": Keepalived, "frr": Frr}[kind](host, config)
