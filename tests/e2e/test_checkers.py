"""Every kind of checker against real servers: good ones, bad ones, and such as would keep or drown who asks them."""

import hashlib
import os

import pytest

from director import QUICK, Director, real_server, virtual_server
from netns import until
from servers import Checked, make_certificate
from topology import DIRECTOR_BACK, HTTP, UDP, VIP

A, B, C = "10.0.2.11", "10.0.2.12", "10.0.2.13"
PORT = 2000
TLS = 443


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
            "PING_CHECK": f"ICMP connection to {server} success.",
            "HTTP_GET": f"Remote Web server {server} succeed on service.",
            "SMTP_CHECK": f"Remote SMTP server {server} succeed on service.",
            "SSL_GET": f"Remote Web server {server} succeed on service."}[kind]


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


A6, DIRECTOR6, TOLD6 = "fd02::11", "fd02::253", "fd02::99"


def with_ipv6(net) -> None:
    for host, interface, addresses in ((net.web[0].host, "eth0", (A6,)), (net.director, "back", (DIRECTOR6, TOLD6))):
        host.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6=0", f"net.ipv6.conf.{interface}.accept_dad=0")
        host.ip(*(f"addr add {address}/64 dev {interface} nodad" for address in addresses))


def serve(host, kind: str, directory):
    """Runs what `kind` asks, on PORT, on IPv4 and IPv6; yields the process."""
    if kind == "SSL_GET":
        make_certificate(directory, "server")
        return host.start("openssl", "s_server", "-accept", f"[::]:{PORT}", "-www", "-cert", f"{directory}/server.pem",
                          "-key", f"{directory}/server.key", "-quiet")
    arguments = {"HTTP_GET": ("say", OK + "\\r\\nwell"), "SMTP_CHECK": ("smtp", *GOOD_MAIL),
                 "TCP_CHECK": ("silent",)}.get(kind, ("dns", "0"))
    return Checked(host, arguments[0], PORT, *arguments[1:]).run().process


@pytest.mark.parametrize("kind", ["TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK"])
def test_every_probe_goes_over_ipv6_from_where_and_as_it_is_told(net, sluiced, lab, kind):
    """web1 answers to that address alone, and the director has a way to it for packets with the mark alone."""
    net.prepare("NAT")
    with_ipv6(net)
    net.web[0].host.ip(f"route add prohibit {DIRECTOR6}/128")
    net.director.ip(f"route add unreachable {A6}/128", f"route add {A6}/128 dev back table 77")
    net.director.run("ip", "-6", "rule", "add", "fwmark", "7", "table", "77")
    server = serve(net.web[0].host, kind, lab.directory)
    urls = ("url {\npath /\n}",) if kind in ("HTTP_GET", "SSL_GET") else ()
    reply = ("payload 61", "require_reply") if kind == "UDP_CHECK" else ()
    told = block(kind, f"connect_ip {A6}", f"connect_port {PORT}", f"bindto {TOLD6}", "bind_if back", "fwmark 7", *reply, *urls)
    director = sluiced(service(told))
    is_up(director, kind)
    server.kill()
    if kind == "PING_CHECK":
        net.web[0].host.ip(f"addr del {A6}/64 dev eth0")
    is_down(director, "no echo within 500 ms" if kind == "PING_CHECK" else "connection refused")


# --- web servers, in the clear and in TLS


def get(kind: str, *lines: str, urls: tuple[str, ...] = ("path /",)) -> str:
    """urls: what is in each of them, by lines."""
    blocks = [f"url {{\n{inside}\n}}" for inside in urls]
    return block(kind, *lines, *blocks)


def restart(nginx) -> None:
    nginx.kill()
    nginx.start()
    nginx.wait_ready()


