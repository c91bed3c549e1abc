"""VRRP across namespaces: ours with ours, and ours with keepalived in both roles. Each pair elects, fails over and fails
back; the client reaches the address all the time in between.
"""

from __future__ import annotations

import os
import signal

import pytest

import vrrp_frames as frames
from capture import is_advert
from netns import Failed, until
from routers import ADDRESS, KEEPALIVED, VIP, instance

needs_keepalived = pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived")

PASS = "authentication {\n auth_type PASS\n auth_pass s3cret12\n }"
AH = "authentication {\n auth_type AH\n auth_pass s3cret12\n }"


UNICAST6 = {"alpha": "fd98::1", "beta": "fd98::2"}  # keepalived can't bind to a link-local address


def v6_vips() -> tuple[str, ...]:
    return ("fe80::100/64", "fd98::100/64")


def lines_of(kind: str, host: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Lines of an instance, its addresses, and the one to look for."""
    other = "beta" if host == "alpha" else "alpha"
    return {
        "v2": (("advert_int 1",), (f"{VIP}/24",), VIP),
        "v2 PASS": (("advert_int 1", PASS), (f"{VIP}/24",), VIP),
        "v2 AH": (("advert_int 1", AH), (f"{VIP}/24",), VIP),
        "v3": (("version 3", "advert_int 0.1"), (f"{VIP}/24",), VIP),
        "v3 IPv6": (("version 3", "advert_int 0.1"), v6_vips(), "fd98::100"),
        "unicast": (("version 3", "advert_int 0.1", f"unicast_src_ip {ADDRESS[host]}",
                     f"unicast_peer {{\n {ADDRESS[other]}\n }}"), (f"{VIP}/24",), VIP),
        "unicast IPv6": (("version 3", "advert_int 0.1", f"unicast_src_ip {UNICAST6[host]}",
                          f"unicast_peer {{\n {UNICAST6[other]}\n }}"), v6_vips(), "fd98::100"),
    }[kind]


PAIRS = [("sluice", "sluice"),
         pytest.param("sluice", "keepalived", marks=needs_keepalived),
         pytest.param("keepalived", "sluice", marks=needs_keepalived)]


@pytest.mark.parametrize("alpha_kind, beta_kind", PAIRS)
@pytest.mark.parametrize("form", ["v2", "v2 PASS", "v2 AH", "v3", "v3 IPv6", "unicast", "unicast IPv6"])
def test_a_pair_elects_fails_over_and_fails_back(wire, router, form, alpha_kind, beta_kind):
    elects_fails_over_and_fails_back(wire, router, form, alpha_kind, beta_kind)


def elects_fails_over_and_fails_back(wire, router, form: str, alpha_kind: str, beta_kind: str, *more: str) -> None:
    if form == "unicast IPv6":
        for host, address in UNICAST6.items():
            wire.hosts[host].ip(f"address add {address}/64 dev eth0 nodad")
    lines, vips, vip = lines_of(form, "alpha")
    alpha = router(alpha_kind, "alpha", instance("VI_1", *lines, *more, priority=150, vips=vips)).start()
    lines, vips, vip = lines_of(form, "beta")
    beta = router(beta_kind, "beta", instance("VI_1", *lines, *more, priority=100, vips=vips)).start()
    alpha.wait_master(vip)
    assert not beta.has(vip)
    # A stop gives the address up at once: the other doesn't wait for a master that is gone.
    alpha.stop()
    assert not alpha.has(vip)
    beta.wait_master(vip, 2.0)
    alpha.start()
    alpha.wait_master(vip)
    beta.wait_backup(vip)


@pytest.mark.parametrize("form", ["v2", "v3", "v3 IPv6", "unicast", "unicast IPv6"])
def test_a_pair_that_signs_does_so_too(wire, router, capture, form):
    seen = capture("beta")
    elects_fails_over_and_fails_back(wire, router, form, "sluice", "sluice", frames.HMAC)
    adverts = [frame for frame in seen.frames() if is_advert(frame)]
    assert adverts
    for frame in adverts:
        pdu, trailer, source = frames.unsigned(frame)
        at = int.from_bytes(trailer[4:8]) + (int.from_bytes(trailer[8:10]) + 0.5) / 65536
        counter = int.from_bytes(trailer[10:12])
        assert frames.signed(pdu, source, at=at, counter=counter) == pdu + trailer


def test_signatures_come_in_three_sweeps_without_an_interruption(router, capture):
    """keepalived's manual: receive-only everywhere, then permissive, then enforce."""
    v3 = ("version 3", "advert_int 0.1")

    def config(priority: int, *more: str) -> str:
        return instance("VI_1", *v3, *more, priority=priority)

    alpha = router("sluice", "alpha", config(150)).start()
    beta = router("sluice", "beta", config(100)).start()
    alpha.wait_master()
    for mode in ("receive-only", "permissive", "enforce"):
        hmac = frames.HMAC.replace("\n }", f"\n mode {mode}\n }}")
        for each, priority in ((beta, 100), (alpha, 150)):
            each.reload(config(priority, hmac))
            heard = beta.status()["counters"]["adverts_received"]
            until("beta hears alpha", lambda heard=heard: beta.status()["counters"]["adverts_received"] > heard + 6)
    seen = capture()
    until("an advertisement comes", lambda: any(is_advert(frame) for frame in seen.frames()))
    assert alpha.status()["counters"]["become_master"] == 1 and beta.status()["counters"]["become_master"] == 0
    assert not any(beta.status()["errors"].values())
    # Whoever doesn't sign isn't heard any more.
    alpha.reload(config(150))
    until("beta drops them", lambda: beta.status()["errors"]["hmac_missing"] > 0)
    beta.wait_master()


def test_a_key_that_can_t_be_read_is_a_fault_until_a_reload(wire, router):
    file = wire.lab.directory / "key"
    config = instance("VI_1", "version 3", "advert_int 0.1", f"auth_hmac {{\n key 1 file:{file}\n }}", priority=150)
    alpha = router("sluice", "alpha", config).start()
    until("it is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert alpha.status()["faults"] == ["no key for auth_hmac"] and str(file) in alpha.log()
    file.write_text(f"hex:{frames.HMAC_KEY.hex()}\n")
    alpha.reload(config)
    alpha.wait_master()
    assert frames.HMAC_KEY.hex() not in alpha.log()


@pytest.mark.parametrize("beta_kind", ["sluice", pytest.param("keepalived", marks=needs_keepalived)])
def test_the_client_follows_a_master_that_vanishes(wire, router, beta_kind):
    v3 = ("version 3", "advert_int 0.1")
    alpha = router("sluice", "alpha", instance("VI_1", *v3, priority=150)).start()
    beta = router(beta_kind, "beta", instance("VI_1", *v3)).start()
    alpha.wait_master()
    until("the client reaches alpha", wire.reaches)
    alpha.kill()
    beta.wait_master()
    assert wire.hosts["beta"].mac("eth0") in wire.hosts["client"].show("neigh", "show", VIP), "no gratuitous ARP came"
    assert wire.reaches()


def test_what_a_dead_director_left_is_taken_over(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", "version 3", "advert_int 0.1", priority=150)).start()
    alpha.wait_master()
    alpha.process.kill()
    assert alpha.has()
    beta = router("sluice", "beta", instance("VI_1", "version 3", "advert_int 0.1")).start()
    beta.wait_master()
    alpha.start()
    alpha.wait_master()
    beta.wait_backup()


def test_an_address_that_somebody_removes_costs_the_mastership_for_a_moment(router):
    alpha = router("sluice", "alpha", instance("VI_1", "version 3", "advert_int 0.1", priority=150)).start()
    alpha.wait_master()
    alpha.host.ip(f"address del {VIP}/24 dev eth0")
    until("it was noticed", lambda: alpha.status()["counters"]["release_master"] == 1)
    alpha.wait_master()
    assert alpha.status()["counters"]["become_master"] == 2


def test_an_interface_that_goes_down_is_a_fault(wire, router):
    v3 = ("version 3", "advert_int 0.1")
    alpha = router("sluice", "alpha", instance("VI_1", *v3, priority=150)).start()
    beta = router("sluice", "beta", instance("VI_1", *v3)).start()
    alpha.wait_master()
    wire.lan.ip("link set alpha down")  # the carrier
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert not alpha.has()
    beta.wait_master()
    wire.lan.ip("link set alpha up")
    alpha.wait_master()
    beta.wait_backup()
    assert "Entering FAULT STATE" in alpha.log()


@pytest.mark.parametrize("alpha_kind, beta_kind", PAIRS)
def test_a_sync_group_moves_together(wire, router, alpha_kind, beta_kind):
    vips = ("10.98.0.100", "10.98.0.101")

    def config(priority: int) -> str:
        v3 = ("version 3", "advert_int 0.1")
        return ("vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"
                + instance("A", *v3, vrid=51, priority=priority, vips=(f"{vips[0]}/24",))
                + instance("B", *v3, vrid=52, priority=priority, vips=(f"{vips[1]}/24",)))

    alpha = router(alpha_kind, "alpha", config(150)).start()
    beta = router(beta_kind, "beta", config(100)).start()
    for vip in vips:
        alpha.wait_master(vip)
    alpha.host.ip(f"address del {vips[0]}/24 dev eth0")
    if alpha_kind == "sluice":
        until("both were given up", lambda: alpha.status("B")["counters"]["release_master"] == 1)
    for vip in vips:
        alpha.wait_master(vip)
    # Both have it for a moment, or neither: not one this and one that.
    alpha.stop()
    for vip in vips:
        beta.wait_master(vip)
    alpha.start()
    for vip in vips:
        alpha.wait_master(vip)
        beta.wait_backup(vip)


def test_routes_and_rules_come_and_go_with_the_mastership(wire, router):
    lines = ("version 3", "advert_int 0.1",
             "virtual_routes {\n 10.77.0.0/16 via 10.98.0.9 dev eth0 table 77\n 10.78.0.0/16 via 10.98.0.9 dev eth0\n }",
             "virtual_rules {\n from 10.77.0.0/16 table 77 preference 770\n }")
    alpha = router("sluice", "alpha", instance("VI_1", *lines)).start()
    alpha.wait_master()

    def shown() -> str:
        return alpha.host.show("route", "show", "table", "all") + alpha.host.show("rule", "show")

    for part in ("10.77.0.0/16 via 10.98.0.9 dev eth0 table 77 proto keepalived", "10.78.0.0/16 via 10.98.0.9",
                 "770:\tfrom 10.77.0.0/16 lookup 77"):
        until(f"there is {part}", lambda part=part: part in shown().replace("proto 18", "proto keepalived"))
    alpha.host.ip("route del 10.78.0.0/16")
    until("the loss was noticed", lambda: alpha.status()["counters"]["release_master"] == 1)
    until("it is back", lambda: "10.78.0.0/16" in shown())
    alpha.host.ip("rule del preference 770")
    until("that one, too", lambda: alpha.status()["counters"]["release_master"] == 2)
    until("it is back", lambda: "770:" in shown())
    alpha.stop()
    assert "10.77." not in shown() and "10.78." not in shown()


def test_static_addresses_routes_and_rules_are_there_while_it_runs(wire, router):
    config = ("static_ipaddress {\n 10.55.0.1/24 dev eth0\n}\nstatic_routes {\n 10.56.0.0/16 via 10.55.0.2 dev eth0\n}\n"
              "static_rules {\n from 10.56.0.0/16 table 56 preference 560\n}\n")
    alpha = router("sluice", "alpha", config + instance("VI_1", "version 3", "advert_int 0.1")).start()

    def shown() -> str:
        return (alpha.host.show("address", "show", "dev", "eth0") + alpha.host.show("route", "show")
                + alpha.host.show("rule", "show"))

    for part in ("10.55.0.1/24", "10.56.0.0/16 via 10.55.0.2", "560:"):
        assert part in shown()
    alpha.host.ip("rule del preference 560", "address del 10.55.0.1/24 dev eth0")
    until("they are back", lambda: "560:" in shown() and "10.55.0.1/24" in shown())
    alpha.stop()
    assert "10.55." not in shown() and "560:" not in shown()


def test_a_script_s_weight_moves_the_address(wire, router):
    flag = wire.lab.directory / "flag"
    flag.touch()
    script = wire.lab.directory / "check.sh"
    script.write_text(f"#!/bin/sh\ntest -e {flag}\n")
    script.chmod(0o755)
    tracked = (f'vrrp_script chk {{\n script "{script}"\n interval 1\n weight -60\n}}\n'
               + instance("VI_1", "version 3", "advert_int 0.1", "track_script {\n chk\n }", priority=150))
    alpha = router("sluice", "alpha", "global_defs {\n script_user root\n}\n" + tracked).start()
    beta = router("sluice", "beta", instance("VI_1", "version 3", "advert_int 0.1")).start()
    alpha.wait_master()
    flag.unlink()
    beta.wait_master()
    alpha.wait_backup()
    assert alpha.status()["effective_priority"] == 90
    flag.touch()
    alpha.wait_master()
    assert "VRRP_Script(chk) succeeded" in alpha.log()


def test_a_file_s_number_is_a_weight(wire, router):
    file = wire.lab.directory / "weight"
    file.write_text("0\n")
    tracked = (f"track_file f {{\n file {file}\n weight 1\n}}\n"
               + instance("VI_1", "version 3", "advert_int 0.1", "track_file {\n f\n }", priority=100))
    alpha = router("sluice", "alpha", tracked).start()
    alpha.wait_master()
    file.write_text("-40\n")
    until("it counts", lambda: alpha.status()["effective_priority"] == 60)
    file.write_text("-254\n")
    until("it is a fault", lambda: alpha.status()["state"] == "FAULT")
    file.write_text("20\n")
    until("it counts again", lambda: alpha.status()["effective_priority"] == 120)


def test_a_process_that_ends_moves_the_address(wire, router):
    """In a network namespace the kernel tells nothing of processes: they are looked for each second."""
    parameter = f"{os.getpid()}.51"
    config = (f"vrrp_track_process web {{\n process sleep {parameter}\n weight -100\n}}\n"
              + instance("VI_1", "version 3", "advert_int 0.1", "track_process {\n web\n }", priority=150))
    web = wire.hosts["alpha"].start("sleep", parameter)
    alpha = router("sluice", "alpha", config).start()
    beta = router("sluice", "beta", instance("VI_1", "version 3", "advert_int 0.1")).start()
    alpha.wait_master()
    web.kill()
    beta.wait_master()
    alpha.wait_backup()
    assert alpha.status()["effective_priority"] == 50
    wire.hosts["alpha"].start("sleep", parameter)
    alpha.wait_master()
    beta.wait_backup()
    assert "looked for each second" in alpha.log()
    assert "Quorum lost for tracked process web" in alpha.log()


def test_too_many_processes_are_a_fault(wire, router):
    parameter = f"{os.getpid()}.52"
    config = (f"vrrp_track_process web {{\n process sleep {parameter}\n quorum_max 1\n terminate_delay 0.2\n}}\n"
              + instance("VI_1", "version 3", "advert_int 0.1", "track_process {\n web\n }", priority=150))
    alpha = router("sluice", "alpha", config).start()
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    wire.hosts["alpha"].start("sleep", parameter)
    alpha.wait_master()
    second = wire.hosts["alpha"].start("sleep", parameter)
    until("alpha is in FAULT", lambda: alpha.status()["state"] == "FAULT")
    assert "web" in next(line for line in alpha.log().splitlines() if "Quorum lost" in line)
    second.kill()
    alpha.wait_master()


def test_scripts_and_fifos_hear_of_it_in_order(wire, router):
    heard = wire.lab.directory / "heard"
    script = wire.lab.directory / "notify.sh"
    script.write_text(f'#!/bin/sh\necho "$@" >> {heard}\n')
    script.chmod(0o755)
    fifo = wire.lab.directory / "fifo"
    reader = wire.lab.directory / "reader.sh"
    lines = wire.lab.directory / "lines"
    reader.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line" >> {lines}; done < "$1"\n')
    reader.chmod(0o755)
    config = (f"global_defs {{\n script_user root\n vrrp_notify_fifo {fifo}\n vrrp_notify_fifo_script {reader}\n}}\n"
              + instance("VI_1", "version 3", "advert_int 0.1", f"notify {script}", f'notify_stop "{script} stopped"'))
    alpha = router("sluice", "alpha", config).start()
    alpha.wait_master()
    until("the FIFO was read", lambda: "MASTER" in lines.read_text())
    alpha.stop()
    said = heard.read_text().splitlines()
    assert "INSTANCE VI_1 BACKUP 100" in said and "INSTANCE VI_1 MASTER 100" in said
    assert "stopped" in said and "INSTANCE VI_1 STOP 100" in said
    assert lines.read_text().splitlines()[:2] == ['INSTANCE "VI_1" BACKUP 100', 'INSTANCE "VI_1" MASTER 100']
    assert not fifo.exists()


def test_a_reload_keeps_who_is_master(wire, router):
    v3 = ("version 3", "advert_int 0.1")
    alpha = router("sluice", "alpha", instance("VI_1", *v3, priority=150)).start()
    alpha.wait_master()
    changes = alpha.reload(instance("VI_1", *v3, priority=150, vips=(f"{VIP}/24", "10.98.0.101/24"))
                           + instance("VI_2", *v3, vrid=52, vips=("10.98.0.102/24",)))
    assert "~ vrrp_instance VI_1: + 10.98.0.101/24" in changes and "+ vrrp_instance VI_2" in changes
    alpha.wait_master("10.98.0.101", 1.0)
    alpha.wait_master("10.98.0.102")
    assert alpha.status()["counters"]["become_master"] == 1
    alpha.reload(instance("VI_1", *v3, priority=150))
    alpha.wait_backup("10.98.0.101", 1.0)
    alpha.wait_backup("10.98.0.102", 1.0)
    assert alpha.has() and alpha.status()["counters"]["become_master"] == 1


def test_it_shows_who_is_master_and_why(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", "version 3", "advert_int 0.1", priority=150)).start()
    alpha.wait_master()
    shown = alpha.ctl("vrrp").stdout
    assert "VI_1" in shown and "MASTER" in shown and "this router" in shown and "no master was heard" in shown
    assert "adverts_sent=" in alpha.ctl("vrrp", "--all").stdout
    with pytest.raises(Failed):
        alpha.ctl("no-such-command")


def test_signals_write_keepalived_s_files(wire, router):
    alpha = router("sluice", "alpha", instance("VI_1", "version 3", "advert_int 0.1", priority=150)).start()
    alpha.wait_master()
    for number, name, part in ((signal.SIGUSR1, "keepalived.data", "   State = MASTER"),
                               (signal.SIGUSR2, "keepalived.stats", "  Became master: 1"),
                               (signal.SIGUSR2, "keepalived.stats", "    Invalid HMAC: 0"),
                               (signal.SIGRTMIN + 2, "keepalived.json", '"iname":"VI_1"')):
        os.kill(alpha.process.pid, number)
        file = alpha.directory / name
        until(f"{name} has {part!r}", lambda file=file, part=part: file.exists() and part in file.read_text())
