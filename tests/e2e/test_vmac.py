"""Virtual MAC: the address keeps its MAC when it moves, so that neighbours needn't relearn it; with ours and with
keepalived in both roles. And what it takes on the host comes and goes with it.
"""

from __future__ import annotations

import socket
import time

import pytest

from capture import is_advert, socket_index, source_of
from director import real_server, virtual_server
from netns import Host, until
from routers import KEEPALIVED, MAC, VIP, Sluice, Wire, instance

needs_keepalived = pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived")

VMAC4 = "00:00:5e:00:01:33"
VMAC6 = "00:00:5e:00:02:33"
VMAC = "vrrp.51"
V3 = ("version 3", "advert_int 0.1")


@pytest.fixture
def wire(lab) -> Wire:
    wire = Wire(lab)
    # As on a host whose IPv6 is on: the VMAC is one more interface of it.
    for host in wire.hosts.values():
        host.sysctl("net.ipv6.conf.default.disable_ipv6=0")
    wire.hosts["client"].ip("address add fd98::9/64 dev eth0 nodad")
    return wire


@pytest.fixture
def prepare():
    def answers_from_its_own_address(kind: str, host: Host) -> None:
        if kind == "keepalived":
            # Its ARP requests for clients come from the virtual address with the physical MAC otherwise.
            host.sysctl("net.ipv4.conf.all.arp_announce=2")

    return answers_from_its_own_address


def own(router, vip: str = VIP, interface: str = VMAC) -> bool:
    return interface in router.host.show("-br", "link", "show") and router.has(vip, interface)


def wait_own(router, vip: str = VIP, seconds: float = 8.0, interface: str = VMAC) -> None:
    router._wait(f"{router.host.name} has {vip} on {interface}", lambda: own(router, vip, interface), seconds)


def wait_given_up(router, vip: str = VIP, seconds: float = 8.0) -> None:
    router._wait(f"{router.host.name} gave {vip} up", lambda: not own(router, vip), seconds)


def sysctl(host: Host, name: str) -> int:
    return int(host.run("sysctl", "-n", name).stdout)


def neighbour(wire: Wire, vip: str) -> str:
    """The MAC that the client has for an address: it asks if need be."""
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    host = wire.hosts["client"]

    def known() -> str:
        with host.entered(), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.sendto(b"?", (vip, 9))
        words = host.show("neigh", "show", vip).split()
        return words[words.index("lladdr") + 1] if "lladdr" in words else ""

    return str(until(f"the client knows {vip}", known))


def is_report(frame: bytes) -> bool:
    """IGMP, MLD of either version, or a router solicitation."""
    if frame[12:14] == b"\x08\x00":
        return frame[23] == 2
    if frame[12:14] != b"\x86\xdd":
        return False
    return (frame[20] == 0 and frame[54] == 58 and frame[62] in (131, 132, 143)) or (frame[20] == 58 and frame[54] == 133)


def form(kind: str) -> tuple[tuple[str, ...], tuple[str, ...], str, str]:
    """Lines of an instance, its addresses, the one to look for, and its MAC."""
    if kind == "IPv6":
        return (*V3, "use_vmac"), ("fe80::100/64", "fd98::100/64"), "fd98::100", VMAC6
    if kind == "xmit_base":
        return (*V3, "use_vmac", "vmac_xmit_base"), (f"{VIP}/24",), VIP, VMAC4
    return (*V3, "use_vmac"), (f"{VIP}/24",), VIP, VMAC4


PAIRS = [("sluice", "sluice"),
         pytest.param("sluice", "keepalived", marks=needs_keepalived),
         pytest.param("keepalived", "sluice", marks=needs_keepalived)]


@pytest.mark.parametrize("alpha_kind, beta_kind", PAIRS)
@pytest.mark.parametrize("kind", ["IPv4", "IPv6", "xmit_base"])
def test_the_mac_moves_with_the_address(wire, router, capture, kind, alpha_kind, beta_kind):
    lines, vips, vip, mac = form(kind)
    alpha = router(alpha_kind, "alpha", instance("VI_1", *lines, priority=150, vips=vips)).start()
    beta = router(beta_kind, "beta", instance("VI_1", *lines, vips=vips)).start()
    wait_own(alpha, vip)
    assert not own(beta, vip)
    assert neighbour(wire, vip) == mac
    wire_tap = capture()
    alpha.stop()
    wait_own(beta, vip, 2.0)
    assert neighbour(wire, vip) == mac
    frames = wire_tap.frames()
    adverts = {source_of(frame) for frame in frames if is_advert(frame)}
    assert adverts == ({MAC["alpha"], MAC["beta"]} if kind == "xmit_base" else {mac})
    assert VMAC not in alpha.host.show("-br", "link", "show")
    alpha.start()
    wait_own(alpha, vip)
    wait_given_up(beta, vip)
    assert neighbour(wire, vip) == mac