@pytest.mark.parametrize("kind", ["HTTP_GET", "SSL_GET"])
def test_a_page_must_match_the_regex(net, sluiced, kind):
    net.prepare("NAT")
    nginx = net.web[0].nginx
    nginx.offer_tls(TLS, "www")
    restart(nginx)
    page = nginx.files / "page"
    page.write_text("x" * 100_000 + "Status: GREEN\n")
    port = TLS if kind == "SSL_GET" else HTTP
    director = sluiced(service(get(kind, f"connect_port {port}", urls=(
        'path /files/page\nregex "^status: green$"\nregex_options caseless multiline\nregex_min_offset 1', ))))
    is_down(director, "the body doesn't match the regex")
    page.write_text("x" * 100_000 + "\nStatus: GREEN\n")
    is_up(director, kind)
    page.write_text("Status: GREEN\n")  # before regex_min_offset
    is_down(director, "the body doesn't match the regex")
    page.unlink()
    is_down(director, "HTTP status code 404")


def test_a_page_must_not_match_where_it_must_not(net, sluiced):
    net.prepare("NAT")
    page = net.web[0].nginx.files / "page"
    page.write_text("all is well\n")
    director = sluiced(service(get("HTTP_GET", urls=('path /files/page\nregex "lost|down"\nregex_no_match',))))
    is_up(director, "HTTP_GET")
    page.write_text("all is lost\n")
    is_down(director, "the body matches the regex")


def test_ssl_get_wants_status_and_digest_of_a_server_that_nobody_vouches_for(net, sluiced):
    net.prepare("NAT")
    nginx = net.web[0].nginx
    nginx.offer_tls(TLS, "www")
    restart(nginx)
    page = nginx.files / "page"
    page.write_text("all is well\n")
    digest = hashlib.md5(b"all is well\n").hexdigest()
    director = sluiced(service(get("SSL_GET", f"connect_port {TLS}", urls=(f"path /files/page\ndigest {digest}",))))
    is_up(director, "SSL_GET")
    page.write_text("all is lost\n")
    is_down(director, "MD5 digest")
    assert f"SSL_CHECK on service [{A}]:tcp:{HTTP} failed" in director.log()
    page.write_text("all is well\n")
    is_up(director, "SSL_GET", times=2)
    nginx.kill()
    is_down(director, "connection refused")


def test_ssl_get_names_the_server_and_shows_the_clients_certificate(net, sluiced, lab):
    net.prepare("NAT")
    make_certificate(lab.directory, "client", password="secret")
    nginx = net.web[0].nginx
    nginx.offer_tls(TLS, "other", "www.example.org",
                    client=f"ssl_verify_client on; ssl_client_certificate {lab.directory}/client.pem;")
    restart(nginx)
    expected = "www.example.org asked for www.example.org by CN=client\n"
    digest = hashlib.md5(expected.encode()).hexdigest()
    ssl = (f"SSL {{\n certificate {lab.directory}/client.pem\n key {lab.directory}/client.key\n password secret\n"
           f" ca {lab.directory}/client.pem\n}}\n")
    named = get("SSL_GET", f"connect_port {TLS}", f"connect_ip {A}", "enable_sni", "virtualhost www.example.org",
                urls=(f"path /\ndigest {digest}",))
    unnamed = get("SSL_GET", f"connect_port {TLS}", f"connect_ip {A}", "virtualhost www.example.org",
                  urls=(f"path /\ndigest {digest}",))
    director = sluiced(ssl + service(named, others=(real_server(C, HTTP, check=unnamed),)))
    is_up(director, "SSL_GET")
    is_down(director, "MD5 digest", C)  # nobody was named, so nginx tells of none


