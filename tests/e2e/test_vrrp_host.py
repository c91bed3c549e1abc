"""What VRRP sets on its host, and what it makes of interfaces that come, go and change: against a running daemon, side by
side with keepalived where that does the same.
"""

from __future__ import annotations

import time

import pytest

from capture import is_advert
from netns import Host, until
from routers import ADDRESS, KEEPALIVED, VIP, Wire, instance

V3 = ("version 3", "advert_int 0.1")
KINDS = ["sluice", pytest.param("keepalived", marks=pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived"))]


def sysctl(host: Host, name: str) -> int:
    return int(host.run("sysctl", "-n", name).stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_hold_while_it_runs(wire, router, kind):
    host = wire.hosts["alpha"]
    names = ("net.ipv4.conf.eth0.promote_secondaries", "net.ipv4.igmp_link_local_mcast_reports")
    assert [sysctl(host, name) for name in names] == [0, 1]
    alpha = router(kind, "alpha", "global_defs {\n disable_local_igmp\n}\n"
                   + instance("VI_1", *V3, "promote_secondaries", priority=150)).start()
    alpha.wait_master()
    assert [sysctl(host, name) for name in names] == [1, 0]
    alpha.stop()
    assert [sysctl(host, name) for name in names] == [0, 1]


def test_with_promote_secondaries_a_reload_may_take_the_first_address(wire, router):
    def config(*vips: str) -> str:
        return instance("VI_1", *V3, "promote_secondaries", priority=150, vips=vips)

    alpha = router("sluice", "alpha", config("10.97.5.1/24", "10.97.5.2/24")).start()
    alpha.wait_master("10.97.5.2")
    assert "10.97.5.2/24 scope global secondary" in alpha.host.show("address", "show", "dev", "eth0")
    alpha.reload(config("10.97.5.2/24"))
    alpha.wait_backup("10.97.5.1")
    assert alpha.has("10.97.5.2")
    assert alpha.status()["counters"]["become_master"] == 1


def plug(wire: Wire, name: str = "eth1", at: str = "alpha") -> None:
    """A second interface of a router's, on the wire."""
    host = wire.hosts[at]
    wire.lab.wire(host, name, wire.lan, f"{at}-{name}")
    wire.lan.ip(f"link set {at}-{name} master lan")
    host.ip(f"address add 10.96.0.1/24 dev {name}")


DYNAMIC = "global_defs {\n dynamic_interfaces\n}\n"
ON_ETH1 = DYNAMIC + instance("VI_1", *V3, priority=150, interface="eth1", vips=("10.96.0.100/24",))


@pytest.mark.parametrize("kind", KINDS)
def test_without_dynamic_interfaces_a_missing_one_ends_the_start(wire, router, kind):
    config = instance("VI_1", *V3, priority=150, interface="eth1")
    alpha = router(kind, "alpha", config)
    if kind == "sluice":
        alpha.start(wait=False)
    else:
        alpha.start()
    assert alpha.process.wait(10) == 2
    assert "eth1" in alpha.log()


@pytest.mark.parametrize("kind", KINDS)
def test_with_dynamic_interfaces_it_may_come_and_go(wire, router, kind):
    alpha = router(kind, "alpha", ON_ETH1).start()
    until("it is in FAULT", lambda: "FAULT" in alpha.log())
    for _ in range(2):
        plug(wire)
        alpha.wait_master("10.96.0.100", interface="eth1")
        alpha.host.ip("link del eth1")
        time.sleep(0.3)
    assert alpha.process.running()
    plug(wire)
    alpha.wait_master("10.96.0.100", interface="eth1")
    alpha.stop()
    assert not alpha.has("10.96.0.100", "eth1")


def test_another_name_is_another_interface(wire, router, capture):
    """Its addresses don't stay behind, the others hear that it gave up, and the old name may come back."""
    plug(wire)
    alpha = router("sluice", "alpha", ON_ETH1).start()
    alpha.wait_master("10.96.0.100", interface="eth1")
    tap = capture()
    alpha.host.ip("link set eth1 down", "link set eth1 name eth7", "link set eth7 up")
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert not alpha.has("10.96.0.100", "eth7")
    assert alpha.has("10.96.0.1", "eth7")
    alpha.host.ip("link set eth7 down", "link set eth7 name eth1", "link set eth1 up")
    alpha.wait_master("10.96.0.100", interface="eth1")
    # Linux renames what is up, too.
    tap.frames()
    alpha.host.ip("link set eth1 name eth7")
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert not alpha.has("10.96.0.100", "eth7")
    assert any(is_advert(frame) and frame[36] == 0 for frame in tap.frames()), "nobody heard that it gave up"


def test_a_tracked_interface_that_is_renamed_is_down(wire, router):
    plug(wire)
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "track_interface {\n eth1\n }", priority=150)).start()
    alpha.wait_master()
    alpha.host.ip("link set eth1 name eth7")
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    alpha.host.ip("link set eth7 name eth1")
    alpha.wait_master()


def test_neighbours_hear_of_a_new_mac(wire, router, capture):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, "garp_master_delay 0", priority=150)).start()
    alpha.wait_master()
    assert wire.reaches()
    tap = capture()
    alpha.host.ip("link set eth0 address 02:00:00:00:01:77")
    announced = bytes.fromhex("ffffffffffff" "020000000177" "0806" "0001080006040001" "020000000177" "0a620064")
    until("it is announced", lambda: any(frame.startswith(announced) for frame in tap.frames()))
    assert wire.reaches()
    assert alpha.status()["counters"]["become_master"] == 1


