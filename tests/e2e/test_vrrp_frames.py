"""Advertisements byte by byte: what goes out is what keepalived 2.2.7 was recorded to send from the same hosts, and of
what comes in nothing that is wrong, or not meant for us, changes a state: it is counted by its kind, and logged once.
"""

from __future__ import annotations

import json
import time

import pytest

import vrrp_frames as frames
from capture import is_advert
from netns import until
from routers import ADDRESS, VIP, instance

CLIENT = ADDRESS["client"]
CLIENT6, V6_ADDRESSES = "fe80::ff:fe00:109", ("fe80::100", "fd98::100")
V3 = ("version 3", "advert_int 0.1")
PASS = "authentication {\n auth_type PASS\n auth_pass s3cret12\n }"
AH = "authentication {\n auth_type AH\n auth_pass s3cret12\n }"
UNICAST = (f"unicast_src_ip {ADDRESS['alpha']}", "check_unicast_src",
           f"unicast_peer {{\n {ADDRESS['beta']} min_ttl 254\n }}")

# --- what goes out ---------------------------------------------------------------------------------------------------

# The first advertisement of a router on alpha, and its goodbye, whose IP identification is another each time.
RECORDED = {
    "v2 PASS": (("advert_int 1", PASS), (f"{VIP}/24",),
                "01005e000012 020000000101 0800 45c0002800010000ff70d02f0a620001e0000012"
                "21339601 0101cfb7 0a620064 7333637265743132",
                "21330001 010165b8 0a620064 7333637265743132"),
    "v2 AH": (("advert_int 1", AH), (f"{VIP}/24", "10.98.0.101/24"),
              "01005e000012 020000000101 0800 45c0004400010000ff33d0500a620001e0000012"
              "70040000 0a620001 00000001 1999ca94f5dca1b260e03129"
              "21339602 0201313c 0a620064 0a620065 0000000000000000",
              "21330002 0201c73c 0a620064 0a620065 0000000000000000"),
    "v3": (V3, (f"{VIP}/24",),
           "01005e000012 020000000101 0800 45c0002000010000ff70d0370a620001e0000012 31339601 000a4309 0a620064",
           "31330001 000ad909 0a620064"),
    "v3 virtual MAC": ((*V3, "use_vmac"), (f"{VIP}/24",),
                       "01005e000012 00005e000133 0800 45c0002000010000ff70d0370a620001e0000012"
                       "31339601 000a4309 0a620064",
                       "31330001 000ad909 0a620064"),
    "v3 unicast": ((*V3, f"unicast_src_ip {ADDRESS['alpha']}", f"unicast_peer {{\n {ADDRESS['beta']}\n }}"),
                   (f"{VIP}/24",),
                   "020000000102 020000000101 0800 45c0002000010000ff70a5e60a6200010a620002"
                   "31339601 000a18b8 0a620064",
                   None),
    "v3 IPv6": (V3, ("fe80::100/64", "fd98::100/64"),
                "333300000012 020000000101 86dd 6c000000002870fffe80000000000000000000fffe000101"
                "ff020000000000000000000000000012"
                "31339602 000a3c77 fe800000000000000000000000000100 fd980000000000000000000000000100",
                "31330002 000ad277 fe800000000000000000000000000100 fd980000000000000000000000000100"),
    "v3 IPv6 virtual MAC": ((*V3, "use_vmac"), ("fe80::100/64", "fd98::100/64"),
                            "333300000012 00005e000233 86dd 6c000000002870fffe80000000000000000000fffe000101"
                            "ff020000000000000000000000000012"
                            "31339602 000a3c77 fe800000000000000000000000000100 fd980000000000000000000000000100",
                            "31330002 000ad277 fe800000000000000000000000000100 fd980000000000000000000000000100"),
}
GARP = {"": "ffffffffffff 020000000101 0806 000108000604 0001 020000000101 0a620064 ffffffffffff 0a620064",
        "virtual MAC": "ffffffffffff 00005e000133 0806 000108000604 0001 00005e000133 0a620064 ffffffffffff 0a620064"}
ADVERTISEMENT = {
    "": "333300000001 020000000101 86dd 6000000000203afffe800000000000000000000000000100"
        "ff020000000000000000000000000001 8800549d 20000000 fe800000000000000000000000000100 0201020000000101",
    "virtual MAC": "333300000001 00005e000233 86dd 6000000000203afffe800000000000000000000000000100"
                   "ff020000000000000000000000000001 8800f76a 20000000 fe800000000000000000000000000100 020100005e000233"}


