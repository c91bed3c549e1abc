#!/usr/bin/env python3
"""Records what Linux IPVS chooses through a random history of one service; kernel_log_test.cc replays the record.

usage: record.py INTERFACE SCHEDULER SEED STEPS [sh-fallback,sh-port,tight] > NAME.log
       tight: every server has an upper threshold, and connections end sooner than the list changes, so that again and
              again nobody is left to choose and then somebody is

Needs root, ipvsadm, and a machine (or network namespace) of its own: it adds addresses to INTERFACE, which must be up,
and flushes the IPVS table. Packets are made here and leave through IPVS's LOCAL_OUT hook to addresses that nobody
has; a fwmark service takes them, so that their destination address may vary too. Real servers are 10.0.2.11 ('A') and
on; all are reached by direct routing, so each connection's state follows from the client's packets alone.

One line per event, in order:
  service SCHEDULER [OPTION...]         add|edit NAME WEIGHT UPPER LOWER       remove NAME
  connect CLIENT:PORT ADDRESS NAME|-    finish N     end N     (Nth successful connection: turns inactive; is gone)
  list NAME:WEIGHT:ACTIVE:INACTIVE...   what IPVS shows at this point, in its own order
"""

import random
import socket
import struct
import subprocess
import sys
import time

MARK = 5
SYN, ACK, FIN = 0x02, 0x10, 0x01
NAMES = "ABCDEFG"
WEIGHTS = [0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 9, 10, 100, 300, 65535]
FIN_LONG_S = 3600  # inactive connections stay until they are asked to end


def run(*command):
    subprocess.run(command, check=True)


def ip_text(hexadecimal):
    return socket.inet_ntoa(bytes.fromhex(hexadecimal))


