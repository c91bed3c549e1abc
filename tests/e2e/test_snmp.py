"""SNMP: the same file given to keepalived and to Sluice, each beside a snmpd of its own. The same objects with the same
types and values, the same traps with the same varbinds; then what snmpd and managers may do to us.

What keepalived shows of virtual servers needs IPVS, which the kernel that runs these tests may lack: `check` is compared
with what 2.2.7 showed for the same file where there was one.
"""

from __future__ import annotations

import re
import signal
import time

import pytest

from director import QUICK, real_server, virtual_server
from netns import Host, until
from routers import KEEPALIVED as KEEPALIVED_PROGRAM
from routers import instance, make_router
from snmp_master import HAS_SNMP, KEEPALIVED, RFC2787, RFC6527, SnmpMaster
from topology import VIP

pytestmark = pytest.mark.skipif(not HAS_SNMP, reason="needs snmp, snmpd and snmptrapd")
needs_keepalived = pytest.mark.skipif(KEEPALIVED_PROGRAM is None, reason="needs keepalived")

GLOBAL = """\
global_defs {{
    router_id oracle
    notification_email {{
        ops@example.com
        b@example.com
    }}
    notification_email_from vrrp@example.com
    smtp_server 127.0.0.1 2525
    smtp_connect_timeout 7
    enable_snmp_vrrp
    enable_snmp_rfc
    enable_traps
    snmp_socket {socket}
    script_user root
    enable_script_security
}}
"""

RICH = GLOBAL + """\
static_ipaddress {{
    10.97.5.1/24 brd 10.97.5.255 dev eth0 scope global
    fd99::1/64 dev eth0
}}
static_routes {{
    10.77.0.0/24 via 10.97.0.254 dev eth0 metric 5
    10.78.0.0/24 nexthop via 10.97.0.253 dev eth0 weight 2 nexthop via 10.97.0.252 dev eth0 onlink
    blackhole 10.79.0.0/24
}}
static_rules {{
    from 10.99.0.0/24 table 100 priority 199
    to 10.96.0.0/24 table 101 priority 200
}}
vrrp_script chk_good {{
    script "/bin/true x y"
    interval 2
    weight 10
    rise 2
    fall 3
}}
vrrp_script chk_bad {{
    script "/bin/false"
    interval 1
    weight -5
    init_fail
}}
track_file tf1 {{
    file {directory}/tf1
    weight 1
    init_file 3
}}
vrrp_track_process sleepers {{
    process /bin/sleep 4242
    weight 7
    quorum 1
    quorum_max 5
    fork_delay 1.5
    terminate_delay 0.5
    full_command
}}
bfd_instance bfd1 {{
    neighbor_ip 10.97.0.77
    source_ip 10.97.0.1
    weight 4
}}
vrrp_sync_group G1 {{
    group {{
        VI_2
        VI_3
    }}
    track_script {{
        chk_good weight 2
    }}
    notify_master "/bin/true gm"
    notify_backup /bin/true
    notify_fault /bin/true
    notify_stop /bin/true
    notify "/bin/true g"
    smtp_alert
    sync_group_tracking_weight
}}
vrrp_instance VI_1 {{
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass s3cret12
    }}
    virtual_ipaddress {{
        10.97.0.100/24 brd 10.97.0.255 dev eth0
        10.97.0.101
        10.97.0.102/32 dev eth1
    }}
    virtual_ipaddress_excluded {{
        10.97.0.103/24
        fd97::103/64
    }}
    virtual_routes {{
        src 10.97.0.101 10.80.0.0/24 via 10.97.0.254 dev eth0 table 100 metric 7 mtu lock 1400 advmss 1300 initcwnd 10 quickack 1 window 100 rtt 300ms rto_min lock 200ms hoplimit 33 features ecn reordering 4 initrwnd 12
        2001:db8:1::/48 via fd97::254 dev eth0 pref high expires 300
        unreachable 10.81.0.0/24
    }}
    virtual_rules {{
        from 10.97.0.0/24 to 10.82.0.0/16 fwmark 5/7 iif eth0 table 100 priority 300 tos 16
        not from 10.83.0.0/24 table 102 priority 301
        from 10.84.0.0/24 prohibit priority 302
        from fd97::/64 table 200 priority 303
        to 10.85.0.0/24 uidrange 5-7 suppress_prefixlength 3 lookup 100 oif eth0 realms 2/3 priority 304
    }}
    track_interface {{
        lo weight 3
        peer1 weight 2
    }}
    track_script {{
        chk_good
        chk_bad
    }}
    track_file {{
        tf1
    }}
    track_process {{
        sleepers
    }}
    track_bfd {{
        bfd1
    }}
    notify_master "/bin/true im a"
    notify_backup /bin/true
    notify_fault /bin/true
    notify_stop /bin/true
    notify_deleted /bin/true
    notify_master_rx_lower_pri /bin/true
    notify "/bin/true i"
    garp_master_delay 6
    promote_secondaries
}}
vrrp_instance VI_2 {{
    state BACKUP
    nopreempt
    interface eth0
    version 3
    virtual_router_id 52
    priority 150
    advert_int 0.5
    no_accept
    virtual_ipaddress {{
        10.97.0.110
    }}
    virtual_ipaddress_excluded {{
        10.97.0.111
    }}
}}
vrrp_instance VI_3 {{
    interface eth1
    use_vmac
    virtual_router_id 53
    advert_int 0.5
    priority 150
    virtual_ipaddress {{
        fe80::53/64
        fd97::53/64
    }}
    virtual_ipaddress_excluded {{
        fd97::54/64
    }}
}}
"""