def bare(frame: bytes) -> bytes:
    """Without the flow label, which is the kernel's to choose."""
    return frame[:15] + bytes([frame[15] & 0xf0, 0, 0]) + frame[18:] if frame[12:14] == b"\x86\xdd" else frame


@pytest.mark.parametrize("form", RECORDED)
def test_what_goes_out_is_what_keepalived_sends(wire, router, capture, form):
    lines, vips, first, goodbye = RECORDED[form]
    seen = capture("client" if form != "v3 unicast" else "beta")
    if "virtual" in form:
        wire.hosts["alpha"].sysctl("net.ipv6.conf.default.disable_ipv6=0")
    alpha = router("sluice", "alpha", instance("VI_1", *lines, priority=150, vips=vips)).start()
    alpha.wait_master(vips[-1].split("/")[0], interface="vrrp.51" if "virtual" in form else "eth0")
    kind = "virtual MAC" if "virtual" in form else ""
    announcement = bytes.fromhex((ADVERTISEMENT if "IPv6" in form else GARP)[kind])
    caught: list[bytes] = []

    def announced() -> bool:
        caught.extend(seen.frames())
        return announcement in map(bare, caught)

    until("an announcement that is byte by byte keepalived's", announced, 3.0)
    adverts = [bare(frame) for frame in caught if is_advert(frame) or frame[23] == frames.AH]
    assert adverts[0].hex() == bytes.fromhex(first).hex()
    alpha.stop()
    adverts = [frame for frame in seen.frames() if is_advert(frame) or frame[23] == frames.AH]
    if goodbye is not None:
        assert adverts[-1].endswith(bytes.fromhex(goodbye)), adverts[-1].hex(" ")
    for frame in adverts:
        assert "IPv6" in form or frames.checksum(frame[14:34]) == 0


# --- what comes in ---------------------------------------------------------------------------------------------------


def v3_packet(ttl: int = 255, destination: str = frames.GROUP, **fields) -> bytes:
    return frames.ipv4(frames.v3(CLIENT, destination=destination, **fields), CLIENT, destination, ttl)


def wrong_v3(priority: int) -> dict[str, bytes]:
    """By the counter that it belongs to. All of them claim the address."""
    good = frames.v3(CLIENT, priority=priority)
    broken_sum = good[:6] + bytes([good[6] ^ 0xff]) + good[7:]
    return {
        "too_short": frames.ipv4(good[:7], CLIENT),
        "length": frames.ipv4(good + bytes(16), CLIENT),
        "ttl": frames.ipv4(good, CLIENT, ttl=64),
        "version": frames.ipv4(frames.v2(priority=priority), CLIENT),
        "type": v3_packet(priority=priority, head=0x32),
        "interval": v3_packet(priority=priority, interval=0),
        "checksum": frames.ipv4(broken_sum, CLIENT),
    }


def wrong_pass(priority: int) -> dict[str, bytes]:
    def packet(**fields) -> bytes:
        return frames.ipv4(frames.v2(**{"priority": priority, "auth_type": 1, "auth": b"s3cret12", **fields}), CLIENT)

    return {
        "auth_type_unknown": packet(auth_type=7),
        "auth_type": packet(auth_type=0, auth=b""),
        "password": packet(auth=b"s3cret13"),
        "interval": packet(interval=2),
        "length": frames.ipv4(frames.v2(priority=priority, auth_type=1, auth=b"s3cret12") + bytes(16), CLIENT),
    }


def wrong_ah(priority: int) -> dict[str, bytes]:
    pdu = frames.v2(priority=priority, auth_type=2)
    return {
        "ah_header": frames.ah(pdu, CLIENT, 1000, payload_length=5),
        "ah_spi": frames.ah(pdu, CLIENT, 1001, spi=ADDRESS["beta"]),
        "ah_digest": frames.ah(pdu, CLIENT, 1002, password=b"other"),
        "ah_replay": frames.ah(pdu, CLIENT, 0),
    }


def wrong_unicast(priority: int) -> dict[str, bytes]:
    def packet(source: str, ttl: int) -> bytes:
        destination = ADDRESS["alpha"]
        return frames.ipv4(frames.v3(source, destination=destination, priority=priority), source, destination, ttl)

    return {"unicast_source": packet(CLIENT, 255), "unicast_ttl": packet(ADDRESS["beta"], 253)}


