"""The network that the end-to-end tests and the demo run on.

          client  10.0.1.10 (and 10.0.1.1 to .12 where a test wants several clients)
             |
    ==== front 10.0.1.0/24 =========================  bridge in host `lan`
             |                              |
         director 10.0.1.253           lan 10.0.1.254     lan: a plain router, the way back for
         VIP      10.0.1.100                |             DR and TUN, which bypasses the director
         director 10.0.2.253           lan 10.0.2.254
             |                              |
    ==== back 10.0.2.0/24 ==========================  bridge in host `lan`
         |          |          |
       web1       web2       web3
       10.0.2.11  10.0.2.12  10.0.2.13

How a real server must be set up depends on the forwarding mode, as on real machines:
    NAT  default gateway is the director, so that replies come back through it
    DR   has the VIP on lo, doesn't answer ARP for it, replies to the client through `lan`
    TUN  as DR, and takes the outer header off what arrives (bpf/decap.bpf.c: there is no kernel ipip here)
"""

from __future__ import annotations

from pathlib import Path

from netns import Host, Lab
from servers import Echo, Nginx

VIP = "10.0.1.100"
CLIENT = "10.0.1.10"
DIRECTOR_FRONT = "10.0.1.253"
DIRECTOR_BACK = "10.0.2.253"
LAN_FRONT = "10.0.1.254"
LAN_BACK = "10.0.2.254"

HTTP = 80        # every server listens on both: in NAT the port is translated
HTTP_ALTERNATIVE = 8080
UDP = 53
UDP_ALTERNATIVE = 5353
UPLOAD = 7000      # answers with the SHA-256 of what it was sent


class RealServer:
    """web1, web2 ...: nginx and an echo that both say who they are."""

    def __init__(self, topology: Topology, number: int) -> None:
        self.topology = topology
        self.name = f"web{number}"
        self.address = f"10.0.2.{10 + number}"
        self.host = topology.lab.host(self.name)
        topology.join(self.host, "eth0", "back", f"{self.address}/24", port=self.name)
        self.nginx = Nginx(self.host, self.name, [HTTP, HTTP_ALTERNATIVE])
        self.echo = Echo(self.host, self.name, [UDP, UDP_ALTERNATIVE], UPLOAD)

    def start(self) -> None:
        self.nginx.start()
        self.echo.start()

    def prepare(self, mode: str, vips: list[str]) -> None:
        """Makes it ready to serve `vips` in a forwarding mode: NAT, DR or TUN."""
        gateway = DIRECTOR_BACK if mode == "NAT" else LAN_BACK
        self.host.ip(f"route replace default via {gateway}", "addr flush dev lo", "addr add 127.0.0.1/8 dev lo",
                     "link set eth0 xdp off")
        if mode == "NAT":
            return
        self.host.sysctl("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
        self.host.ip(*(f"addr add {vip}/32 dev lo" for vip in vips))
        if mode == "TUN":
            self.host.ip(f"link set eth0 xdpdrv obj {self.topology.decapsulator} sec xdp")


class Topology:
    def __init__(self, lab: Lab, decapsulator: Path | None = None, servers: int = 3, queues: int = 1) -> None:
        """decapsulator: decap.bpf.o, which TUN needs. queues: of the director's interfaces, and so workers."""
        self.lab = lab
        self.decapsulator = decapsulator
        self.lan = lab.host("lan")
        # With a MAC of its own, or a bridge changes its address when a port with a lower one is plugged in.
        for bridge, address, mac in (("front", LAN_FRONT, "02:00:00:00:00:f1"), ("back", LAN_BACK, "02:00:00:00:00:f2")):
            self.lan.ip(f"link add {bridge} address {mac} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up",
                        f"addr add {address}/24 dev {bridge}")
        self.lan.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0")
        # A plain switch: without these it would look into packets and drop the broken ones that tests send.
        self.lan.run("sysctl", "-q", "-e", "-w", "net.bridge.bridge-nf-call-iptables=0")

        self.client = lab.host("client")
        self.join(self.client, "eth0", "front", f"{CLIENT}/24", port="client")
        self.client.ip(f"route add default via {LAN_FRONT}")

        self.director = lab.host("director")
        self.join(self.director, "front", "front", f"{DIRECTOR_FRONT}/24", port="dir-front", queues=queues)
        self.join(self.director, "back", "back", f"{DIRECTOR_BACK}/24", port="dir-back", queues=queues)

        self.web = [RealServer(self, number) for number in range(1, servers + 1)]

    def join(self, host: Host, interface: str, bridge: str, address: str, port: str, queues: int = 1) -> None:
        """Plugs a host into a bridge: `interface` on the host, `port` on the bridge's side."""
        self.lab.wire(self.lan, port, host, interface, queues)
        self.lan.ip(f"link set {port} master {bridge}")
        host.ip(f"addr add {address} dev {interface}")

    def start_servers(self) -> None:
        for server in self.web:
            server.start()
        for server in self.web:
            server.nginx.wait_ready()
            server.echo.wait_ready()

    def add_vip(self, vip: str = VIP) -> None:
        self.director.ip(f"addr replace {vip}/32 dev front")

    def prepare(self, mode: str, vips: list[str] | None = None) -> None:
        """Director and servers as `mode` wants them. May be called again for another mode."""
        vips = vips or [VIP]
        for vip in vips:
            self.add_vip(vip)
        for server in self.web:
            server.prepare(mode, vips)
