"""BFD: ours with ours, with keepalived and with FRR, in both roles and families; and what a session does to VRRP."""

from __future__ import annotations

import os
import re
import signal
import socket
import time

import pytest

from bfd_speakers import ADDRESS6, Session, packet, speaker
from netns import until
from routers import ADDRESS, HAS_FRR, KEEPALIVED, instance

PEERS = ["sluice", pytest.param("keepalived", marks=pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived")),
         pytest.param("frr", marks=pytest.mark.skipif(not HAS_FRR, reason="needs FRR"))]
ALPHA, BETA = ADDRESS["alpha"], ADDRESS["beta"]
DETECTION = 0.150


@pytest.fixture
def bfd(wire, build):
    """bfd(kind, host, session, lines of the session ..., more="other blocks"): not started."""
    made = []
    for name, address in ADDRESS6.items():
        wire.hosts[name].ip(f"address add {address}/64 dev eth0 nodad")

    def make(kind: str, host: str, session: Session, *lines: str, more: str = ""):
        made.append(speaker(kind, wire.hosts[host] if isinstance(host, str) else host, session, build, *lines, more=more))
        return made[-1]

    yield make
    for each in made:
        if each.running():
            each.stop()


def addresses(is_v6: bool) -> tuple[str, str]:
    return (ADDRESS6["alpha"], ADDRESS6["beta"]) if is_v6 else (ALPHA, BETA)


def both_up(*speakers) -> None:
    until("both are Up", lambda: all(each.is_up() for each in speakers), 12)


@pytest.mark.parametrize("passive", ["", "ours passive", "theirs passive"])
@pytest.mark.parametrize("is_v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("kind", PEERS)
def test_a_session_goes_up_a_cut_ends_it_and_it_comes_back(wire, bfd, kind, is_v6, passive):
    own, neighbor = addresses(is_v6)
    ours = bfd("sluice", "alpha", Session(own, neighbor, passive="ours" in passive)).start()
    theirs = bfd(kind, "beta", Session(neighbor, own, passive="theirs" in passive)).start()
    both_up(ours, theirs)
    # The poll has ended, and both go at the pace that was agreed on.
    until("the pace is agreed on", lambda: not ours.session()["polling"] and
          ours.session()["detection_time_s"] == DETECTION and ours.session()["transmit_interval_s"] == 0.05)
    time.sleep(1.0)
    assert ours.session()["counters"]["times_down"] == 0

    cut = time.monotonic()
    wire.lan.ip("link set beta down")
    until("ours is Down", lambda: not ours.is_up(), 2, 0.005)
    assert time.monotonic() - cut < DETECTION + 0.15  # asking takes time, too
    session = ours.session()
    assert session["diagnostic"] == "Control Detection Time Expired" and session["counters"]["expired"] == 1
    until("theirs is Down", lambda: not theirs.is_up(), 2)
    wire.lan.ip("link set beta up")
    both_up(ours, theirs)
    assert "(b1) Entering Up state" in ours.log()
    assert re.search(r"\(b1\) Entering Down state \(Local diagnostic - Control Detection Time Expired", ours.log())


@pytest.mark.parametrize("kind", PEERS)
def test_a_stop_is_heard_before_the_detection_time_is_over(wire, bfd, kind):
    """Ours says AdminDown. The sessions would be missed after ten seconds only."""
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA, 200, multiplier=50)).start()
    theirs = bfd(kind, "beta", Session(BETA, ALPHA, 200, multiplier=50)).start()
    both_up(ours, theirs)
    time.sleep(0.5)
    ours.stop()
    until("theirs is Down", lambda: not theirs.is_up(), 3)