# What may differ, each for its reason.
VOLATILE = {
    # The version; keepalived takes only the first instance's addresses for advertised.
    KEEPALIVED: (r"1\.1\.0", r"2\.6\.1\.11\.[23]\."),
    RFC2787: (r"1\.3\.1\.13\.",),  # sysUpTime at which it came up
    # How long it is up; the link-local address that the kernel gives a VMAC.
    RFC6527: (r"1\.1\.1\.1\.12\.", r"1\.1\.1\.1\.[34]\.\d+\.53\."),
}


def lonely_host(lab, name: str) -> Host:
    """With two interfaces at whose other ends nobody listens."""
    host = lab.host(name)
    host.sysctl("net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0",
                "net.ipv6.conf.default.accept_dad=0")
    for number in (0, 1):
        host.ip(f"link add eth{number} address 02:00:00:00:97:0{number} type veth peer name peer{number}",
                f"link set eth{number} up", f"link set peer{number} up")
    host.ip("address add 10.97.0.1/24 dev eth0", "address add 10.97.1.1/24 dev eth1", "address add fd97::1/64 dev eth0")
    return host


class Side:
    """keepalived or Sluice with its snmpd."""

    def __init__(self, lab, build, kind: str, config: str) -> None:
        self.host = lonely_host(lab, kind)
        self.snmp = SnmpMaster(self.host)
        text = config.format(socket=self.snmp.socket, directory=lab.directory / f"{kind}-snmp")
        self.router = make_router(kind, self.host, text, build)

    def state(self, number: int) -> str:
        return self.snmp.get(f"{KEEPALIVED}.2.3.1.4.{number}")


@pytest.fixture
def sides(lab, build):
    made: list[Side] = []

    def make(config: str, *kinds: str) -> list[Side]:
        for kind in kinds or ("keepalived", "sluice"):
            made.append(Side(lab, build, kind, config))
            made[-1].router.start()
        return made

    yield make
    for side in made:
        if side.router.running():
            side.router.stop()


def differences(theirs: dict[str, str], ours: dict[str, str], volatile: tuple[str, ...]) -> list[str]:
    names = sorted({*theirs, *ours}, key=lambda oid: [int(number) for number in oid.split(".")])
    return [f"{name}: keepalived {theirs.get(name)}, ours {ours.get(name)}" for name in names
            if theirs.get(name) != ours.get(name) and not any(re.match(each, name) for each in volatile)]


@needs_keepalived
def test_every_object_of_vrrp_is_keepalived_s(sides):
    keepalived, sluice = sides(RICH)
    for side in (keepalived, sluice):
        for number in (1, 2, 3):
            until("it is master", lambda side=side, number=number: side.state(number) == "INTEGER: 2", 15)
    # Priorities settle with the second success of a script.
    until("the scripts have run", lambda: all(
        side.snmp.get(f"{KEEPALIVED}.2.9.1.6.1") == "INTEGER: 3" for side in (keepalived, sluice)), 10)
    found = []
    for root, volatile in VOLATILE.items():
        theirs, ours = keepalived.snmp.walk(root), sluice.snmp.walk(root)
        assert len(theirs) > 20
        found += [f"{root}.{line}" for line in differences(
            {k: v for k, v in theirs.items()},
            {k: v.replace(str(sluice.snmp.directory), str(keepalived.snmp.directory)) for k, v in ours.items()}, volatile)]
    assert found == [], "\n".join(found)