def test_a_smaller_mtu_makes_shorter_advertisements(wire, router, capture):
    vips = tuple(f"10.98.1.{i}/32" for i in range(1, 151))
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150, vips=vips)).start()
    alpha.wait_master("10.98.1.150")
    tap = capture()

    def count() -> int:
        return next((frame[37] for frame in reversed(tap.frames()) if is_advert(frame)), -1)

    until("all are advertised", lambda: count() == 150)
    alpha.host.ip("link set eth0 mtu 512")
    until("as many as fit are", lambda: 0 < count() < 150)
    assert alpha.status()["counters"]["become_master"] == 1


def test_a_track_group_is_a_fault_while_something_static_is_missing(wire, router):
    plug(wire)
    config = (DYNAMIC + "track_group G {\n group {\n VI_1\n }\n}\n"
              "static_ipaddress {\n 10.95.0.1/24 dev eth1 track_group G\n}\n"
              "static_routes {\n 10.94.0.0/24 dev eth1 track_group G\n}\n"
              + instance("VI_1", *V3, priority=150)
              + instance("VI_2", *V3, priority=150, vrid=52, vips=("10.98.0.102/24",)))
    alpha = router("sluice", "alpha", config).start()
    alpha.wait_master()
    alpha.host.ip("address del 10.95.0.1/24 dev eth1")
    until("it is back", lambda: alpha.has("10.95.0.1", "eth1"))
    assert alpha.status()["counters"]["become_master"] == 1, "what can be put back is no fault"
    alpha.host.ip("link set eth1 down")
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert "track_group G" in alpha.log()
    assert alpha.status("VI_2")["state"] == "MASTER"
    alpha.host.ip("link set eth1 up")
    alpha.wait_master()
    alpha.host.ip("link del eth1")
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    plug(wire)
    alpha.wait_master()


def test_unicast_without_a_peer_is_a_fault_if_asked_for(wire, router):
    def config(*lines: str) -> str:
        return instance("VI_1", *V3, f"unicast_src_ip {ADDRESS['alpha']}", *lines, priority=150)

    alpha = router("sluice", "alpha", config("unicast_fault_no_peer")).start()
    until("it is in FAULT", lambda: "FAULT" in alpha.log())
    assert alpha.status()["faults"] == ["unicast without a peer"]
    assert not alpha.has()
    alpha.reload(config())
    alpha.wait_master()