def wrong_signed(priority: int, is_v6: bool = False) -> dict[str, bytes]:
    source = CLIENT6 if is_v6 else CLIENT
    pdu = frames.v3(source, priority=priority, addresses=V6_ADDRESSES if is_v6 else ("10.98.0.100",))

    def packet(pdu: bytes) -> bytes:
        return frames.ipv6(pdu, source) if is_v6 else frames.ipv4(pdu, source)

    def with_signature(**fields) -> bytes:
        return packet(frames.signed(pdu, source, **fields))

    return {
        "hmac_missing": packet(pdu),
        "hmac_malformed": with_signature(kind=2),
        "hmac_unknown_key": with_signature(key_id=9),
        "hmac_digest": with_signature(key=b"another key that has 32 bytes...."),
        "hmac_stale": with_signature(at=time.time() - 60),
        "length": packet(frames.signed(pdu, source)[:-1]),
        "checksum": packet(frames.signed(pdu[:6] + bytes([pdu[6] ^ 0xff]) + pdu[7:], source)),
    }


def wrong_signed_v6(priority: int) -> dict[str, bytes]:
    return wrong_signed(priority, is_v6=True)


SIGNED = (*V3, frames.HMAC)
WRONG = {"signed": (SIGNED, wrong_signed), "signed IPv6": (SIGNED, wrong_signed_v6), "v3": (V3, wrong_v3), "v2 PASS": (("advert_int 1", PASS), wrong_pass), "v2 AH": (("advert_int 1", AH), wrong_ah),
         "unicast": ((*V3, *UNICAST), wrong_unicast)}
TIMES = 50


def count(router, name: str) -> int:
    """Its instance's, and what is nobody's."""
    shown = json.loads(router.ctl("vrrp", "--json").stdout)
    return shown["errors"][name] + shown["vrrp_instances"][0]["errors"][name]


@pytest.mark.parametrize("form", WRONG)
def test_wrong_advertisements_don_t_unseat_a_master(wire, router, form):
    lines, wrong = WRONG[form]
    is_v6 = "IPv6" in form
    vips = tuple(f"{each}/64" for each in V6_ADDRESSES) if is_v6 else (f"{VIP}/24",)
    alpha = router("sluice", "alpha", instance("VI_1", *lines, priority=150, vips=vips)).start()
    alpha.wait_master(vips[-1].split("/")[0])
    to_alpha = "02:00:00:00:01:01" if form == "unicast" else "33:33:00:00:00:12" if is_v6 else "01:00:5e:00:00:12"
    with frames.sender(wire.hosts["client"]) as wire_end:
        for name, packet in wrong(200).items():
            for _ in range(TIMES):
                wire_end.send(frames.ethernet(packet, destination=to_alpha))
            until(f"{TIMES} counted as {name}", lambda name=name: count(alpha, name) == TIMES)
    status = alpha.status()
    assert status["state"] == "MASTER" and status["counters"]["release_master"] == 0
    assert status["counters"]["adverts_received"] == 0
    # Told once a kind, however often it comes.
    assert alpha.log().count(" dropped: ") == len(wrong(200)), alpha.log()
    assert sum(count(alpha, name) for name in status["errors"]) == TIMES * len(wrong(200))


@pytest.mark.parametrize("form", ["v3", "v2 PASS", "v2 AH", "signed"])
def test_wrong_goodbyes_don_t_wake_a_backup(wire, router, form):
    lines, wrong = WRONG[form]
    beta = router("sluice", "beta", instance("VI_1", *lines, priority=150)).start()
    beta.wait_master()
    alpha = router("sluice", "alpha", instance("VI_1", *lines, priority=100)).start()
    until("alpha hears beta", lambda: alpha.status()["counters"]["adverts_received"] > 0)
    with frames.sender(wire.hosts["client"]) as wire_end:
        for name, packet in wrong(0).items():
            wire_end.send(frames.ethernet(packet))
            until(f"counted as {name}", lambda name=name: count(alpha, name) > 0)
    time.sleep(0.7)  # its skew
    assert alpha.status()["state"] == "BACKUP" and alpha.status()["counters"]["become_master"] == 0
    assert beta.status()["state"] == "MASTER" and beta.status()["counters"]["release_master"] == 0


@pytest.mark.parametrize("lines, counter", [(("advert_int 1", AH), "ah_replay"), (SIGNED, "hmac_replay")],
                         ids=["AH", "signed"])