@pytest.mark.parametrize("kind", ["IPv4", "IPv6"])
def test_a_backup_says_nothing_by_the_virtual_mac(wire, router, capture, kind):
    """Its switch must not learn that the MAC is there; what tells it of the group carries the physical MAC."""
    lines, vips, vip, mac = form(kind)
    wire_tap = capture()
    alpha = router("sluice", "alpha", instance("VI_1", *lines, priority=150, vips=vips)).start()
    wait_own(alpha, vip)
    beta = router("sluice", "beta", instance("VI_1", *lines, vips=vips))
    beta_tap = capture("beta")
    beta.start()
    # A backup, a master for a while, and a backup again.
    time.sleep(0.5)
    alpha.stop()
    wait_own(beta, vip)
    frames = wire_tap.frames()
    alpha.start()
    wait_own(alpha, vip)
    wait_given_up(beta, vip)
    time.sleep(1.5)  # a host repeats a report, and says that it leaves
    frames += wire_tap.frames()
    reports = {source_of(frame) for frame in frames if is_report(frame)}
    assert mac not in reports
    assert MAC["alpha"] in reports and MAC["beta"] in reports, "nobody told of the group"
    assert any(source_of(frame) == mac for frame in beta_tap.frames())


def test_what_the_host_needs_for_it_is_undone_at_the_end(wire, router):
    host = wire.hosts["alpha"]
    host.sysctl("net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.eth0.rp_filter=2")
    names = [f"net.ipv4.conf.{each}" for each in ("eth0.arp_ignore", "eth0.arp_filter", "eth0.arp_announce",
                                                  "all.rp_filter", "default.rp_filter", "eth0.rp_filter",
                                                  "lo.rp_filter")]
    before = [sysctl(host, name) for name in names]
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "use_vmac", priority=150)).start()
    wait_own(alpha)
    assert [sysctl(host, name) for name in names] == [1, 1, 2, 0, 1, 2, 1]
    vmac = {name: int(host.run("cat", f"/proc/sys/net/{path}").stdout) for name, path in {
        "arp_ignore": f"ipv4/conf/{VMAC}/arp_ignore", "accept_local": f"ipv4/conf/{VMAC}/accept_local",
        "rp_filter": f"ipv4/conf/{VMAC}/rp_filter", "promote": f"ipv4/conf/{VMAC}/promote_secondaries",
        "no_ipv6": f"ipv6/conf/{VMAC}/disable_ipv6"}.items()}
    assert vmac == {"arp_ignore": 1, "accept_local": 1, "rp_filter": 0, "promote": 1, "no_ipv6": 1}
    assert "macvlan mode private" in host.show("-d", "link", "show", VMAC)
    assert wire.reaches()
    assert alpha.stop() == 0
    assert [sysctl(host, name) for name in names] == before
    assert VMAC not in host.show("-br", "link", "show")


def test_what_a_dead_director_left_is_taken_over(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "use_vmac", priority=150)).start()
    wait_own(alpha)
    index = socket_index(alpha.host, VMAC)
    alpha.process.kill()
    assert own(alpha)
    beta = router("sluice", "beta", instance("VI_1", *V3, "use_vmac")).start()
    wait_own(beta)
    alpha.start()
    wait_own(alpha)
    wait_given_up(beta)
    assert socket_index(alpha.host, VMAC) == index
    alpha.stop()
    assert sysctl(alpha.host, "net.ipv4.conf.eth0.arp_ignore") == 0
    assert VMAC not in alpha.host.show("-br", "link", "show")


def test_a_vmac_that_somebody_removes_comes_back(router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "use_vmac", priority=150)).start()
    wait_own(alpha)
    index = socket_index(alpha.host, VMAC)
    alpha.host.ip(f"link del {VMAC}")
    wait_own(alpha)
    assert socket_index(alpha.host, VMAC) != index
    assert "is made again" in alpha.log()