def test_virtual_router_ids_of_others_are_logged_if_asked_for(wire, router):
    alpha = router("sluice", "alpha", "global_defs {\n log_unknown_vrids\n}\n"
                   + instance("VI_1", *V3, priority=150)).start()
    beta = router("sluice", "beta", instance("VI_1", *V3, vrid=77, vips=("10.98.0.102/24",))).start()
    alpha.wait_master()
    beta.wait_master("10.98.0.102")
    line = "eth0: advertisement from 10.98.0.2 for virtual_router_id 77, which nobody here has"
    until("it is logged", lambda: line in alpha.log())
    time.sleep(0.5)
    assert alpha.log().count(line) == 1
    assert "virtual_router_id 51" not in beta.log()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("all_of_them", [False, True], ids=["VMACs", "all"])
def test_switches_are_reminded_of_extra_interfaces(wire, router, capture, kind, all_of_them):
    """Advertisements leave by eth0 alone: by what else there is, one frame a second."""
    if kind == "keepalived" and not all_of_them:
        pytest.skip("keepalived 2.2.7 leaves its own VMAC out; later ones don't")
    plug(wire)
    alpha_host = wire.hosts["alpha"]
    alpha_host.sysctl("net.ipv4.conf.all.arp_announce=2")
    config = instance("VI_1", *V3, "use_vmac", "vmac_xmit_base", f"garp_extra_if {'all ' if all_of_them else ''}1",
                      "garp_master_delay 0", "garp_master_repeat 1", priority=150,
                      vips=(f"{VIP}/24", "10.98.0.101/24", "10.96.0.100/24 dev eth1"))
    alpha = router(kind, "alpha", config).start()
    alpha.wait_master(VIP, interface="vrrp.51")
    until("all are there", lambda: alpha.has("10.96.0.100", "eth1"))
    tap = capture()
    time.sleep(3.3)
    announced = [frame[28:32] for frame in tap.frames() if frame[:6] == b"\xff" * 6 and frame[12:14] == b"\x08\x06"
                 and frame[28:32] == frame[38:42]]
    vmac = sum(address in (bytes([10, 98, 0, 100]), bytes([10, 98, 0, 101])) for address in announced)
    eth1 = announced.count(bytes([10, 96, 0, 100]))
    assert 2 <= vmac <= 4
    assert (2 <= eth1 <= 4) if all_of_them else eth1 <= 1


@pytest.mark.parametrize("is_vrf", [False, True], ids=["any interface", "a VRF"])
def test_an_instance_without_interface_lives_in_its_vrf(wire, router, is_vrf):
    """Its sockets are bound to the VRF, and without that it is in FAULT. To sockets a VRF is an interface as others are,
    which stand in for it where the kernel has none."""
    def config(name: str, vrf: str, priority: int) -> str:
        other = "beta" if name == "alpha" else "alpha"
        text = instance("VI_1", *V3, f"vrf {vrf}", f"unicast_src_ip {ADDRESS[name]}",
                        f"unicast_peer {{\n {ADDRESS[other]}\n }}", priority=priority, vips=(f"{VIP}/24 dev eth0",))
        return DYNAMIC + text.replace("    interface eth0\n", "")

    for name in ("alpha", "beta"):
        host = wire.hosts[name]
        if is_vrf and host.run("ip", "link", "add", "blue", "type", "vrf", "table", "10", check=False).returncode != 0:
            pytest.skip("this kernel has no VRF")
        if is_vrf:
            host.ip("link set blue up", "link set eth0 master blue")
    vrf = "blue" if is_vrf else "eth0"
    alpha = router("sluice", "alpha", config("alpha", vrf, 150)).start()
    beta = router("sluice", "beta", config("beta", vrf, 100)).start()
    alpha.wait_master()
    time.sleep(0.6)
    assert not beta.has()
    alpha.host.ip(f"link set {vrf} down")
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    beta.wait_master()
    alpha.host.ip(f"link set {vrf} up")
    alpha.wait_master()
    alpha.reload(config("alpha", "nowhere", 150))
    until("alpha is in FAULT", lambda: alpha.status()["faults"] == ["interface down"])