@pytest.mark.parametrize("kind", PEERS)
def test_who_dies_and_comes_back_is_taken_again(wire, bfd, kind):
    """It has another discriminator then, and ours still has the old one in its packets for a while."""
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA)).start()
    theirs = bfd(kind, "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)
    theirs.process.kill()
    until("ours is Down", lambda: not ours.is_up(), 2)
    if kind == "frr":
        theirs.zebra.kill()
    theirs.process = None
    theirs = bfd(kind, "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)


@pytest.mark.parametrize("kind", [PEERS[0], PEERS[2]])  # keepalived 2.2.7 has none
def test_multihop_crosses_a_router(wire, bfd, kind):
    far = wire.lab.host("far")
    wire.lab.wire(far, "eth0", wire.lan, "far")
    wire.lan.ip("address add 10.98.0.254/24 dev lan", "address add 10.99.0.254/24 dev far")
    wire.lan.sysctl("net.ipv4.ip_forward=1")
    far.ip("address add 10.99.0.2/24 dev eth0", "route add 10.98.0.0/24 via 10.99.0.254")
    wire.hosts["alpha"].ip("route add 10.99.0.0/24 via 10.98.0.254")
    ours = bfd("sluice", "alpha", Session(ALPHA, "10.99.0.2", multihop=True, ttl_min=254)).start()
    theirs = bfd(kind, far, Session("10.99.0.2", ALPHA, multihop=True, ttl_min=254)).start()
    both_up(ours, theirs)
    # One hop too many.
    assert ours.reload(Session(ALPHA, "10.99.0.2", multihop=True, ttl_min=255).keepalived())
    until("ours is Down", lambda: not ours.is_up(), 2)
    assert ours.session()["errors"]["ttl"] > 0
    assert "Discarding packet from 10.99.0.2 (TTL 254)" in ours.log()


@pytest.mark.parametrize("kind", PEERS)
def test_a_reload_keeps_the_session(wire, bfd, kind):
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA)).start()
    theirs = bfd(kind, "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)
    before = ours.session()
    # Other intervals: agreed upon while it is Up. And a second session comes.
    second = Session(ALPHA, ADDRESS["client"], name="b2")
    changes = ours.reload(Session(ALPHA, BETA, 100).keepalived() + second.keepalived())
    assert "~ bfd_instance b1: min_rx 50 -> 100" in changes and "+ bfd_instance b2" in changes
    until("the new pace is agreed on", lambda: not ours.session()["polling"] and
          ours.session()["transmit_interval_s"] == 0.1)
    after = ours.session()
    assert after["discriminator"] == before["discriminator"]
    assert after["counters"]["times_down"] == 0 and after["counters"]["times_up"] == 1
    assert ours.session("b2")["state"] == "Down"
    assert theirs.is_up()
    # It is taken away, and says so.
    ours.reload(second.keepalived())
    until("theirs is Down", lambda: not theirs.is_up(), 2)
    assert [each["name"] for each in ours.bfd()["bfd_instances"]] == ["b2"]


# --- what VRRP does with it -------------------------------------------------------------------------------------------

def vrrp_pair(bfd, router, kind: str, tracked: str, group: bool = False):
    """alpha, the better master, watches the client by BFD; beta watches nothing."""
    block = f"track_bfd {{\n {tracked}\n }}"
    vi = instance("VI_1", "version 3", "advert_int 0.2", *([] if group else [block]), priority=150)
    if group:
        vi += f"vrrp_sync_group G {{\n group {{\n VI_1\n }}\n {block}\n}}\n"
    client = ADDRESS["client"]
    alpha = bfd("sluice", "alpha", Session(ALPHA, client), more=vi).start()
    beta = router("sluice", "beta", instance("VI_1", "version 3", "advert_int 0.2", priority=100)).start()
    upstream = bfd(kind, "client", Session(client, ALPHA))
    return alpha, beta, upstream


@pytest.mark.parametrize("group", [False, True], ids=["instance", "sync group"])
@pytest.mark.parametrize("kind", PEERS)
def test_a_lost_session_is_a_fault_and_moves_the_master(wire, bfd, router, kind, group):
    alpha, beta, upstream = vrrp_pair(bfd, router, kind, "b1", group)
    beta.wait_master()  # a session that never was Up is down
    assert alpha.status()["state"] == "FAULT"
    upstream.start()
    alpha.wait_master(seconds=12)
    beta.wait_backup()
    if kind == "frr":
        upstream.zebra.kill()
    upstream.process.kill()
    beta.wait_master(seconds=2)
    assert alpha.status()["state"] == "FAULT"
    assert "VRRP_Instance(VI_1) Tracked BFD instance b1 is DOWN" in alpha.log()


def test_a_lost_session_costs_priority(wire, bfd, router):
    alpha, beta, upstream = vrrp_pair(bfd, router, "sluice", "b1 weight -60")
    beta.wait_master()
    assert alpha.status()["effective_priority"] == 90
    upstream.start()
    alpha.wait_master(seconds=12)
    assert alpha.status()["effective_priority"] == 150
    upstream.process.kill()
    beta.wait_master(seconds=3)
    alpha.wait_backup()


def test_a_reload_of_vrrp_keeps_what_is_known_of_a_session(wire, bfd, router):
    alpha, beta, upstream = vrrp_pair(bfd, router, "sluice", "b1")
    upstream.start()
    alpha.wait_master(seconds=12)
    config = alpha.config.read_text()
    for priority in (160, 170):
        alpha.reload(config.replace("priority 150", f"priority {priority}"))
        assert alpha.status()["state"] == "MASTER" and alpha.session()["state"] == "Up"
    assert "FAULT" not in alpha.log().split("MASTER STATE")[-1]


def test_without_bfd_a_tracked_session_is_down(wire, bfd, build):
    vi = instance("VI_1", "track_bfd {\n b1\n }")
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA), more=vi)
    ours.process = ours.host.start(build.sluiced, "-B", "-f", ours.config, "--socket", ours.socket, "-p",
                                   ours.directory / "pid", "-c", ours.directory / "director.pid", "-n", "-l")
    until("it answers", lambda: ours.ctl("vrrp", check=False).returncode == 0)
    assert ours.bfd()["bfd_instances"] == []
    assert ours.status()["state"] == "FAULT"


