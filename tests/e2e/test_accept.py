"""accept and no_accept: whether a master that isn't the owner answers for its virtual addresses itself. What it
forwards isn't affected. Side by side with keepalived where that does the same.
"""

from __future__ import annotations

import socket
from errno import ECONNREFUSED

import pytest

from director import real_server, virtual_server
from netns import Host, until
from routers import KEEPALIVED, VIP, Wire, instance

V3 = ("version 3", "advert_int 0.1")
KINDS = ["sluice", pytest.param("keepalived", marks=pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived"))]


@pytest.fixture
def wire(lab) -> Wire:
    wire = Wire(lab)
    wire.hosts["client"].ip("address add fd98::9/64 dev eth0 nodad")
    wire.hosts["alpha"].ip("address add fd98::1/64 dev eth0 nodad")
    return wire


def answers(wire: Wire, address: str, source: str = "client", port: int = 9) -> bool:
    """By a reset: nobody listens there."""
    host = wire.hosts[source]
    with host.entered(), socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as connection:
        connection.settimeout(0.7)
        scope = socket.if_nametoindex("eth0") if address.startswith("fe80") else 0
        try:
            return connection.connect_ex((address, port, 0, scope) if ":" in address else (address, port)) == ECONNREFUSED
        except TimeoutError:
            return False


def knows(wire: Wire, address: str) -> bool:
    return "lladdr" in wire.hosts["client"].show("neigh", "show", address)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [("no_accept",), ("strict_mode on",)], ids=["no_accept", "strict"])
def test_a_master_that_does_not_accept_is_silent(wire, router, kind, lines):
    excluded = "virtual_ipaddress_excluded {\n 10.98.0.101/24\n fd98::101/64\n }"
    alpha = router(kind, "alpha", instance("VI_1", *V3, *lines, excluded, priority=150)).start()
    alpha.wait_master()
    until("all are there", lambda: alpha.has("fd98::101"))
    for address in (VIP, "10.98.0.101", "fd98::101"):
        assert not answers(wire, address), address
        assert knows(wire, address), f"who asks for {address} is answered"
    assert answers(wire, "10.98.0.1") and answers(wire, "fd98::1")
    alpha.stop()
    # Whoever has the address next isn't concerned.
    alpha.host.ip(f"address add {VIP}/24 dev eth0")
    assert answers(wire, VIP)


@pytest.mark.parametrize("kind", KINDS)
def test_link_local_addresses_are_blocked_where_they_are(wire, router, kind):
    alpha = router(kind, "alpha", instance("VI_1", *V3, "no_accept", priority=150,
                                           vips=("fe80::100/64", "fd98::100/64"))).start()
    alpha.wait_master("fd98::100")
    for address in ("fe80::100", "fd98::100"):
        assert not answers(wire, address)
        assert knows(wire, address)
    assert answers(wire, "fe80::ff:fe00:101")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines, priority", [((), 150), (("accept",), 150), (("no_accept",), 255),
                                             (("strict_mode on",), 255), (("strict_mode on", "accept"), 150)],
                         ids=["default", "accept", "owner", "strict owner", "strict accept"])
def test_these_accept(wire, router, kind, lines, priority):
    alpha = router(kind, "alpha", instance("VI_1", *V3, *lines, priority=priority)).start()
    alpha.wait_master()
    assert answers(wire, VIP)


def test_it_goes_with_the_mastership_and_with_a_reload(wire, router):
    def config(*lines: str) -> str:
        return instance("VI_1", *V3, *lines, priority=150)

    alpha = router("sluice", "alpha", config("no_accept")).start()
    alpha.wait_master()
    assert not answers(wire, VIP)
    beta = router("sluice", "beta", instance("VI_1", *V3, priority=200)).start()
    alpha.wait_backup()
    beta.wait_master()
    assert answers(wire, VIP)
    assert answers(wire, VIP, "alpha"), "a backup reaches the master"
    beta.stop()
    alpha.wait_master()
    assert not answers(wire, VIP)
    alpha.reload(config("accept"))
    until("it answers", lambda: answers(wire, VIP))
    alpha.reload(config("no_accept"))
    until("it doesn't", lambda: not answers(wire, VIP))
    assert alpha.status()["counters"]["become_master"] == 2


def test_what_a_dead_director_left_is_removed(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "no_accept", priority=150)).start()
    alpha.wait_master()
    alpha.process.kill()
    assert alpha.has() and not answers(wire, VIP)
    alpha.config.write_text(instance("VI_1", *V3, priority=150))
    alpha.start()
    until("it answers", lambda: answers(wire, VIP))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_forwarded_passes(wire, router, kind):
    far = wire.lab.host("far")
    alpha_host: Host = wire.hosts["alpha"]
    wire.lab.wire(alpha_host, "eth1", far, "eth0")
    alpha_host.ip("address add 10.97.0.1/24 dev eth1")
    alpha_host.sysctl("net.ipv4.ip_forward=1")
    far.ip("address add 10.97.0.2/24 dev eth0", "route add default via 10.97.0.1")
    alpha = router(kind, "alpha", instance("VI_1", *V3, "no_accept", priority=150)).start()
    alpha.wait_master()
    wire.hosts["client"].ip(f"route add 10.97.0.0/24 via {VIP}")
    assert answers(wire, "10.97.0.2")
    assert not answers(wire, VIP)


def test_a_virtual_service_on_the_address_is_served(net, sluiced):
    vip = "10.0.1.100"
    for server in net.web:
        server.prepare("NAT", [])
    sluiced(instance("VI_1", *V3, "no_accept", priority=150, vips=(f"{vip}/24",), interface="front")
            + virtual_server(vip, 80, servers=[real_server("10.0.2.11", 80)]))
    until("it is master", lambda: f" {vip}/" in net.director.show("address", "show", "dev", "front"))
    until("the client is served",
          lambda: net.client.run("curl", "-s", "--max-time", "2", f"http://{vip}/", check=False).stdout)
    # But what isn't the service's goes to the host, and there it is dropped.
    refused = net.client.run("curl", "-s", "--max-time", "1", f"http://{vip}:81/", check=False).returncode
    assert refused == 28, "a time-out"
