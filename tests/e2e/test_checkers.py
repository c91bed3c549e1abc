"""Every kind of checker against real servers: good ones, bad ones, and such as would keep or drown who asks them."""

import pytest

from director import QUICK, real_server, virtual_server
from netns import until
from servers import Checked
from topology import DIRECTOR_BACK, HTTP, UDP, VIP

A, B, C = "10.0.2.11", "10.0.2.12", "10.0.2.13"
PORT = 2000


def block(name: str, *lines: str) -> str:
    inside = "".join(f"  {line}\n" for line in (*lines, "retry 0", "connect_timeout 0.5"))
    return f"{name} {{\n{inside}}}"


def service(check: str, *lines: str, others: tuple[str, ...] = ()) -> str:
    """web1 is checked; web2 and those that a test adds serve whatever happens."""
    servers = [real_server(A, HTTP, *lines, check=check), real_server(B, HTTP), *others]
    return virtual_server(VIP, HTTP, *QUICK, "delay_loop 0.2", servers=servers)


def is_up(director, kind: str, address: str = A, times: int = 1) -> None:
    """A probe said so, after so many that said otherwise."""
    said = up_line(kind, address)
    until(f"{times} times in the log: {said}", lambda: director.log().count(said) >= times)
    until(f"{address} is in", lambda: address in director.weights())


def is_down(director, reason: str, address: str = A) -> None:
    until(f"{address} is down: {reason}", lambda: reason in reason_of(director, address))
    assert address not in director.weights()


def reason_of(director, address: str) -> str:
    return next(each["reason"] for each in director.services()[0]["destinations"] if each["address"] == address)


def up_line(kind: str, address: str) -> str:
    server = f"[{address}]:tcp:{HTTP}"
    return {"TCP_CHECK": f"TCP connection to {server} success.",
            "DNS_CHECK": f"DNS_CHECK ({server}) success",
            "UDP_CHECK": f"UDP connection to {server} success.",
            "PING_CHECK": f"ICMP connection to {server} success."}[kind]


def swap(server: Checked, other: Checked) -> Checked:
    server.kill()
    return other.run()


# --- over UDP and ICMP


def test_dns_check_wants_an_answer_without_an_error(net, sluiced):
    net.prepare("NAT")
    host = net.web[0].host
    server = Checked(host, "dns", PORT, "0").run()
    director = sluiced(service(block("DNS_CHECK", "type A", "name www.example.org", f"connect_port {PORT}")))
    is_up(director, "DNS_CHECK")
    server = swap(server, Checked(host, "dns", PORT, "2"))
    is_down(director, "answered SERVFAIL")
    server = swap(server, Checked(host, "dns", PORT, "0"))
    is_up(director, "DNS_CHECK", times=2)
    server = swap(server, Checked(host, "dns-noise", PORT))
    is_down(director, "other datagrams")
    server = swap(server, Checked(host, "dns", PORT, "0"))
    is_up(director, "DNS_CHECK", times=3)
    server.kill()
    is_down(director, "connection refused")


def test_udp_check_without_a_reply_only_fails_where_nobody_listens(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(block("UDP_CHECK", f"connect_port {UDP}")))
    is_up(director, "UDP_CHECK")
    net.web[0].echo.kill()
    is_down(director, "connection refused")
    net.web[0].echo.start()
    is_up(director, "UDP_CHECK", times=2)


def test_udp_check_compares_the_required_reply(net, sluiced):
    """The echo answers "web1 hello" to web1 and "web3 hello" from web3."""
    net.prepare("NAT")
    wanted = " ".join(f"{byte:02x}" for byte in b"web1 hello")
    check = block("UDP_CHECK", f"connect_port {UDP}", "payload 68 65 6c 6c 6f", f"require_reply {wanted}")
    director = sluiced(service(check, others=(real_server(C, HTTP, check=check),)))
    is_up(director, "UDP_CHECK")
    is_down(director, "a reply of 10 bytes that is not as required", C)


def test_ping_check_wants_an_echo(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(block("PING_CHECK")))
    is_up(director, "PING_CHECK")
    net.web[0].host.sysctl("net.ipv4.icmp_echo_ignore_all=1")
    is_down(director, "no echo within 500 ms")
    assert f"ICMP CHECK on service [{A}]:tcp:{HTTP} failed" in director.log()
    net.web[0].host.sysctl("net.ipv4.icmp_echo_ignore_all=0")
    is_up(director, "PING_CHECK", times=2)


# --- where a probe comes from and goes to


@pytest.mark.parametrize("kind", ["TCP_CHECK", "UDP_CHECK", "DNS_CHECK", "PING_CHECK"])
def test_a_probe_comes_from_where_it_is_told(net, sluiced, kind):
    """From another address, through the interface, with the mark: only such packets pass on web1."""
    net.prepare("NAT")
    net.director.ip("addr add 10.0.2.99/24 dev back")
    net.director.ip("rule add fwmark 7 table 77", f"route add {A}/32 via {C} table 77 dev back")
    net.web[2].host.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0")
    net.web[0].host.ip(f"route add prohibit {DIRECTOR_BACK}/32")
    Checked(net.web[0].host, "dns", PORT, "0").run()
    port = HTTP if kind == "TCP_CHECK" else PORT
    plain = block(kind, f"connect_ip {A}", f"connect_port {port}")
    told = block(kind, f"connect_ip {A}", f"connect_port {port}", "bindto 10.0.2.99", "bind_if back", "fwmark 7")
    before = net.web[2].host.counter("Ip", "ForwDatagrams")
    director = sluiced(service(told, others=(real_server(C, HTTP, check=plain),)))
    is_up(director, kind)
    until("packets with the mark go through web3", lambda: net.web[2].host.counter("Ip", "ForwDatagrams") > before)
    if kind != "UDP_CHECK":  # silence is good enough for it
        until("the other is down", lambda: reason_of(director, C))
