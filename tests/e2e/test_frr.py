"""VRRP with FRR on the same wire, in both roles: each pair elects, fails over and fails back. FRR has no authentication,
no unicast and no sync groups.
"""

from __future__ import annotations

import pytest

from netns import until
from routers import HAS_FRR, VIP, instance

pytestmark = pytest.mark.skipif(not HAS_FRR, reason="needs FRR")

VIP6 = "fd98::100"


@pytest.fixture
def prepare():
    return lambda kind, host: host.sysctl("net.ipv6.conf.default.disable_ipv6=0")


def frr(version: int, priority: int, is_v6: bool, interval_ms: int) -> str:
    address = f"ipv6 {VIP6}" if is_v6 else f"ip {VIP}"
    return (f"interface eth0\n vrrp 51 version {version}\n vrrp 51 priority {priority}\n"
            f" vrrp 51 advertisement-interval {interval_ms}\n vrrp 51 {address}\n")


#        version, lines of ours, is_v6
FORMS = {"v2": (2, ("advert_int 1",), False),
         "v3": (3, ("version 3", "advert_int 0.1"), False),
         "v3 IPv6": (3, ("version 3", "advert_int 0.1"), True),
         "v3 virtual MAC": (3, ("version 3", "advert_int 0.1", "use_vmac"), False),
         "v3 IPv6 virtual MAC": (3, ("version 3", "advert_int 0.1", "use_vmac"), True)}


def pair(router, form: str, our_priority: int, their_priority: int):
    version, lines, is_v6 = FORMS[form]
    vips = ("fe80::100/64", f"{VIP6}/64") if is_v6 and "virtual MAC" not in form else (f"{VIP6}/64",) if is_v6 else (f"{VIP}/24",)
    ours = router("sluice", "alpha", instance("VI_1", *lines, priority=our_priority, vips=vips))
    theirs = router("frr", "beta", frr(version, their_priority, is_v6, 1000 if version == 2 else 100))
    return ours, theirs, VIP6 if is_v6 else VIP


def is_master(ours) -> bool:
    return ours.status()["state"] == "MASTER"


@pytest.mark.parametrize("form", FORMS)
def test_ours_is_the_master_frr_takes_over_and_gives_back(wire, router, form):
    ours, theirs, vip = pair(router, form, 150, 100)
    ours.start()
    until("ours is master", lambda: is_master(ours))
    theirs.start()
    until("FRR runs", lambda: theirs.show()["v6" if ":" in vip else "v4"]["status"] == "Backup")
    assert is_master(ours)
    ours.stop()
    theirs.wait_master(vip, 2.0)  # its skew, not three intervals
    ours.start()
    until("ours is master again", lambda: is_master(ours))
    theirs.wait_backup(vip)
    assert is_master(ours)


@pytest.mark.parametrize("form", FORMS)
def test_frr_is_the_master_ours_takes_over_and_gives_back(wire, router, form):
    ours, theirs, vip = pair(router, form, 100, 150)
    theirs.start()
    theirs.wait_master(vip)
    ours.start()
    until("ours hears it", lambda: ours.status()["counters"]["adverts_received"] > 1)
    assert ours.status()["state"] == "BACKUP"
    theirs.stop()
    until("ours takes over", lambda: is_master(ours), 5.0)
    theirs.start()
    theirs.wait_master(vip, 10.0)
    until("ours gives back", lambda: ours.status()["state"] == "BACKUP")
    assert theirs.has(vip)


def test_frr_learns_our_interval(router):
    router("sluice", "alpha", instance("VI_1", "version 3", "advert_int 0.5", priority=150)).start()
    theirs = router("frr", "beta", frr(3, 100, is_v6=False, interval_ms=1000)).start()
    until("FRR has learned it", lambda: theirs.show()["v4"].get("masterAdverInterval") == 500, 15)
