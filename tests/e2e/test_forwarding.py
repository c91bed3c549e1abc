"""NAT, DR and TUN with real clients and servers: who answers, that nothing is lost, and that bytes arrive unchanged."""

from collections import Counter

import pytest

from client import Load, ask, connect, get, udp_ask
from director import TCP_CHECK, real_server, virtual_server
from topology import CLIENT, DIRECTOR_BACK, HTTP, HTTP_ALTERNATIVE, UDP, UDP_ALTERNATIVE, UPLOAD, VIP

MODES = ("NAT", "DR", "TUN")
MEGABYTE = 1 << 20


def http_service(mode: str, numbers=(1, 2, 3)) -> str:
    """NAT also translates the port; the others can't."""
    port = HTTP_ALTERNATIVE if mode == "NAT" else HTTP
    return virtual_server(VIP, HTTP, "delay_loop 2", kind=mode, servers=[
        real_server(f"10.0.2.{10 + number}", port, "weight 1", check=TCP_CHECK) for number in numbers])


def udp_service(mode: str) -> str:
    port = UDP_ALTERNATIVE if mode == "NAT" else UDP
    return virtual_server(VIP, UDP, kind=mode, protocol="UDP", servers=[
        real_server(f"10.0.2.{10 + number}", port, "weight 1") for number in (1, 2, 3)])


@pytest.mark.parametrize("mode", MODES)
def test_curl_gets_an_answer_from_each_server_in_turn(net, sluiced, mode):
    net.prepare(mode)
    sluiced(http_service(mode))
    answers = [net.client.run("curl", "-sS", "-m", "5", f"http://{VIP}/").stdout.strip() for _ in range(9)]
    assert Counter(answers) == {"web1": 3, "web2": 3, "web3": 3}
    assert answers[:3] == answers[3:6] == answers[6:], "rr goes round in one order"


@pytest.mark.parametrize("mode", MODES)
def test_real_servers_see_the_clients_own_address(net, sluiced, mode):
    net.prepare(mode)
    sluiced(http_service(mode))
    assert get(net.client, VIP, HTTP, "/client", source=CLIENT, source_port=40001) == f"{CLIENT} 40001"


@pytest.mark.parametrize("mode", MODES)
def test_udp_is_answered_from_the_vip(net, sluiced, mode):
    net.prepare(mode)
    sluiced(udp_service(mode))
    assert Counter(udp_ask(net.client, VIP, UDP) for _ in range(9)) == {"web1": 3, "web2": 3, "web3": 3}


@pytest.mark.parametrize("mode", MODES)
def test_datagrams_of_one_client_port_stay_with_one_server(net, sluiced, mode):
    net.prepare(mode)
    sluiced(udp_service(mode))
    names = {udp_ask(net.client, VIP, UDP, f"number {number}", source=CLIENT, source_port=40002) for number in range(6)}
    assert len(names) == 1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", MODES)
def test_ten_thousand_requests_at_64_at_once_all_succeed(net, sluiced, mode):
    net.prepare(mode)
    director = sluiced(http_service(mode))
    result = Load(net.client, VIP, HTTP, requests=10_000, concurrency=64).start().wait()
    assert not result.failed, f"{result}\ndropped: {director.drops()}"
    assert sum(result.answered.values()) == 10_000
    assert max(result.answered.values()) - min(result.answered.values()) <= 1, f"rr is even: {result}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", MODES)
def test_a_download_of_100_megabytes_arrives_unchanged(net, sluiced, mode):
    net.prepare(mode)
    digest = net.web[0].nginx.offer("big", 100 * MEGABYTE)
    sluiced(http_service(mode, numbers=[1]))
    seen = net.client.run("sh", "-c", f"curl -sS -m 60 http://{VIP}/files/big | sha256sum", timeout=70).stdout
    assert seen.split()[0] == digest


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", MODES)
def test_an_upload_arrives_unchanged(net, sluiced, mode):
    """Through TUN that takes path MTU discovery: a full-size packet with DF doesn't fit into the tunnel."""
    net.prepare(mode)
    digest = net.web[0].nginx.offer("big", 20 * MEGABYTE)
    sluiced(virtual_server(VIP, UPLOAD, kind=mode, servers=[real_server("10.0.2.11", UPLOAD, "weight 1")]))
    with connect(net.client, VIP, UPLOAD, seconds=30) as connection:
        connection.sendall((net.web[0].nginx.files / "big").read_bytes())
        connection.shutdown(1)
        assert connection.recv(64).decode() == digest


def test_two_services_on_one_address_do_not_mix(net, sluiced):
    net.prepare("NAT")
    sluiced(virtual_server(VIP, HTTP, servers=[real_server("10.0.2.11", HTTP)]) +
            virtual_server(VIP, 81, servers=[real_server("10.0.2.12", HTTP)]) +
            virtual_server(VIP, HTTP, protocol="UDP", servers=[real_server("10.0.2.13", UDP)]))
    assert get(net.client, VIP, HTTP) == "web1"
    assert get(net.client, VIP, 81) == "web2"
    assert udp_ask(net.client, VIP, HTTP) == "web3"


def test_one_real_server_may_serve_in_different_modes(net, sluiced):
    """Replies from the VIP (DR) bypass the director, those from its own address (NAT) go back through it."""
    net.prepare("DR")
    net.web[0].host.ip("rule add from 10.0.2.11 table 100", f"route add default via {DIRECTOR_BACK} table 100")
    sluiced(virtual_server(VIP, HTTP, kind="DR", servers=[real_server("10.0.2.11", HTTP)]) +
            virtual_server(VIP, 81, kind="NAT", servers=[real_server("10.0.2.11", HTTP)]))
    assert get(net.client, VIP, HTTP) == "web1"
    assert get(net.client, VIP, 81) == "web1"


def test_a_connection_stays_with_its_server_while_others_come_and_go(net, sluiced):
    net.prepare("NAT")
    sluiced(http_service("NAT"))
    with connect(net.client, VIP, HTTP) as kept:
        others = [get(net.client, VIP, HTTP) for _ in range(7)]
        assert ask(kept) == others[2], "rr: the kept connection was the first, as the third of the others"
