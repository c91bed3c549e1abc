"""snmpd, snmptrapd and the manager's commands on a host, in files and on ports of the test's own."""

from __future__ import annotations

import os
import re
import shutil
import time

from netns import Host, Process, until

HAS_SNMP = all(shutil.which(name) for name in ("snmpd", "snmptrapd", "snmpwalk", "snmpset"))

KEEPALIVED = "1.3.6.1.4.1.9586.100.5"
RFC2787 = "1.3.6.1.2.1.68"
RFC6527 = "1.3.6.1.2.1.207"
# net-snmp starts and stops with traps of its own.
OURS = (KEEPALIVED, RFC2787 + ".0.", RFC6527 + ".0.")


class SnmpMaster:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.directory = host.lab.directory / f"{host.name}-snmp"
        self.directory.mkdir()
        self.socket = f"unix:{self.directory}/agentx"
        self.config = self.directory / "master.conf"  # snmpd.conf is what snmpd itself writes at its end
        self.config.write_text(f"master agentx\nagentXSocket {self.socket}\nrwcommunity public\n"
                               "trap2sink 127.0.0.1:1162 public\n")
        self.traps_file = self.directory / "traps"
        self.sink: Process = self._start("snmptrapd", "-f", "-On", "-Lf", self.traps_file, "-C", "-F", "%v\\n", "-n",
                                         "--disableAuthorization=yes", "udp:127.0.0.1:1162")
        self.snmpd: Process | None = None
        self.start()

    def _start(self, *argv) -> Process:
        # MIBS: nothing is to be read by name, and nothing complained about.
        return self.host.start("env", "MIBS=", f"SNMP_PERSISTENT_DIR={self.directory}", *argv, name=argv[0])

    def start(self) -> None:
        self.snmpd = self._start("snmpd", "-f", "-Lf", self.directory / "log", "-C", "-c", self.config,
                                 "-I", "-smux,mteTrigger,mteTriggerConf", "udp:127.0.0.1:1161")
        until("snmpd answers", lambda: self.walk("1.3.6.1.2.1.1.5"))

    def stop(self) -> None:
        self.snmpd.stop()

    def _run(self, command: str, *arguments: str):
        return self.host.run("env", "MIBS=", command, "-v2c", "-c", "public", "-On", "-t", "3", "127.0.0.1:1161",
                             *arguments, check=False)

    def walk(self, root: str) -> dict[str, str]:
        """OID below the root -> "TYPE: value"."""
        objects = {}
        for line in self._run("snmpwalk", root).stdout.splitlines():
            name, _, value = line.partition(" = ")
            if not value.startswith("No Such") and name.startswith(f".{root}"):
                objects[name[len(root) + 2:]] = value.strip()
        return objects

    def get(self, oid: str) -> str:
        return self._run("snmpget", oid).stdout.partition(" = ")[2].strip()

    def set(self, oid: str, kind: str, value: str) -> str:
        """What is so now, or the error's name."""
        done = self._run("snmpset", oid, kind, value)
        reason = re.search(r"Reason: (\w+)", done.stderr)
        return reason[1] if reason else done.stdout.partition(" = ")[2].strip()

    def traps(self) -> list[list[str]]:
        """Of each trap its OID and its varbinds, "OID = TYPE: value"."""
        if not self.traps_file.exists():
            return []
        traps = []
        for line in self.traps_file.read_text().splitlines():
            values = [value.strip().removeprefix(".") for value in line.split("\t")]
            if len(values) < 2 or "1.3.6.1.6.3.1.1.4.1.0 = OID: ." not in values[1]:
                continue
            oid = values[1].partition("OID: .")[2]
            if oid.startswith(OURS):
                traps.append([oid, *values[2:]])
        return traps

    def wait_traps(self, what: str, condition, seconds: float = 10.0) -> None:
        until(what, lambda: condition(self.traps()), seconds)

    def settle(self, seconds: float = 1.0) -> None:
        """Until no trap has come for a while."""
        count, since = len(self.traps()), time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.05)
            if len(self.traps()) != count:
                count, since = len(self.traps()), time.monotonic()