def about(traps: list[list[str]], name: str) -> list[list[str]]:
    return [trap for trap in traps if any(value.endswith(f'STRING: "{name}"') for value in trap)]


@needs_keepalived
def test_traps_are_keepalived_s_from_the_start_to_the_end(sides):
    both = sides(RICH)
    for side in both:
        for number in (1, 2, 3):
            until("it is master", lambda side=side, number=number: side.state(number) == "INTEGER: 2", 15)
        side.snmp.settle()
        side.host.ip("link set eth1 down")
        for number in (2, 3):
            until("the group is in FAULT", lambda side=side, number=number: side.state(number) == "INTEGER: 3")
        side.host.ip("link set eth1 up", "address replace 10.97.1.1/24 dev eth1")
        for number in (1, 2, 3):
            until("it is master again", lambda side=side, number=number: side.state(number) == "INTEGER: 2", 15)
        side.snmp.settle()
        side.router.stop()
        side.snmp.settle()
    theirs, ours = (side.snmp.traps() for side in both)
    for name in ("VI_1", "VI_2", "VI_3", "G1"):
        assert about(ours, name) == about(theirs, name)
        assert len(about(ours, name)) >= 3
    # Of the RFCs; VI_3's address is the kernel's invention.
    for root in (RFC2787, RFC6527):
        wanted, seen = ([trap for trap in traps if trap[0].startswith(root) and ".53." not in trap[1]]
                        for traps in (theirs, ours))
        assert seen == wanted and seen


def simple(*lines: str) -> str:
    text = instance("VI_1", "version 3", "advert_int 0.1", priority=150, vips=("10.97.0.100/24",)).replace(
        "{", "{{").replace("}", "}}")
    return GLOBAL.replace("    enable_traps\n", "    enable_traps\n" + "".join(f"    {line}\n" for line in lines)) + text


PRIORITY, EFFECTIVE = f"{KEEPALIVED}.2.3.1.7.1", f"{KEEPALIVED}.2.3.1.8.1"
PREEMPT = f"{KEEPALIVED}.2.3.1.13.1"