def test_an_advertisement_that_is_replayed_is_dropped(wire, router, capture, lines, counter):
    beta = router("sluice", "beta", instance("VI_1", *lines, priority=150)).start()
    beta.wait_master()
    seen = capture()
    alpha = router("sluice", "alpha", instance("VI_1", *lines, priority=100)).start()
    until("alpha hears beta", lambda: alpha.status()["counters"]["adverts_received"] > 1)
    heard = [frame for frame in seen.frames() if frame[23] == frames.AH or is_advert(frame)]
    beta.kill()
    died = time.monotonic()
    # Who records a master and plays it back would keep the backup quiet for ever.
    with frames.sender(wire.hosts["client"]) as wire_end:
        while alpha.status()["state"] == "BACKUP" and time.monotonic() < died + 8:
            for frame in heard:
                wire_end.send(frame)
            time.sleep(0.2)
        assert alpha.status()["state"] == "MASTER" and time.monotonic() - died < 6
        for frame in heard:
            wire_end.send(frame)
    until("they are counted", lambda: count(alpha, counter) >= len(heard))


def test_what_was_signed_is_not_replayed_after_a_reload_either(wire, router, capture):
    beta = router("sluice", "beta", instance("VI_1", *SIGNED, priority=150)).start()
    beta.wait_master()
    seen = capture()
    config = instance("VI_1", *SIGNED, "nopreempt", priority=100)
    alpha = router("sluice", "alpha", config).start()
    until("alpha hears beta", lambda: alpha.status()["counters"]["adverts_received"] > 1)
    heard = [frame for frame in seen.frames() if is_advert(frame)]
    beta.kill()
    alpha.reload(config.replace("priority 100", "priority 101"))
    before = alpha.status()["counters"]["adverts_received"]
    with frames.sender(wire.hosts["client"]) as wire_end:
        for frame in heard:
            wire_end.send(frame)
    until("they are counted", lambda: count(alpha, "hmac_replay") == len(heard))
    assert alpha.status()["counters"]["adverts_received"] == before


def test_a_signature_made_elsewhere_is_understood(wire, router):
    """By Python's hmac, after the layout's description."""
    alpha = router("sluice", "alpha", instance("VI_1", *SIGNED, priority=150)).start()
    alpha.wait_master()
    with frames.sender(wire.hosts["client"]) as wire_end:
        packet = frames.ipv4(frames.signed(frames.v3(CLIENT), CLIENT), CLIENT)
        wire_end.send(frames.ethernet(packet))
        alpha.wait_backup()
    alpha.wait_master()


def test_another_s_virtual_router_is_counted_and_otherwise_nothing(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150)).start()
    alpha.wait_master()
    with frames.sender(wire.hosts["client"]) as wire_end:
        for _ in range(TIMES):
            wire_end.send(frames.ethernet(v3_packet(vrid=77)))
    until("counted", lambda: count(alpha, "unknown_vrid") == TIMES)
    assert alpha.status()["state"] == "MASTER" and not any(alpha.status()["errors"].values())


def test_another_list_of_addresses_is_counted_and_obeyed(wire, router):
    """As keepalived does from 2.3 on; 2.2 dropped it, and two routers that differed were both master."""
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150)).start()
    alpha.wait_master()
    with frames.sender(wire.hosts["client"]) as wire_end:
        wire_end.send(frames.ethernet(v3_packet(addresses=("10.98.0.101",))))
        alpha.wait_backup()
    assert alpha.status()["counters"]["address_list_errors"] == 1
    alpha.wait_master()


def test_its_own_advertisements_that_come_back_change_nothing(wire, router, capture):
    seen = capture()
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150)).start()
    alpha.wait_master()
    own = [frame for frame in seen.frames() if is_advert(frame)]
    with frames.sender(wire.hosts["client"]) as wire_end:
        for _ in range(TIMES):
            wire_end.send(own[0])
    time.sleep(0.5)
    status = alpha.status()
    assert status["state"] == "MASTER" and status["counters"]["release_master"] == 0


def test_junk_doesn_t_silence_a_master(wire, router, capture):
    """keepalived's timer begins anew with whatever comes in for its virtual router, so that junk that is faster than
    the interval keeps it from sending, and the backups take over."""
    alpha = router("sluice", "alpha", instance("VI_1", *V3, priority=150)).start()
    alpha.wait_master()
    seen = capture()
    junk = list(wrong_v3(100).values())
    with frames.sender(wire.hosts["client"]) as wire_end:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for packet in junk:
                wire_end.send(frames.ethernet(packet))
            time.sleep(0.02)
    adverts = [frame for frame in seen.frames() if is_advert(frame) and frame[26:30] == frames.packed(ADDRESS["alpha"])]
    assert 15 <= len(adverts) <= 24, "one each 100 ms"
