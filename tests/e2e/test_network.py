"""What happens around the engine: the network changes, the daemon dies, the kernel keeps its own traffic."""

import os
import socket
import time
from collections import Counter

import pytest
from scapy.config import conf as scapy
from scapy.layers.inet import ICMP, IP, TCP, UDP as UdpHeader
from scapy.layers.l2 import ARP, Ether
from scapy.sendrecv import AsyncSniffer, sendp

from client import Load, ask, connect, get, udp_ask
from director import TCP_CHECK, real_server, virtual_server
from netns import until
from servers import Nginx
from topology import CLIENT, DIRECTOR_BACK, HTTP, HTTP_ALTERNATIVE, LAN_BACK, UDP, VIP

scapy.verb = 0
A = "10.0.2.11"


def one_server(kind: str = "NAT", port: int = HTTP, protocol: str = "TCP", check: str = "") -> str:
    return virtual_server(VIP, port, kind=kind, protocol=protocol, servers=[real_server(A, port, check=check)])


class Capture:
    """Packets that a host's interface sees, while inside."""

    def __init__(self, host, interface: str, wanted: str) -> None:
        with host.entered():
            self._sniffer = AsyncSniffer(iface=interface, lfilter=wanted)
            self._sniffer.start()
            until("the capture runs", lambda: getattr(self._sniffer, "stop_cb", None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._sniffer.running:
            self._sniffer.stop()

    @property
    def packets(self):
        return self._sniffer.stop() if self._sniffer.running else self._sniffer.results


def test_traffic_follows_within_a_second_when_a_server_changes_its_mac(net, sluiced):
    net.prepare("DR")
    sluiced(one_server("DR"))
    assert get(net.client, VIP, HTTP) == "web1"

    server = net.web[0].host
    mac = "02:00:00:00:77:01"
    server.ip(f"link set eth0 address {mac}")
    net.web[0].prepare("DR", [VIP])  # routes may have gone with the link
    announce = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=2, hwsrc=mac, psrc=A, hwdst=mac, pdst=A)
    with server.entered():
        sendp(announce, iface="eth0")
    changed = time.monotonic()
    until("web1 answers again", lambda: get(net.client, VIP, HTTP, seconds=0.3) == "web1", 5)
    assert time.monotonic() - changed < 1.0


def test_a_server_behind_a_router_is_reached_through_it(lab, net, sluiced):
    """`far` is on a network of its own behind `lan`: TUN and NAT only need a route."""
    far = lab.host("far")
    lab.wire(net.lan, "far", far, "eth0")
    net.lan.ip("addr add 10.0.3.254/24 dev far")
    far.ip("addr add 10.0.3.11/24 dev eth0", "route add default via 10.0.3.254", f"addr add {VIP}/32 dev lo")
    nginx = Nginx(far, "far", [HTTP])
    nginx.start()
    nginx.wait_ready()
    net.director.ip(f"route add 10.0.3.0/24 via {LAN_BACK}")
    net.prepare("TUN")
    far.ip(f"link set eth0 xdpdrv obj {net.decapsulator} sec xdp")
    sluiced(virtual_server(VIP, HTTP, kind="TUN", servers=[real_server("10.0.3.11", HTTP)]))
    assert get(net.client, VIP, HTTP) == "far"


def test_nat_takes_one_off_the_ttl(net, sluiced):
    net.prepare("NAT")
    sluiced(one_server(port=UDP, protocol="UDP"))
    with Capture(net.web[0].host, "eth0", lambda packet: UdpHeader in packet and packet[UdpHeader].dport == UDP) as seen:
        with net.client.entered():
            channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with channel:
            channel.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
            channel.settimeout(3)
            channel.sendto(b"x", (VIP, UDP))
            assert channel.recv(64) == b"web1 x"
        assert [packet[IP].ttl for packet in seen.packets] == [8]


def test_a_packet_whose_ttl_is_used_up_is_answered(net, sluiced):
    net.prepare("NAT")
    director = sluiced(one_server(port=UDP, protocol="UDP"))
    with Capture(net.client, "eth0", lambda packet: ICMP in packet) as seen:
        with net.client.entered():
            channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with channel:
            channel.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            channel.sendto(b"x", (VIP, UDP))
            until("it is counted", lambda: director.drops().get("ttl_exceeded") == 1)
        answers = [(packet[ICMP].type, packet[ICMP].code) for packet in seen.packets]
    assert answers == [(11, 0)]


def test_too_big_for_the_tunnel_is_answered_with_the_mtu(net, sluiced):
    net.prepare("TUN")
    director = sluiced(one_server("TUN", port=UDP, protocol="UDP"))
    with net.client.entered():
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with channel:
        channel.settimeout(3)
        channel.connect((VIP, UDP))
        channel.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO: DF on every packet
        channel.send(b"x" * 1452)
        assert channel.recv(2000) == b"web1 " + b"x" * 1452, "1480 bytes fit into the tunnel"
        channel.send(b"x" * 1472)
        with pytest.raises(OSError, match="Message too long|message too long"):
            channel.recv(2000)
        assert channel.getsockopt(socket.IPPROTO_IP, 14) == 1480  # IP_MTU
    assert director.drops() == {"too_big": 1}


def test_the_kernel_keeps_what_is_not_for_a_service(net, sluiced):
    """ssh and the like on the director: other ports of the VIP and all of the director's own addresses."""
    net.prepare("NAT")
    sluiced(one_server())
    local = Nginx(net.director, "director", [2222])
    local.start()
    local.wait_ready()
    assert get(net.client, VIP, 2222) == "director"
    assert get(net.client, "10.0.1.253", 2222) == "director"
    assert get(net.web[0].host, DIRECTOR_BACK, 2222) == "director"
    assert get(net.client, VIP, HTTP) == "web1"


def test_an_icmp_error_of_a_server_reaches_the_client(net, sluiced):
    """The server has no such UDP port; the client must see its refusal, as if it came from the VIP."""
    net.prepare("NAT")
    sluiced(one_server(port=9, protocol="UDP"))
    with pytest.raises(ConnectionRefusedError):
        udp_ask(net.client, VIP, 9)


@pytest.mark.parametrize("mode", ["NAT", "DR"])
def test_while_a_killed_daemon_is_gone_clients_get_no_rst(net, sluiced, mode):
    net.prepare(mode)
    first = sluiced(one_server(mode))
    assert get(net.client, VIP, HTTP) == "web1"
    first.crash()
    with pytest.raises(TimeoutError):
        connect(net.client, VIP, HTTP, seconds=1.5)
    sluiced(one_server(mode))
    assert get(net.client, VIP, HTTP) == "web1", "and the next daemon takes over what it left"


def test_a_clean_stop_leaves_nothing_behind(net, sluiced):
    net.prepare("NAT")

    def state() -> dict[str, str]:
        return {"links": Counter(line.split()[1] for line in net.director.show("-o", "link").splitlines()),
                "xdp": "xdp" in net.director.show("-d", "link"),
                "rules": net.director.show("rule"),
                "routes": net.director.show("route", "show", "table", "all", "type", "unicast"),
                "addresses": net.director.show("-br", "address")}

    before = state()
    director = sluiced(one_server() + virtual_server(VIP, 81, "sorry_server 127.0.0.1 80",
                                                     servers=[real_server("10.0.2.12", HTTP, check=TCP_CHECK)]))
    assert get(net.client, VIP, HTTP) == "web1"
    assert state()["xdp"]
    assert director.stop() == 0
    assert state() == before
    assert not director.socket.exists()
    with pytest.raises(ConnectionRefusedError):
        connect(net.client, VIP, HTTP)


def test_an_idle_daemon_leaves_the_cpu_alone(net, sluiced):
    net.prepare("NAT")
    director = sluiced(one_server())
    assert get(net.client, VIP, HTTP) == "web1"

    def cpu_seconds() -> float:
        """Of the daemon and its children."""
        ticks = 0
        for pid in net.director.processes_alive():
            fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    assert director.process.running()
    before, began = cpu_seconds(), time.monotonic()
    time.sleep(3)  # the one thing that only time can show
    assert (cpu_seconds() - before) / (time.monotonic() - began) < 0.05


def test_connections_are_listed(net, sluiced):
    net.prepare("NAT")
    director = sluiced(virtual_server(VIP, HTTP, servers=[real_server(A, HTTP_ALTERNATIVE)]))
    with connect(net.client, VIP, HTTP, source=CLIENT, source_port=40009) as connection:
        text = director.sluicectl("connections").stdout
        assert f"{CLIENT}:40009" in text and f"{VIP}:{HTTP}" in text and f"{A}:{HTTP_ALTERNATIVE}" in text, text
        assert "ESTABLISHED" in text
        assert ask(connection) == "web1"


@pytest.mark.parametrize("what", ["services", "connections", "stats"])
def test_sluicectl_prints_tables_and_json(net, sluiced, what):
    net.prepare("NAT")
    director = sluiced(one_server())
    get(net.client, VIP, HTTP)
    assert len(director.sluicectl(what).stdout.splitlines()) >= 3
    assert director.json(what)


@pytest.mark.parametrize("kind", ["NAT", "DR"])
def test_a_real_server_may_be_the_directors_own_address(net, sluiced, kind):
    net.prepare("NAT")
    local = Nginx(net.director, "director", [HTTP])
    local.start()
    local.wait_ready()
    sluiced(virtual_server(VIP, HTTP, kind=kind, servers=[real_server(DIRECTOR_BACK, HTTP)]))
    for _ in range(3):
        assert get(net.client, VIP, HTTP) == "director"


def test_counters_add_up(net, sluiced):
    net.prepare("NAT")
    director = sluiced(one_server())
    for _ in range(20):
        get(net.client, VIP, HTTP)
    service = director.services()[0]
    server = service["destinations"][0]
    assert server["counters"]["connections"] == service["counters"]["connections"] == 20
    assert server["counters"]["in_packets"] >= 20 * 4
    assert server["counters"]["out_packets"] >= 20 * 3
    assert director.drops() == {}
    assert sum(director.received()) >= server["counters"]["in_packets"] + server["counters"]["out_packets"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("net", [2], indirect=True, ids=["queues"])
def test_two_workers_share_the_work_of_two_queues(net, sluiced):
    """NAT's both directions may come to different workers; every connection still works."""
    net.prepare("NAT")
    director = sluiced(virtual_server(VIP, HTTP, servers=[real_server(server.address, HTTP_ALTERNATIVE)
                                                          for server in net.web]) +
                       virtual_server(VIP, UDP, protocol="UDP", servers=[real_server(A, UDP)]))
    assert len(director.received()) == 2
    result = Load(net.client, VIP, HTTP, requests=5_000, concurrency=64).start().wait()
    assert not result.failed and sum(result.answered.values()) == 5_000, f"{result}\ndropped: {director.drops()}"
    for number in range(50):
        assert udp_ask(net.client, VIP, UDP, str(number)) == "web1"
    assert min(director.received()) > 1000, "both worked"


def test_broken_packets_are_counted_and_good_ones_still_served(net, sluiced):
    net.prepare("NAT")
    director = sluiced(one_server(port=UDP, protocol="UDP"))
    frame = Ether(src=net.client.mac("eth0"), dst=net.director.mac("front"))
    payload = UdpHeader(sport=5000, dport=UDP) / b"broken"
    broken = {
        "bad_ipv4_checksum": frame / IP(src=CLIENT, dst=VIP, chksum=0x1234) / payload,
        "martian": frame / IP(src="127.0.0.1", dst=VIP) / payload,
        "fragment": frame / IP(src=CLIENT, dst=VIP, flags="MF") / payload,
        "truncated": frame / IP(src=CLIENT, dst=VIP, len=1000) / payload,
    }
    with net.client.entered():
        for packet in broken.values():
            sendp(packet, iface="eth0")
    until("all are counted", lambda: director.drops() == dict.fromkeys(broken, 1))
    assert udp_ask(net.client, VIP, UDP) == "web1"


def test_a_full_connection_table_refuses_new_clients_and_keeps_the_old(net, sluiced):
    net.prepare("NAT")
    director = sluiced("dataplane {\n    connections 1024\n}\n" + one_server(port=UDP, protocol="UDP"))
    kept = [udp_ask(net.client, VIP, UDP, source=CLIENT, source_port=port) for port in range(20000, 20010)]
    with net.client.entered():
        flood = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(900)]
    for number, channel in enumerate(flood):
        channel.bind((CLIENT, 21000 + number))
        channel.sendto(b"x", (VIP, UDP))
    with net.client.entered():
        more = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    for channel in more:
        channel.sendto(b"x", (VIP, UDP))
    until("some were refused", lambda: director.drops().get("flow_table_full", 0) >= 86)
    for channel in flood + more:
        channel.close()
    assert kept == ["web1"] * 10
    assert [udp_ask(net.client, VIP, UDP, source=CLIENT, source_port=port) for port in range(20000, 20010)] == kept


@pytest.mark.parametrize("setting", ["xdp_mode generic", "xdp_mode native_copy", "poll always", "cores 0",
                                     "interfaces front back", "queues 1"])
def test_a_dataplane_setting_serves_as_well(net, sluiced, setting):
    net.prepare("NAT")
    director = sluiced(f"dataplane {{\n    {setting}\n}}\n" + one_server())
    result = Load(net.client, VIP, HTTP, requests=200, concurrency=8).start().wait()
    assert result.answered == {"web1": 200}, str(result)
    if setting.startswith("xdp_mode"):
        wanted = setting.split()[1].replace("_", " ")
        assert wanted in director.json("stats")["workers"][0]["ports"][0]["mode"]


def test_a_segment_of_no_connection_is_reset_as_with_lvs(net, sluiced):
    """After a restart a client must not wait for its time-out: the director's kernel resets what nobody knows."""
    net.prepare("NAT")
    sluiced(one_server())
    strange = (Ether(dst=net.director.mac("front")) / IP(src=CLIENT, dst=VIP) /
               TCP(sport=41000, dport=HTTP, flags="A", seq=1, ack=77))
    with Capture(net.client, "eth0", lambda packet: TCP in packet and packet[IP].src == VIP) as seen:
        with net.client.entered():
            sendp(strange, iface="eth0")
        until("a RST", lambda: net.director.counter("Tcp", "OutRsts") == 1 and
              net.client.counter("Tcp", "InSegs") >= 1)
        answers = [(packet[TCP].sport, str(packet[TCP].flags), packet[TCP].seq) for packet in seen.packets]
    assert answers == [(HTTP, "R", 77)]