def test_a_reload_reads_the_clients_certificate_again(net, sluiced, lab):
    net.prepare("NAT")
    for name in ("client", "renewed"):
        make_certificate(lab.directory, name)
    nginx = net.web[0].nginx
    nginx.offer_tls(TLS, "www.example.org", client="ssl_verify_client optional_no_ca;")
    restart(nginx)
    digest = hashlib.md5(b"www.example.org asked for  by CN=client\n").hexdigest()
    ssl = f"SSL {{\n certificate {lab.directory}/client.pem\n key {lab.directory}/client.key\n}}\n"
    director = sluiced(ssl + service(get("SSL_GET", f"connect_port {TLS}", f"connect_ip {A}", urls=(f"path /\ndigest {digest}",))))
    is_up(director, "SSL_GET")
    for suffix in ("pem", "key"):
        (lab.directory / f"renewed.{suffix}").replace(lab.directory / f"client.{suffix}")
    director.sluicectl("reload")
    is_down(director, "MD5 digest")


def test_urls_are_asked_in_turn_and_from_the_first_again_after_a_failure(net, sluiced):
    net.prepare("NAT")
    files = net.web[0].nginx.files
    for name in "abc":
        (files / name).write_text(name)
    urls = tuple(f"path /files/{name}" for name in "abc")
    director = sluiced(service(get("HTTP_GET", "fast_recovery", "http_protocol 1.1", urls=urls)))
    is_up(director, "HTTP_GET")
    (files / "b").unlink()
    is_down(director, "url /files/b: HTTP status code 404")
    (files / "b").write_text("b")
    is_up(director, "HTTP_GET", times=2)


def test_openssls_own_server_is_well(net, sluiced, lab):
    net.prepare("NAT")
    make_certificate(lab.directory, "server")
    net.web[0].host.start("openssl", "s_server", "-accept", str(PORT), "-www", "-cert", f"{lab.directory}/server.pem",
                          "-key", f"{lab.directory}/server.key", "-quiet")
    until("it listens", lambda: f":{PORT} " in net.web[0].host.run("ss", "-Hnlt").stdout)
    director = sluiced(service(get("SSL_GET", f"connect_port {PORT}", "tls_compliant")))
    is_up(director, "SSL_GET")


# --- servers that would keep or drown who asks them


OK = "HTTP/1.1 200 OK\\r\\n"
MALICIOUS = {
    "silent": (["silent"], "nothing came for 500 ms, the answer is not complete"),
    "a byte now and then": (["drip", "1", OK], "nothing came for 500 ms, the answer is not complete"),
    "endless headers": (["flood", OK, "X-Endless: headers\\r\\n"], "the headers are over 65536 bytes"),
    "no line ever ends": (["flood", "HTTP/1.1 200 OK", "x"], "the headers are over 65536 bytes"),
    "a body without end": (["flood", OK + "\\r\\n", "x"], "the body is over 67108864 bytes"),
    "more than it promised": (["flood", OK + "Content-Length: 1\\r\\n\\r\\n", "x"], "the body is over 67108864 bytes"),
    "reset in the headers": (["reset", OK], "the connection was reset in mid-answer"),
    "reset in the body": (["reset", OK + "\\r\\nhalf"], "the connection was reset in mid-answer"),
    "closed in the headers": (["say", OK], "closed before the end of the headers"),
    "not HTTP": (["say", "220 mail.example.org ESMTP\\r\\n\\r\\n"], "no HTTP status line"),
    "redirect to itself": (["say", "HTTP/1.1 302 Found\\r\\nLocation: /\\r\\n\\r\\n"], "HTTP status code 302"),
}


def test_malicious_web_servers_end_with_a_reason_and_cost_no_memory(net, sluiced):
    """All at once, each a real server of its own; and one that is well, which must not suffer."""
    net.prepare("NAT")
    servers = []
    for number, (arguments, _) in enumerate(MALICIOUS.values()):
        Checked(net.web[0].host, arguments[0], PORT + number, *arguments[1:]).run()
        servers.append(real_server(C, 3000 + number, check=get("HTTP_GET", f"connect_ip {A}",
                                                               f"connect_port {PORT + number}", "delay_loop 5")))
    director = sluiced(service(get("HTTP_GET"), others=tuple(servers)))
    pid = director.director_pid()
    is_up(director, "HTTP_GET")

    def reasons() -> dict[int, str]:
        return {each["port"]: each["reason"] for each in director.services()[0]["destinations"]}

    def resident() -> int:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    before = resident()
    for number, (name, (_, reason)) in enumerate(MALICIOUS.items()):
        until(f"{name}: {reason}", lambda: reason in reasons()[3000 + number], seconds=20)
    assert resident() - before < 16 * 1024, "kB"
    assert A in director.weights()


