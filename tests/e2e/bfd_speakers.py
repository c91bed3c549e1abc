"""Who speaks BFD on the wire of routers.py: ours, keepalived, FRR. Each runs one configuration of sessions, in its own
words; the same questions can be asked of all of them.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

from netns import Host, until
from routers import ADDRESS, FRR, KEEPALIVED, Frr, Keepalived, Sluice

ADDRESS6 = {name: "fd98::" + address.rsplit(".", 1)[1] for name, address in ADDRESS.items()}


@dataclass(frozen=True)
class Session:
    """From `own` to `neighbor`; name: as whose session it is known, where sessions have names."""

    own: str
    neighbor: str
    interval_ms: int = 50
    multiplier: int = 3
    passive: bool = False
    multihop: bool = False
    ttl_min: int = 255
    name: str = "b1"

    def keepalived(self, *lines: str) -> str:
        ttl = ("hoplimit" if ":" in self.neighbor else "ttl") + " 255"
        more = [*lines, ttl, f"max_hops {255 - self.ttl_min}"] + self.passive * ["passive"] + self.multihop * ["multihop"]
        return (f"bfd_instance {self.name} {{\n neighbor_ip {self.neighbor}\n source_ip {self.own}\n"
                f" min_rx {self.interval_ms}\n min_tx {self.interval_ms}\n multiplier {self.multiplier}\n"
                + "".join(f" {line}\n" for line in more) + "}\n")

    def frr(self) -> str:
        if self.multihop:
            peer = f" peer {self.neighbor} multihop local-address {self.own}\n  minimum-ttl {self.ttl_min}\n"
        else:
            peer = f" peer {self.neighbor} local-address {self.own} interface eth0\n"
        return ("bfd\n" + peer + f"  receive-interval {self.interval_ms}\n  transmit-interval {self.interval_ms}\n"
                f"  detect-multiplier {self.multiplier}\n" + self.passive * "  passive-mode\n" + "  no shutdown\n !\n!\n")


class SluiceBfd(Sluice):
    def session(self, name: str = "b1") -> dict:
        return next(each for each in self.bfd()["bfd_instances"] if each["name"] == name)

    def bfd(self) -> dict:
        return json.loads(self.ctl("bfd", "--json").stdout)

    def is_up(self) -> bool:
        return self.session()["state"] == "Up"


class KeepalivedBfd(Keepalived):
    def start(self) -> KeepalivedBfd:
        for left in self.directory.glob("*pid"):  # of one that was killed: keepalived takes it for running
            left.unlink()
        self.config.write_text("global_defs {\n    router_id oracle\n}\n" + self.config.read_text())
        self.process = self.host.start(KEEPALIVED, "-n", "-l", "-D", "-f", self.config, "-p", self.directory / "pid", "-r",
                                       self.directory / "vrrp.pid", "-c", self.directory / "check.pid", "-b",
                                       self.directory / "bfd.pid", name="keepalived")
        return self

    def is_up(self) -> bool:
        """As its log says, the only place where it does."""
        lines = [line for line in self.log().splitlines() if " Entering " in line and "(b1)" in line]
        return bool(lines) and "Entering Up" in lines[-1]


class FrrBfd(Frr):
    """zebra and bfdd."""

    kind = "frr-bfd"

    def start(self) -> FrrBfd:
        (self.directory / "zserv.api").unlink(missing_ok=True)
        self.zebra = self._daemon("zebra", self.directory / "empty.conf")
        until("zebra listens", lambda: (self.directory / "zserv.api").exists())
        self.process = self._bfdd()
        return self

    def _bfdd(self):
        return self.host.start(FRR / "bfdd", "-u", "frr", "-g", "frr", "-f", self.config, "-i", self.directory / "bfdd.pid",
                               "-z", self.directory / "zserv.api", "--vty_socket", self.directory, "-P", "0", "--bfdctl",
                               self.directory / "bfdd.sock", "--log", "stdout", name="frr-bfdd")

    def peer(self) -> dict:
        shown = self.host.run("vtysh", "--vty_socket", self.directory, "-d", "bfdd", "-c", "show bfd peers json").stdout
        return json.loads(shown)[0]

    def is_up(self) -> bool:
        return self.peer()["status"] == "up"


def speaker(kind: str, host: Host, session: Session, build, *lines: str, more: str = ""):
    """Not started. lines: further ones of the bfd_instance; more: what else stands in the file. Not for FRR."""
    if kind == "frr":
        return FrrBfd(host, session.frr())
    config = session.keepalived(*lines) + more
    return SluiceBfd(host, config, build) if kind == "sluice" else KeepalivedBfd(host, config)


def packet(state: int = 1, mine: int = 7, yours: int = 0, flags: int = 0, multiplier: int = 3, version: int = 1,
           diagnostic: int = 0, length: int = 24, min_tx: int = 1_000_000, min_rx: int = 50_000) -> bytes:
    """A control packet as RFC 5880 4.1 draws it. state: 0 AdminDown, 1 Down, 2 Init, 3 Up; intervals in microseconds."""
    return struct.pack("!BBBBIIIII", (version << 5) | diagnostic, (state << 6) | flags, multiplier, length, mine, yours,
                       min_tx, min_rx, 0)