@pytest.mark.parametrize("kind", [pytest.param("keepalived", marks=needs_keepalived), "sluice"])
def test_what_a_manager_may_write(sides, kind):
    side, = sides(simple(), kind)
    until("it is shown", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150")
    assert side.snmp.set(PRIORITY, "i", "120") == "INTEGER: 120"
    until("it acts", lambda: side.snmp.get(EFFECTIVE) == "INTEGER: 120")
    assert side.snmp.get(PRIORITY) == "INTEGER: 120"
    assert side.snmp.set(PREEMPT, "i", "2") == "INTEGER: 2"
    until("it is so", lambda: side.snmp.get(PREEMPT) == "INTEGER: 2")
    for oid, type_of, value, error in ((PRIORITY, "i", "0", "wrongValue"), (PRIORITY, "i", "256", "wrongValue"),
                                       (PRIORITY, "u", "3", "wrongType"), (PREEMPT, "i", "3", "wrongValue"),
                                       (f"{KEEPALIVED}.2.3.1.7.9", "i", "3", "notWritable"),
                                       (f"{KEEPALIVED}.2.3.1.2.1", "s", "x", "notWritable")):
        assert side.snmp.set(oid, type_of, value) == error
    assert side.snmp.get(PRIORITY) == "INTEGER: 120"


def test_a_reload_brings_back_what_a_manager_has_written(sides):
    side, = sides(simple(), "sluice")
    until("it is shown", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150")
    side.snmp.set(PRIORITY, "i", "120")
    side.router.reload(side.router.config.read_text())
    until("the file's is back", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150")
    assert side.router.status()["priority"] == 150


def test_a_reload_turns_snmp_off_and_on_and_shows_what_is_new(sides):
    side, = sides(simple(), "sluice")
    until("it is shown", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150")
    text = side.router.config.read_text()
    side.router.reload(re.sub(r"\n    enable_\w+(?=\n)", "", text))
    until("nothing is shown", lambda: side.snmp.walk(KEEPALIVED) == {} and side.snmp.walk(RFC6527) == {})
    side.router.reload(text.replace("priority 150", "priority 77"))
    until("it is shown again", lambda: side.snmp.get(PRIORITY) == "INTEGER: 77")


def test_a_snmpd_that_comes_late_goes_and_comes_again(sides, lab, build):
    side = Side(lab, build, "sluice", simple())
    side.snmp.stop()
    side.router.start()
    try:
        until("it says so", lambda: "no AgentX master" in side.router.log())
        side.router.wait_master("10.97.0.100")
        side.snmp.start()
        until("it is shown", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150", 15)
        side.snmp.stop()
        until("it is missed", lambda: side.router.log().count("no AgentX master") == 2, 15)
        assert side.router.status()["state"] == "MASTER"
        side.snmp.start()
        until("it is shown again", lambda: side.snmp.get(PRIORITY) == "INTEGER: 150", 15)
        assert side.router.log().count("connected to the AgentX master") == 2
        # One that hangs delays nobody, not even the end.
        side.snmp.snmpd.signal(signal.SIGSTOP)
        began = time.monotonic()
        assert side.router.status()["state"] == "MASTER"
        assert time.monotonic() - began < 1
        side.router.stop()
        assert time.monotonic() - began < 8
    finally:
        side.snmp.snmpd.signal(signal.SIGCONT)


def test_the_command_line_turns_it_on_and_knows_where(sides, lab, build):
    host = lonely_host(lab, "alone")
    snmp = SnmpMaster(host)
    router = make_router("sluice", host, instance("VI_1", "version 3", "advert_int 0.1", vips=("10.97.0.100/24",)), build)
    router.process = host.start("env", f"TMPDIR={router.directory}", build.sluiced, "-f", router.config, "--socket",
                                router.socket, "-p", router.directory / "pid", "-c", router.directory / "director.pid",
                                "-n", "-l", "-x", "-A", snmp.socket, name="sluiced")
    try:
        for root in (KEEPALIVED, RFC6527):
            until("it is shown", lambda root=root: snmp.walk(root))
        assert snmp.get(f"{KEEPALIVED}.1.4.0") == "INTEGER: 2", "no traps"
        router.wait_master("10.97.0.100")
        snmp.settle()
        assert snmp.traps() == []
    finally:
        router.stop()


# --- virtual servers

# A busy machine may take its time; a server that isn't there says so at once.
CHECK = "TCP_CHECK {\n    retry 0\n    connect_timeout 8\n}"
SERVICE, SERVER = f"{KEEPALIVED}.3.3.1", f"{KEEPALIVED}.3.4.1"

# As keepalived 2.2.7 with IPVS shows CHECKED's virtual server and its two real servers behind a sorry server; of the
# columns 27 to 50 (traffic) their types.
SERVICE_COLUMNS = {
    2: "INTEGER: 2", 5: "INTEGER: 1", 6: "Hex-STRING: 0A 00 01 64", 7: "Gauge32: 80", 8: "INTEGER: 1", 9: "INTEGER: 2",
    10: "INTEGER: 1", 11: "INTEGER: 1", 12: 'STRING: "www.example.org"', 13: "INTEGER: 2",
    15: "Hex-STRING: FF FF FF FF", 16: "Gauge32: 0", 17: "INTEGER: 2", 18: "INTEGER: 2", 19: "INTEGER: 1",
    20: "Gauge32: 2", 21: "Gauge32: 2", 22: "Gauge32: 2", 23: "INTEGER: 1", 24: "STRING: \"'/usr/bin/true' 'qu'\"",
    26: "Gauge32: 1", 37: "INTEGER: 2", 52: "INTEGER: 2", 53: "INTEGER: 2", 54: "INTEGER: 2", 55: "INTEGER: 2",
    56: "INTEGER: 1", 57: "Gauge32: 1", 58: "Gauge32: 0", 59: "Gauge32: 0", 60: "INTEGER: 1", 61: "INTEGER: 2",
    62: "INTEGER: 2", 63: "INTEGER: 2", 64: "Gauge32: 500000", 65: "Gauge32: 200000", 66: "Gauge32: 0",
    67: "Gauge32: 1000000", 71: 'STRING: "myvs"',
    **{column: "Gauge32" for column in (27, *range(32, 37), *range(41, 51))},
    **{column: "Counter32" for column in (28, 29)}, **{column: "Counter64" for column in (30, 31, 38, 39, 40)},
}
TRAFFIC = {**{column: "Gauge32" for column in (14, 15, 16, 17, *range(22, 27), *range(30, 40))},
           **{column: "Counter32" for column in (18, 19)}, **{column: "Counter64" for column in (20, 21, 27, 28, 29)}}
SORRY_COLUMNS = {
    2: "INTEGER: 2", 3: "INTEGER: 1", 4: "Hex-STRING: 0A 00 02 0D", 5: "Gauge32: 80", 40: "INTEGER: 1", 42: "INTEGER: 2",
    **{column: "Gauge32: 0" for column in (43, 44, 45, 46, 48, 49, 50, 51)}, 47: "INTEGER: 2", **TRAFFIC,
}
FIRST_COLUMNS = {
    2: "INTEGER: 1", 3: "INTEGER: 1", 4: "Hex-STRING: 0A 00 02 0B", 5: "Gauge32: 80", 6: "INTEGER: 1", 7: "INTEGER: 2",
    8: "Gauge32: 100", 9: "Gauge32: 10", 10: "INTEGER: 2", 11: "STRING: \"'/usr/bin/true' 'up'\"", 13: "Gauge32: 0",
    40: "INTEGER: 1", 42: "INTEGER: 2", 43: "Gauge32: 1", 44: "Gauge32: 0", 45: "Gauge32: 0", 46: "Gauge32: 0",
    47: "INTEGER: 1", 48: "Gauge32: 200000", 49: "Gauge32: 0", 50: "Gauge32: 500000", 51: "Gauge32: 1000000",
    55: 'STRING: "rs1"', **TRAFFIC,
}


def checked(socket: str) -> str:
    return (GLOBAL.format(socket=socket).replace("enable_snmp_vrrp", "enable_snmp_checker").replace(
        "script_user", "lvs_timeouts tcp 800 tcpfin 100 udp 200\n    script_user") + virtual_server(
            VIP, 80, *QUICK, "quorum 2", "hysteresis 1", 'quorum_up "/bin/true qu"', "virtualhost www.example.org", "omega",
            "snmp_name myvs", "sorry_server 10.0.2.13 80", algo="wrr",
            servers=[real_server("10.0.2.11", 80, "weight 2", "uthreshold 100", "lthreshold 10", "inhibit_on_failure",
                                 'notify_up "/bin/true up"', "snmp_name rs1", check=CHECK),
                     real_server("10.0.2.12", 80, check=CHECK)]))


def row(objects: dict[str, str], index: str) -> dict[int, str]:
    return {int(name.split(".")[0]): value for name, value in objects.items() if name.partition(".")[2] == index}


def assert_row(seen: dict[int, str], wanted: dict[int, str]) -> None:
    assert sorted(seen) == sorted(wanted)
    for column, value in wanted.items():
        assert seen[column] == value or (":" not in value and seen[column].startswith(value + ": ")), column


def test_virtual_and_real_servers_their_traps_and_their_weights(net, sluiced):
    net.prepare("NAT")
    snmp = SnmpMaster(net.director)
    director = sluiced(checked(snmp.socket))
    until("both are up", lambda: snmp.get(f"{SERVICE}.21.1") == "Gauge32: 2")
    assert_row(row(snmp.walk(SERVICE), "1"), SERVICE_COLUMNS)
    servers = snmp.walk(SERVER)
    assert_row(row(servers, "1.1"), SORRY_COLUMNS)
    assert_row(row(servers, "1.2"), FIRST_COLUMNS)
    assert [snmp.get(f"{KEEPALIVED}.3.7.{n}.0") for n in (1, 2, 3)] == ["INTEGER: 800", "INTEGER: 100", "INTEGER: 200"]

    # Traffic.
    for _ in range(10):
        net.client.run("curl", "-s", "--max-time", "2", f"http://{VIP}/")
    until("it is counted", lambda: snmp.get(f"{SERVICE}.38.1") == "Counter64: 10", 10)
    counted = [int(snmp.get(f"{SERVER}.27.1.{n}").split()[-1]) for n in (2, 3)]
    assert sum(counted) == 10 and all(counted)

    # A weight, as an operator's.
    assert snmp.set(f"{SERVER}.7.1.3", "i", "5") == "INTEGER: 5"
    until("it is in the table", lambda: director.weights()["10.0.2.12"] == 5)
    assert snmp.set(f"{SERVER}.7.1.1", "i", "5") == "notWritable"
    assert snmp.set(f"{SERVER}.7.1.2", "u", "5") == "wrongType"
    director.sluicectl("enable", f"{VIP}:80", "10.0.2.12:80")
    until("it is the file's again", lambda: snmp.get(f"{SERVER}.7.1.3") == "INTEGER: 1")

    # Down, quorum lost, and back.
    snmp.settle()
    before = len(snmp.traps())
    net.web[0].nginx.stop()
    until("it is dead", lambda: snmp.get(f"{SERVER}.6.1.2") == "INTEGER: 2")
    snmp.wait_traps("its trap", lambda traps: len(traps) > before)
    net.web[1].nginx.stop()
    until("quorum is lost", lambda: snmp.get(f"{SERVICE}.23.1") == "INTEGER: 2")
    snmp.wait_traps("their traps", lambda traps: len(traps) >= before + 3)
    net.web[1].nginx.start()
    net.web[0].nginx.start()
    until("quorum is back", lambda: snmp.get(f"{SERVICE}.23.1") == "INTEGER: 1")
    snmp.settle()

    which = [f"{SERVICE}.2 = INTEGER: 2", f"{SERVICE}.5 = INTEGER: 1", f"{SERVICE}.6 = Hex-STRING: 0A 00 01 64",
             f"{SERVICE}.7 = Gauge32: 80", f"{SERVICE}.8 = INTEGER: 1"]

    def of_server(last_byte: str, status: int, up: int) -> list[str]:
        return [f"{KEEPALIVED}.3.5.0.1", f"{SERVER}.3 = INTEGER: 1", f"{SERVER}.4 = Hex-STRING: 0A 00 02 {last_byte}",
                f"{SERVER}.5 = Gauge32: 80", f"{SERVER}.6 = INTEGER: {status}", *which, f"{SERVICE}.21 = Gauge32: {up}",
                f"{SERVICE}.20 = Gauge32: 2", f'{KEEPALIVED}.1.2.0 = STRING: "oracle"']

    def of_quorum(status: int, up: int) -> list[str]:
        return [f"{KEEPALIVED}.3.5.0.2", *which, f"{SERVICE}.23 = INTEGER: {status}", f"{SERVICE}.22 = Gauge32: 2",
                f"{SERVICE}.21 = Gauge32: {up}", f"{SERVICE}.20 = Gauge32: 2", f'{KEEPALIVED}.1.2.0 = STRING: "oracle"']

    traps = snmp.traps()
    assert traps[before - 1] == of_quorum(1, 2), "met at the start"
    told = traps[before:]
    assert told[:3] == [of_server("0B", 2, 1), of_server("0C", 2, 0), of_quorum(2, 0)]
    # Who comes back first is theirs to decide.
    assert len(told) == 6 and told[-1] == of_quorum(1, 2)
    director.stop()
    snmp.wait_traps("the end's", lambda traps: traps[-1] == of_quorum(3, 2))


def test_a_walk_over_thousands_of_servers_leaves_the_director_alone(net, sluiced):
    snmp = SnmpMaster(net.director)
    servers = [real_server(f"10.3.{i // 250}.{1 + i % 250}", 80) for i in range(3000)]
    director = sluiced(checked(snmp.socket) + virtual_server("10.0.1.101", 80, servers=servers))
    until("it is shown", lambda: snmp.get(f"{SERVICE}.20.2") == "Gauge32: 3000")
    walk = net.director.start("env", "MIBS=", "snmpbulkwalk", "-v2c", "-c", "public", "-On", "-Cr50", "127.0.0.1:1161", SERVER,
                              name="walk")
    slowest = 0.0
    while walk.running():
        began = time.monotonic()
        director.sluicectl("stats", "--json")
        slowest = max(slowest, time.monotonic() - began)
    lines = walk.output().count(f".{SERVER}.")
    assert lines > 3000 * 40
    assert slowest < 1.0
