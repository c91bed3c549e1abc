"""Services that take a mark: classify rules give it, by address, port, source and interface; the rest is the host's."""

from collections import Counter

import pytest

from client import ask, connect, get, udp_ask
from servers import Nginx
from topology import CLIENT, HTTP, HTTP_ALTERNATIVE, UDP, VIP

VIP2 = "10.0.1.101"
STRANGER = "10.0.1.77"  # a second address of the client, outside of the rules' source prefix

MARKED = (f"fwmark 5 destination {VIP}/31 protocol TCP port 80-8080 source 10.0.1.0/28 interface front",
          f"fwmark 5 destination {VIP}/31 protocol UDP port {UDP}")
ONLY_HTTP = (f"fwmark 5 destination {VIP}/31 protocol TCP port {HTTP}",)


def config(kind: str, rules=MARKED, servers=(1, 2, 3)) -> str:
    lines = "".join(f"        {rule}\n" for rule in rules)
    real = "".join(f"    real_server 10.0.2.{10 + number} {{\n        weight 1\n    }}\n" for number in servers)
    return (f"dataplane {{\n    classify {{\n{lines}    }}\n}}\n"
            f"virtual_server fwmark 5 {{\n    lb_algo rr\n    lb_kind {kind}\n{real}}}\n")


@pytest.fixture
def host_server(net):
    """The director's own web server: what the engine doesn't take ends here."""
    net.client.ip(f"addr add {STRANGER}/24 dev eth0")
    server = Nginx(net.director, "director", [HTTP, HTTP_ALTERNATIVE])
    server.start()
    server.wait_ready()
    return server


def port_asked(net, address: str, port: int) -> str:
    """The port at which the real server was asked, in its own words."""
    head = net.client.run("curl", "-sSi", "-m", "5", f"http://{address}:{port}/").stdout
    return next(line.split()[1] for line in head.splitlines() if line.startswith("X-Port:"))


@pytest.mark.parametrize("net", [1, 2], indirect=True, ids=["one worker", "two workers"])
@pytest.mark.parametrize("mode", ["NAT", "DR"])
def test_one_service_over_two_addresses_and_many_ports(net, sluiced, mode):
    net.prepare(mode, [VIP, VIP2])
    director = sluiced(config(mode))
    for address in (VIP, VIP2):
        for port in (HTTP, HTTP_ALTERNATIVE):
            assert port_asked(net, address, port) == str(port)
            assert get(net.client, address, port, "/client").startswith(f"{CLIENT} ")
    answers = Counter(get(net.client, VIP2, HTTP) for _ in range(9))
    # Each worker goes round by itself.
    assert set(answers) == {"web1", "web2", "web3"} and (len(director.received()) > 1 or set(answers.values()) == {3})
    assert udp_ask(net.client, VIP2, UDP).startswith("web")
    table = director.sluicectl("services").stdout
    assert "FWM  5 rr" in table, table


@pytest.mark.parametrize("mode", ["NAT", "DR"])
def test_what_no_rule_matches_is_the_hosts(net, sluiced, host_server, mode):
    net.prepare(mode, [VIP, VIP2])
    director = sluiced(config(mode))
    assert get(net.client, VIP, HTTP, source=STRANGER) == "director"
    assert get(net.client, VIP, HTTP, source=CLIENT).startswith("web")
    assert get(net.client, VIP2, HTTP_ALTERNATIVE, source=STRANGER) == "director"
    assert not director.drops()


def test_what_reaches_the_engine_but_no_rule_matches_is_given_to_the_host(net, sluiced, host_server):
    """More rules for one address than the steering program looks at: everything to it goes through the engine."""
    net.prepare("NAT", [VIP, VIP2])
    many = [f"fwmark 5 destination {VIP}/31 protocol TCP port {9000 + n}" for n in range(20)]
    director = sluiced(config("NAT", rules=(*many, *MARKED)))
    assert get(net.client, VIP, HTTP, source=STRANGER) == "director"
    assert sum(worker["passed"] for worker in director.json("stats")["workers"]) > 3
    assert get(net.client, VIP, HTTP, source=CLIENT).startswith("web")
    assert not director.drops()


def test_the_interface_counts(net, sluiced, host_server):
    net.prepare("NAT", [VIP, VIP2])
    sluiced(config("NAT", rules=[f"fwmark 5 destination {VIP}/32 protocol TCP interface back",
                                 f"fwmark 5 destination {VIP2}/32 protocol TCP interface front"]))
    assert get(net.client, VIP, HTTP) == "director"
    assert get(net.client, VIP2, HTTP).startswith("web")


def test_a_mark_comes_before_the_address(net, sluiced):
    net.prepare("NAT", [VIP, VIP2])
    by_address = (f"virtual_server {VIP} {HTTP} {{\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n"
                  f"    real_server 10.0.2.13 {HTTP} {{\n    }}\n}}\n")
    net.client.ip(f"addr add {STRANGER}/24 dev eth0")
    sluiced(config("NAT", servers=[1]) + by_address)
    assert get(net.client, VIP, HTTP, source=CLIENT) == "web1"
    assert get(net.client, VIP, HTTP, source=STRANGER) == "web3"


@pytest.mark.parametrize("mode", ["NAT", "DR"])
def test_a_reload_changes_the_rules_and_connections_outlive_them(net, sluiced, host_server, mode):
    net.prepare(mode, [VIP, VIP2])
    director = sluiced(config(mode, servers=[1]))
    with connect(net.client, VIP, HTTP_ALTERNATIVE, source=CLIENT) as opened:
        director.config.write_text(config(mode, rules=ONLY_HTTP, servers=[1]))
        said = director.sluicectl("reload").stdout
        assert f"- classify {MARKED[0]}" in said and f"+ classify {ONLY_HTTP[0]}" in said, said
        assert get(net.client, VIP, HTTP, source=STRANGER) == "web1", "the new rule names no source"
        assert get(net.client, VIP, HTTP_ALTERNATIVE, source=CLIENT) == "director"
        assert ask(opened) == "web1", "its rule has gone, the connection goes on"
    assert "classify" not in director.sluicectl("reload").stdout, "nothing differs now"
    director.config.write_text(config(mode, servers=[1]))
    director.sluicectl("reload")
    assert get(net.client, VIP, HTTP_ALTERNATIVE, source=CLIENT) == "web1"


def test_a_mark_that_no_rule_gives_is_said(net, sluiced):
    net.prepare("NAT", [VIP, VIP2])
    director = sluiced(config("NAT", rules=[f"fwmark 6 destination {VIP}/32"]))
    assert "gets no packets of FWM 5: marks of netfilter don't reach the engine" in director.log()
