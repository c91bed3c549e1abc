"""What the log says of VRRP: alerts that were written for keepalived's words find them."""

from __future__ import annotations

import re
import time

import pytest

from netns import until
from routers import KEEPALIVED, VIP, instance

pytestmark = pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived")

SECOND = "10.98.0.101"


def config(priority: int, script: str = "") -> str:
    """Two instances that move together; with a script, whose failure takes 60 from their priority."""
    before = (f'global_defs {{\n script_user root\n}}\nvrrp_script chk {{\n script "{script}"\n interval 1\n weight -60\n}}\n'
              if script else "")
    tracked = " track_script {\n chk\n }\n" if script else ""
    return (before + "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n" + tracked + "}\n"
            + instance("VI_1", "version 3", "advert_int 0.2", priority=priority)
            + instance("VI_2", "version 3", "advert_int 0.2", priority=priority, vrid=52, vips=(f"{SECOND}/24",)))


def key_words(log: str) -> set[str]:
    """Lines without their time, that are VRRP's; which of the two instances comes first is chance."""
    found = set()
    for line in log.splitlines():
        text = re.search(r"(\(VI_\d\)|VRRP_\w+\(|Script `|Netlink ref?l?\w* reports|Netlink reports).*", line)
        if text and "gratuitous" not in text[0]:
            found.add(re.sub(r"VI_\d", "VI", text[0]).replace(SECOND, VIP))
    return found


def life_of(wire, router, kind: str) -> str:
    """The log of a router that goes through it all, beside one of ours."""
    flag = wire.lab.directory / "flag"
    flag.touch()
    script = wire.lab.directory / "check.sh"
    script.write_text(f"#!/bin/sh\ntest -e {flag}\n")
    script.chmod(0o755)
    alpha = router(kind, "alpha", config(150, str(script))).start()
    alpha.wait_master()
    beta = router("sluice", "beta", config(100)).start()
    until("beta hears alpha", lambda: beta.status()["counters"]["adverts_received"] > 0)
    flag.unlink()
    beta.wait_master()
    alpha.wait_backup()
    flag.touch()
    alpha.wait_master()
    wire.lan.ip("link set alpha down")
    beta.wait_master()
    wire.lan.ip("link set alpha up")
    alpha.wait_master()
    beta.wait_backup()
    wire.hosts["alpha"].ip(f"address del {VIP}/24 dev eth0")
    time.sleep(1)
    alpha.wait_master()
    alpha.stop()
    beta.stop()
    return alpha.log()


def test_alerts_for_keepalived_find_their_words(wire, router):
    theirs = key_words(life_of(wire, router, "keepalived"))
    log = life_of(wire, router, "sluice")
    assert len(theirs) >= 15, theirs
    assert not theirs - key_words(log), "keepalived says this, and we don't"
    assert log.count("Netlink reports eth0 down") == 1