def test_chunks_are_not_decoded_so_nonsense_in_them_is_a_body_like_any_other(net, sluiced):
    net.prepare("NAT")
    answer = "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nffffffffffffffffff\\r\\nzz"
    Checked(net.web[0].host, "say", PORT, answer).run()
    body = hashlib.md5(b"ffffffffffffffffff\r\nzz").hexdigest()
    director = sluiced(service(get("HTTP_GET", f"connect_port {PORT}", urls=(f"path /\ndigest {body}",))))
    is_up(director, "HTTP_GET")


@pytest.mark.parametrize(("arguments", "reason"), [
    (["silent"], "TLS handshake failed: nothing came for 500 ms"),
    (["say", "HTTP/1.1 400 Bad Request\\r\\n\\r\\n"], "TLS handshake failed: wrong version number"),
    (["reset", ""], "TLS handshake failed: the connection was reset"),
    (["drip", "1", "\x16\x03\x03"], "TLS handshake failed: nothing came for 500 ms"),
    (["flood", "", "\x16\x03\x03"], "TLS handshake failed"),
])
def test_ssl_get_ends_where_there_is_no_tls(net, sluiced, arguments, reason):
    net.prepare("NAT")
    Checked(net.web[0].host, arguments[0], PORT, *arguments[1:]).run()
    director = sluiced(service(get("SSL_GET", f"connect_port {PORT}")))
    is_down(director, reason)


# --- mail servers

GOOD_MAIL = ("220 mail.example.org ESMTP", "250 hello", "221 bye")


def test_smtp_check_wants_a_greeting_and_helo(net, sluiced):
    net.prepare("NAT")
    host = net.web[0].host
    server = Checked(host, "smtp", PORT, *GOOD_MAIL).run()
    director = sluiced(service(block("SMTP_CHECK", f"connect_port {PORT}", "helo_name lb.example.org")))
    is_up(director, "SMTP_CHECK")
    server = swap(server, Checked(host, "smtp", PORT, "421 too busy"))
    is_down(director, 'greeting: expected 220, the server said "421 too busy"')
    # Between the two servers there was none.
    assert (f"SMTP_CHECK on service [{A}]:tcp:{HTTP} failed" in director.log()
            or f"SMTP_CHECK Could not connect to server [{A}]:{PORT}" in director.log())
    server = swap(server, Checked(host, "smtp", PORT, *GOOD_MAIL))
    is_up(director, "SMTP_CHECK", times=2)
    server = swap(server, Checked(host, "smtp", PORT, "220 hello", "503 not you"))
    is_down(director, 'HELO: expected 250, the server said "503 not you"')


@pytest.mark.parametrize(("arguments", "reason"), [
    (["smtp", "220-hello\r\n220 there", "250 hello", "221 bye"], 'greeting: expected 220, the server said "220-hello"'),
    (["silent"], "greeting: nothing came for 500 ms"),
    (["drip", "1", "220 "], "greeting: nothing came for 500 ms"),
    (["flood", "", "2"], "greeting: a line of over 1024 bytes"),
    (["reset", ""], "greeting: nothing came for 500 ms"),
    (["smtp", "220 hello"], "HELO: the server closed the connection"),
    (["smtp", "220 hello", "250 hello"], "QUIT: the server closed the connection"),
])
def test_smtp_check_ends_whatever_the_server_does(net, sluiced, arguments, reason):
    net.prepare("NAT")
    Checked(net.web[0].host, arguments[0], PORT, *arguments[1:]).run()
    director = sluiced(service(block("SMTP_CHECK", f"connect_port {PORT}", "retry 0")))
    is_down(director, reason)