# --- bad input --------------------------------------------------------------------------------------------------------

def test_bad_packets_are_counted_and_change_nothing(wire, bfd):
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA)).start()
    theirs = bfd("sluice", "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)
    number = ours.session()["discriminator"]
    with wire.hosts["client"].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        for bad in (packet()[:23], packet(version=0), packet(length=23), packet(length=25), packet(multiplier=0),
                    packet(flags=1), packet(mine=0), packet(flags=0x30), packet(flags=4, length=26) + b"\0\0",
                    packet(yours=number ^ 1), packet(state=3), packet(state=1), packet(state=1, yours=number)):
            stranger.sendto(bad, (ALPHA, 3784))
    with wire.hosts["beta"].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 254)
        far.sendto(packet(state=1, yours=number), (ALPHA, 3784))
    until("all are counted", lambda: ours.session()["errors"]["ttl"] == 1)
    nobodys = {name: n for name, n in ours.bfd()["errors"].items() if n}
    assert nobodys == dict.fromkeys(("too_short", "version", "length_small", "length_large", "detect_mult", "multipoint",
                                     "my_discriminator", "poll_and_final", "authentication", "unknown_discriminator",
                                     "your_discriminator_zero", "unknown_neighbor"), 1)
    assert ours.session()["errors"]["source_address"] == 1
    assert ours.session()["counters"]["times_down"] == 0
    assert "source_address=1 ttl=1" in ours.ctl("bfd", "-a").stdout


def test_who_has_the_port_may_leave_it(wire, bfd):
    with wire.hosts["alpha"].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind(("0.0.0.0", 3784))
        ours = bfd("sluice", "alpha", Session(ALPHA, BETA)).start()
        until("it says so", lambda: "BFD, IPv4 port 3784: can't listen" in ours.log())
    theirs = bfd("sluice", "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)


def test_a_backup_that_misses_the_master_doesnt_wait_for_its_advertisements(wire, bfd):
    """It would for ten seconds and more. Its priority rises as the session ends, so that the skew time is short."""
    vi = lambda priority, *lines: instance("VI_1", "version 3", "advert_int 5", *lines, priority=priority)  # noqa: E731
    beta = bfd("sluice", "beta", Session(BETA, ALPHA, 10),
               more=vi(100, "track_bfd {\n b1 weight -154 reverse\n }"))
    alpha = bfd("sluice", "alpha", Session(ALPHA, BETA, 10), more=vi(150)).start()
    alpha.wait_master(seconds=25)
    beta.start()
    both_up(alpha, beta)
    until("beta has heard the master", lambda: beta.status()["master_address"] == ALPHA, 8)
    assert beta.status()["effective_priority"] == 100
    alpha.process.kill()
    beta.wait_master(seconds=1)
    assert f"(VI_1) Backup lost the master {ALPHA}, as BFD says" in beta.log()


def test_usr1_writes_the_sessions_for_monitoring(bfd):
    ours = bfd("sluice", "alpha", Session(ALPHA, BETA)).start()
    theirs = bfd("sluice", "beta", Session(BETA, ALPHA)).start()
    both_up(ours, theirs)
    os.kill(ours.process.pid, signal.SIGUSR1)
    text = until("the file is written", lambda: (ours.directory / "keepalived_bfd.data").read_text())
    for line in (" BFD Instance = b1", f"   Neighbor IP = {BETA}", "   local state = Up", "   Detection multiplier = 3"):
        assert line + "\n" in text