def test_it_survives_its_base_going_down_and_up(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "use_vmac", priority=150)).start()
    wait_own(alpha)
    wire.lan.ip("link set alpha down")  # the carrier
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert alpha.status()["faults"] == ["base interface down"]
    wire.lan.ip("link set alpha up")
    wait_own(alpha)
    alpha.host.ip("link set eth0 down")
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    alpha.host.ip("link set eth0 up")
    wait_own(alpha)
    assert wire.reaches()
    alpha.host.ip(f"link set {VMAC} down")
    until("alpha is in FAULT", lambda: alpha.status()["faults"] == ["interface down"])
    alpha.host.ip(f"link set {VMAC} up")
    wait_own(alpha)


def test_names_and_macs_are_as_given(wire, router):
    config = ("global_defs {\n vmac_prefix vr\n vmac_addr_prefix va\n}\n"
              + instance("A", *V3, "use_vmac vip0 02:00:00:00:33", vrid=51)
              + instance("B", *V3, "use_vmac", vrid=52, vips=("10.98.0.101/24",))
              + instance("C", *V3, vrid=53, vips=("10.98.0.102/24", "10.98.0.103/24 use_vmac")))
    alpha = router("sluice", "alpha", config).start()
    wait_own(alpha, VIP, interface="vip0")
    wait_own(alpha, "10.98.0.101", interface="vr.52")
    wait_own(alpha, "10.98.0.102", interface="eth0")
    wait_own(alpha, "10.98.0.103", interface="va.53")
    assert alpha.host.mac("vip0") == "02:00:00:00:33:33"
    assert alpha.host.mac("va.53") == "00:00:5e:00:01:35"
    assert neighbour(wire, "10.98.0.101") == "00:00:5e:00:01:34"


def test_a_reload_makes_and_removes_them(router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150)).start()
    alpha.wait_master()
    alpha.reload(instance("VI_1", *V3, "use_vmac", priority=150))
    wait_own(alpha)
    assert not alpha.has()
    assert sysctl(alpha.host, "net.ipv4.conf.eth0.arp_ignore") == 1
    alpha.reload(instance("VI_1", *V3, "use_vmac", priority=150, vips=(f"{VIP}/24", "10.98.0.101/24")))
    wait_own(alpha, "10.98.0.101", 1.0)
    assert alpha.status()["counters"]["become_master"] == 1
    alpha.reload(instance("VI_1", *V3, priority=150))
    alpha.wait_master()
    assert VMAC not in alpha.host.show("-br", "link", "show")
    assert sysctl(alpha.host, "net.ipv4.conf.eth0.arp_ignore") == 0


def director_config(priority: int, vip: str) -> str:
    return (instance("VI_1", *V3, "use_vmac", priority=priority, vips=(f"{vip}/24",), interface="front")
            + virtual_server(vip, 80, servers=[real_server("10.0.2.11", 80)]))


def fetch(host: Host, vip: str) -> str:
    return host.run("curl", "-s", "--max-time", "2", f"http://{vip}/", check=False).stdout


def test_frames_for_the_virtual_mac_are_forwarded_by_the_master(net, sluiced, build):
    vip = "10.0.1.100"
    for server in net.web:
        server.prepare("NAT", [])
    director = sluiced(director_config(150, vip))
    until("it is master", lambda: f" {vip}/" in net.director.show("address", "show", "dev", VMAC))
    until("the client is answered", lambda: fetch(net.client, vip))
    assert VMAC4 in net.client.show("neigh", "show", vip)
    before = director.json("stats")["steer"]["steered"]
    for _ in range(5):
        assert fetch(net.client, vip)
    assert director.json("stats")["steer"]["steered"] >= before + 5 * 5

    # A backup leaves alone what a switch floods: the client still sends to the virtual MAC.
    net.client.ip(f"neigh replace {vip} lladdr {VMAC4} dev eth0 nud permanent")
    host = net.lab.host("other")
    net.join(host, "eth0", "front", "10.0.1.252/24", port="other")
    other = Sluice(host, instance("VI_1", *V3, "use_vmac", priority=200, vips=(f"{vip}/24",)), build).start()
    wait_own(other, vip)
    until("it gave up", lambda: f" {vip}/" not in net.director.show("address", "show", "dev", VMAC))
    net.lan.run("bridge", "fdb", "replace", VMAC4, "dev", "dir-front", "master", "static")
    steered = director.json("stats")["steer"]["steered"]
    assert fetch(net.client, vip) == ""
    assert director.json("stats")["steer"]["steered"] == steered
    assert other.stop() == 0
