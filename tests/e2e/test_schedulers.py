"""Who gets the next connection, as LVS decides it. A, B, C are web1, web2, web3, added in that order.

LVS puts a new destination at the head of its list, so C is looked at first and wins ties. The sequences are those of
kernel IPVS; buckets of sh and dh come from its hash of the address. One client at a time, one worker.
"""

import contextlib

import pytest

from client import connect, get
from director import real_server, virtual_server
from topology import DIRECTOR_FRONT, HTTP, VIP

LETTERS = {"web1": "A", "web2": "B", "web3": "C"}


def service(algo: str, weights: str, *lines: str, vip: str = VIP) -> str:
    return virtual_server(vip, HTTP, *lines, algo=algo, servers=[
        real_server(f"10.0.2.{11 + index}", HTTP, f"weight {weight}") for index, weight in enumerate(weights.split(","))])


def letter(net, vip: str = VIP, **source) -> str:
    """Which server answers one request; "-" if none may."""
    try:
        return LETTERS[get(net.client, vip, HTTP, **source)]
    except ConnectionRefusedError:
        return "-"


def closed_one_by_one(net, count: int) -> str:
    """Each connection ends before the next begins."""
    return " ".join(letter(net) for _ in range(count))


def held_open(net, director, count: int) -> str:
    """All connections stay open, so that each counts as active when the next is scheduled."""
    with contextlib.ExitStack() as stack:
        names = []
        previous: dict[str, int] = {}
        for _ in range(count):
            stack.enter_context(connect(net.client, VIP, HTTP))
            active = {entry["address"]: entry["active"] for entry in director.services()[0]["destinations"]}
            grown = [address for address, number in active.items() if number > previous.get(address, 0)]
            assert len(grown) == 1, f"one connection more than {previous}, but now {active}"
            names.append({"10.0.2.11": "A", "10.0.2.12": "B", "10.0.2.13": "C"}[grown[0]])
            previous = active
        return " ".join(names)


def test_rr_begins_with_the_newest_server_and_goes_round(net, sluiced):
    net.prepare("NAT")
    sluiced(service("rr", "1,1,1"))
    assert closed_one_by_one(net, 8) == "C B A C B A C B"


def test_rr_skips_weight_zero(net, sluiced):
    net.prepare("NAT")
    sluiced(service("rr", "1,0,1"))
    assert closed_one_by_one(net, 5) == "C A C A C"


@pytest.mark.parametrize("weights, sequence", [
    ("3,2,1", "C B A A B A C B A A B A C B"),
    ("4,3,2", "C B A A B A C B A C B A A B"),
    ("1,1,5", "C B A C C C C C B A C C C C"),
    ("2,0,1", "C A A C A A C A A C A A C A"),
    ("10,20,30", "C B A C C B C B A C C B C B"),
])
def test_wrr_hands_out_whole_passes(net, sluiced, weights, sequence):
    net.prepare("NAT")
    sluiced(service("wrr", weights))
    assert closed_one_by_one(net, 14) == sequence


def test_lc_evens_out_open_connections(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service("lc", "1,1,1"))
    assert held_open(net, director, 7) == "C B A C B A C"


def test_lc_knows_weight_only_as_zero_or_not(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service("lc", "9,0,1"))
    assert held_open(net, director, 4) == "C A C A"


def test_lc_goes_on_elsewhere_while_one_connection_stays_open(net, sluiced):
    """An open connection weighs as much as 256 that are closing."""
    net.prepare("NAT")
    sluiced(service("lc", "1,1,1"))
    with connect(net.client, VIP, HTTP):
        assert closed_one_by_one(net, 6) == "B A B A B A"


def test_wlc_shares_open_connections_by_weight(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service("wlc", "3,2,1"))
    # By hand: overhead / weight, the first of C, B, A wins a tie.
    assert held_open(net, director, 12) == "C B A A B A C B A A B A"


def test_lblc_keeps_an_address_on_one_server_until_that_is_overloaded(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service("lblc", "1,1,1"))
    # Overloaded: more open connections than weight, while another server has less than half of its weight.
    assert held_open(net, director, 8) == "C C B B A A A A"


@pytest.mark.parametrize("weights, flags, sequence", [
    ("1,1,1", (), "C B A C A B A C A C A A"),
    ("3,2,1", (), "C A A A A B A C B C B A"),
    ("1,0,1", (), "C - A C A - A C A C A A"),
    ("1,0,1", ("sh-fallback",), "C A A C A A A C A C A A"),
])
def test_sh_picks_by_the_clients_address(net, sluiced, weights, flags, sequence):
    net.prepare("NAT")
    sources = [f"10.0.1.{number}" for number in range(1, 13)]
    net.client.ip(*(f"addr replace {source}/24 dev eth0" for source in sources))
    sluiced(service("sh", weights, *flags))
    assert " ".join(letter(net, source=source) for source in sources) == sequence
    assert " ".join(letter(net, source=source) for source in sources) == sequence, "and again the same"


def test_sh_port_picks_by_the_clients_port_too(net, sluiced):
    net.prepare("NAT")
    net.client.ip("addr replace 10.0.1.1/24 dev eth0")
    sluiced(service("sh", "1,1,1", "sh-port"))
    picked = [letter(net, source="10.0.1.1", source_port=port) for port in range(20230, 20242)]
    assert " ".join(picked) == "B C A A B A B A C A B A"


def test_dh_picks_by_the_virtual_address(net, sluiced):
    vips = [f"10.9.1.{number}" for number in range(1, 9)]
    net.prepare("NAT", vips)
    net.client.ip(f"route add 10.9.1.0/24 via {DIRECTOR_FRONT}")
    sluiced("".join(service("dh", "1,1,1", vip=vip) for vip in vips))
    assert " ".join(letter(net, vip) for vip in vips) == "C B C A A B C B"
    assert " ".join(letter(net, vip) for vip in vips) == "C B C A A B C B", "and again the same"
