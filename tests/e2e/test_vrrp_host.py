"""What VRRP sets on its host, and what it makes of interfaces that come, go and change: against a running daemon, side by
side with keepalived where that does the same.
"""

from __future__ import annotations

import pytest

from netns import Host, until
from routers import KEEPALIVED, VIP, instance

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