def test_each_host_of_smtp_check_must_be_well(net, sluiced):
    net.prepare("NAT")
    Checked(net.web[0].host, "smtp", PORT, *GOOD_MAIL).run()
    other = Checked(net.web[0].host, "smtp", PORT + 1, *GOOD_MAIL).run()
    hosts = (f"host {{\nconnect_port {PORT}\n}}", f"host {{\nconnect_port {PORT + 1}\n}}")
    director = sluiced(service(block("SMTP_CHECK", *hosts)))
    is_up(director, "SMTP_CHECK", times=2)
    other.kill()
    is_down(director, f"{A}:{PORT + 1}: connection refused")


# --- scripts


def script(lab, name: str, body: str) -> str:
    path = lab.directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def misc(path: str, *lines: str) -> str:
    inside = "".join(f"  {line}\n" for line in (f'misc_path "{path}"', *lines))
    return f"MISC_CHECK {{\n{inside}}}"


def weighs(director, weight: int, address: str = A) -> None:
    until(f"{address} has weight {weight}", lambda: director.weights().get(address) == weight)


def test_misc_check_is_the_exit_status_of_a_script(net, sluiced, lab):
    net.prepare("NAT")
    status, seen = lab.directory / "status", lab.directory / "seen"
    status.write_text("0\n")
    lab.directory.chmod(0o777)
    path = script(lab, "check.sh", f'echo "$(id -un) $*" > {seen}.$$; mv {seen}.$$ {seen}; exit $(cat {status})')
    director = sluiced("global_defs {\n enable_script_security\n script_user nobody\n}\n" +
                       service(misc(f"{path} web 1", "user nobody")))
    said = f"Misc check for [[{A}]:tcp:{HTTP} VS [{VIP}]:tcp:{HTTP}] by [{path}] "
    until("it succeeded", lambda: said + "succeeded." in director.log())
    assert seen.read_text() == "nobody web 1\n"
    status.write_text("2\n")
    is_down(director, "exited with status 2")
    assert said + "failed after 1 retry (exited with status 2)." in director.log()
    status.write_text("0\n")
    is_in_again(director)


def is_in_again(director) -> None:
    until(f"{A} is in again", lambda: A in director.weights())


def test_misc_dynamic_sets_the_weight_and_several_add_up(net, sluiced, lab):
    net.prepare("NAT")
    first, second = lab.directory / "first", lab.directory / "second"
    first.write_text("0\n")
    second.write_text("0\n")
    checks = "\n".join(misc(script(lab, f"{file.name}.sh", f"exit $(cat {file})"), "misc_dynamic")
                       for file in (first, second))
    director = sluiced(service(checks, "weight 10"))
    weighs(director, 10)
    first.write_text("32\n")
    weighs(director, 30)
    second.write_text("7\n")
    weighs(director, 25)  # 10 + 20 - 5
    first.write_text("2\n")
    weighs(director, 0)  # 10 - 10 - 5
    first.write_text("1\n")
    is_down(director, "exited with status 1")
    first.write_text("0\n")
    weighs(director, 5)
    assert "Changing weight from 10 to 30 for active service" in director.log()


def processes(net) -> str:
    return net.director.run("ps", "-eo", "args").stdout


# A sleep that nobody else on this machine sleeps.
SLEEP = f"sleep 60.{os.getpid()}"


@pytest.mark.parametrize("body", [f"exec {SLEEP}", "trap '' TERM; while :; do sleep 0.1; done", f"{SLEEP} & {SLEEP}",
                                  "while :; do echo filling the pipe; sleep 0.01; done"])