class Ipvs:
    """One fwmark service on this machine, and clients that send single TCP segments to it."""

    def __init__(self, interface, scheduler, options):
        run("ip", "addr", "add", "10.0.2.1/24", "dev", interface)
        for network in ("10.0.1.0/24", "10.9.1.0/24"):
            run("ip", "route", "add", network, "dev", interface)
        for i, _ in enumerate(NAMES):
            run("ip", "neigh", "add", f"10.0.2.{11 + i}", "lladdr", f"02:00:00:00:02:{11 + i:02x}", "dev", interface)
        run("ipvsadm", "-C")
        run("ipvsadm", "--set", "3600", str(FIN_LONG_S), "300")
        run("ipvsadm", "-A", "-f", str(MARK), "-s", scheduler, *(["-b", ",".join(options)] if options else []))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)

    def destination(self, action, name, *arguments):
        run("ipvsadm", action, "-f", str(MARK), "-r", f"10.0.2.{11 + NAMES.index(name)}:0", *arguments)

    def send(self, connection, flags):
        client, port, to = connection
        tcp = struct.pack("!HHIIBBHHH", port, 80, 1, 1, 5 << 4, flags, 1024, 0, 0)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, socket.inet_aton(client), socket.inet_aton(to))
        try:
            self.socket.sendto(ip + tcp, (to, 0))
        except PermissionError:
            pass  # how LOCAL_OUT tells that IPVS dropped it

    @staticmethod
    def connections():
        """(client, port, address) -> (server's name, state)"""
        found = {}
        with open("/proc/net/ip_vs_conn", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                _, client, port, to, _, server, _, state, *_ = line.split()
                found[ip_text(client), int(port, 16), ip_text(to)] = (NAMES[int(server[6:], 16) - 11], state)
        return found

    @staticmethod
    def shown():
        """The list line."""
        entries = []
        with open("/proc/net/ip_vs", encoding="ascii") as table:
            for line in table.readlines()[3:]:
                fields = line.split()
                if fields[0] == "->":
                    entries.append(f"{NAMES[int(fields[1][6:8], 16) - 11]}:{fields[3]}:{fields[4]}:{fields[5]}")
        return " ".join(["list", *entries])

    def change_state(self, connection, flags, expected):
        self.send(connection, flags)
        state = self.connections()[connection][1]
        if state != expected:
            raise RuntimeError(f"{connection} is {state}, expected {expected}")


class Recorder:
    def __init__(self, ipvs, seed, tight):
        self.ipvs = ipvs
        self.tight = tight
        self.random = random.Random(seed)
        self.present = {}  # name -> nothing; the servers in the service
        self.made = []  # connections by number
        self.server = []
        self.active, self.inactive = [], []
        self.used = set()

    def run(self, steps):
        for _ in range(4):
            self.add()
        events = [self.add, self.edit, self.remove, self.finish, self.end, self.connect]
        shares = [2, 2, 1, 25, 15, 55] if self.tight else [8, 6, 4, 15, 3, 64]
        for step in range(steps):
            (event,) = self.random.choices(events, shares)
            event()
            if step % 10 == 9:
                print(self.ipvs.shown(), flush=True)

    def weight(self):
        return self.random.choice(WEIGHTS if self.random.randrange(4) == 0 else WEIGHTS[:12])

    def thresholds(self):
        if not self.tight and self.random.randrange(3) != 0:
            return 0, 0
        upper = self.random.randint(1, 5)
        return upper, self.random.choice([0, self.random.randint(0, upper)])

    def configure(self, action, option, name):
        weight, (upper, lower) = self.weight(), self.thresholds()
        self.ipvs.destination(option, name, "-g", "-w", str(weight), "-x", str(upper), "-y", str(lower))
        print(action, name, weight, upper, lower)

    def add(self):
        name = self.random.choice(NAMES)
        if name not in self.present:
            self.configure("add", "-a", name)
            self.present[name] = None

    def edit(self):
        if self.present:
            self.configure("edit", "-e", self.random.choice(list(self.present)))

    def remove(self):
        if self.present:
            name = self.random.choice(list(self.present))
            self.ipvs.destination("-d", name)
            del self.present[name]
            print("remove", name)

    def connect(self):
        while True:
            connection = (f"10.0.1.{self.random.randint(1, 200)}", self.random.randint(1024, 65535),
                          f"10.9.1.{self.random.randint(1, 6)}")
            if connection[:2] not in self.used:
                break
        self.used.add(connection[:2])
        self.ipvs.send(connection, SYN)
        server, _ = self.ipvs.connections().get(connection, ("-", None))
        print("connect", f"{connection[0]}:{connection[1]}", connection[2], server)
        if server != "-":
            self.ipvs.change_state(connection, ACK, "ESTABLISHED")
            self.active.append(len(self.made))
            self.made.append(connection)
            self.server.append(server)

    def reachable(self, numbers):
        """A packet of a connection whose server was removed is dropped and changes nothing."""
        return [number for number in numbers if self.server[number] in self.present]

    def finish(self):
        candidates = self.reachable(self.active)
        if candidates:
            number = self.random.choice(candidates)
            self.ipvs.change_state(self.made[number], FIN, "FIN_WAIT")
            self.active.remove(number)
            self.inactive.append(number)
            print("finish", number)

    def end(self):
        candidates = self.reachable(self.inactive)
        ending = self.random.sample(candidates, min(len(candidates), self.random.randint(1, 12)))
        if not ending:
            return
        run("ipvsadm", "--set", "0", "1", "0")
        for number in ending:
            self.ipvs.change_state(self.made[number], FIN, "FIN_WAIT")
        run("ipvsadm", "--set", "0", str(FIN_LONG_S), "0")
        deadline = time.monotonic() + 10
        while self.ipvs.connections().keys() & {self.made[number] for number in ending}:
            if time.monotonic() > deadline:
                raise RuntimeError("connections don't end")
            time.sleep(0.1)
        for number in ending:
            self.inactive.remove(number)
            print("end", number)


def main():
    if len(sys.argv) not in (5, 6):
        print(__doc__, file=sys.stderr)
        return 2
    interface, scheduler, seed, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    options = sys.argv[5].split(",") if len(sys.argv) == 6 else []
    tight = "tight" in options
    options = [option for option in options if option != "tight"]
    kernel = subprocess.run(["uname", "-r"], check=True, capture_output=True, text=True).stdout.strip()
    ipvs = Ipvs(interface, scheduler, options)
    print(f"# IPVS of Linux {kernel}, seed {seed}, {steps} steps; written by record.py")
    print(" ".join(["service", scheduler, *options]))
    Recorder(ipvs, seed, tight).run(steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