def test_a_script_that_does_not_end_is_ended(net, sluiced, lab, body):
    net.prepare("NAT")
    path = script(lab, "check.sh", body)
    director = sluiced(service(misc(path, "misc_timeout 1", "delay_loop 30")))
    is_down(director, "timed out")
    assert f"by [{path}] timed out" in director.log()
    until("nothing of it is left", lambda: path not in processes(net) and SLEEP not in processes(net))


def test_a_script_that_forks_away_is_done_once_its_leader_is(net, sluiced, lab):
    """What it leaves behind holds nothing of ours, whatever it writes."""
    net.prepare("NAT")
    path = script(lab, "check.sh", "setsid sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do echo still here; sleep 0.2; done' &\nexit 0")
    director = sluiced(service(misc(path, "misc_timeout 1")))
    said = f"Misc check for [[{A}]:tcp:{HTTP} VS [{VIP}]:tcp:{HTTP}] by [{path}] "
    until("it succeeded", lambda: said + "succeeded." in director.log())
    assert "timed out" not in director.log()


def test_a_reload_ends_the_scripts_of_checks_that_are_gone(net, sluiced, lab):
    net.prepare("NAT")
    director = sluiced(service(misc(script(lab, "gone.sh", f"exec {SLEEP}"), "misc_timeout 60")))
    until("it runs", lambda: SLEEP in processes(net))
    director.config.write_text(service(""))
    director.sluicectl("reload")
    until("it is gone", lambda: SLEEP not in processes(net))


# --- files and BFD sessions


def test_file_check_adds_to_the_weight(net, sluiced, lab):
    net.prepare("NAT")
    load = lab.directory / "load"
    load.write_text("3\n")
    files = f"track_file load {{\n file {load}\n weight 2\n}}\n"
    director = sluiced(files + service("FILE_CHECK {\n track_file load\n}", "weight 10"))
    weighs(director, 16)
    load.write_text("-2\n")
    weighs(director, 6)
    load.write_text("-20\n")
    weighs(director, 0)
    load.unlink()
    weighs(director, 10)


def test_file_check_without_weight_takes_its_server_out(net, sluiced, lab):
    net.prepare("NAT")
    fault = lab.directory / "fault"
    fault.write_text("0\n")
    files = f"track_file fault {{\n file {fault}\n}}\n"
    director = sluiced(files + service("FILE_CHECK {\n track_file fault\n weight 0\n}"))
    weighs(director, 1)
    fault.write_text("1\n")
    is_down(director, "fault says 1")
    assert f"([{A}]:tcp:{HTTP}): tracked file fault now FAULT state" in director.log()
    fault.write_text("0\n")
    weighs(director, 1)


def bfd_instance(own: str, neighbor: str) -> str:
    return (f"bfd_instance peer {{\n neighbor_ip {neighbor}\n source_ip {own}\n min_rx 50\n min_tx 50\n"
            " multiplier 3\n}\n")


@pytest.mark.parametrize("alpha", [True, False])
def test_bfd_check_follows_the_session(net, sluiced, build, alpha):
    """With alpha the server waits for the session's first Up; without, it is in until a session that was up is lost."""
    net.prepare("NAT")
    director = sluiced(bfd_instance(DIRECTOR_BACK, A) +
                       service(f"BFD_CHECK {{\n name peer\n {'alpha' if alpha else ''}\n}}"))
    assert (A in director.weights()) != alpha
    peer = Director(net.web[0].host, build, bfd_instance(A, DIRECTOR_BACK), name="peer").start()
    until("the session is up", lambda: director.json("bfd")["bfd_instances"][0]["state"] == "Up")
    weighs(director, 1)
    peer.crash()
    is_down(director, "the session is down")
    assert f"BFD_CHECK peer on service [{A}]:tcp:{HTTP} failed" in director.log()
    peer.start()
    weighs(director, 1)
    peer.stop()
