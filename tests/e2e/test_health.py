"""Real servers that fail and recover: taken out, brought back, replaced by a sorry server, told to scripts."""

import hashlib
from collections import Counter

import pytest

from client import Load, ask, connect, get
from director import QUICK, TCP_CHECK, real_server, virtual_server
from netns import until
from servers import Nginx
from topology import HTTP, HTTP_ALTERNATIVE, VIP

A, B, C = "10.0.2.11", "10.0.2.12", "10.0.2.13"


def service(*lines: str, servers: list[str], **kwargs) -> str:
    return virtual_server(VIP, HTTP, *QUICK, *lines, servers=servers, **kwargs)


def checked(address: str, *lines: str, check: str = TCP_CHECK, port: int = HTTP) -> str:
    return real_server(address, port, *lines, check=check)


def http_get(path: str, *lines: str) -> str:
    inside = "\n".join(f"    {line}" for line in lines)
    return f"HTTP_GET {{\n  url {{\n    path {path}\n{inside}\n  }}\n  connect_timeout 1\n  retry 0\n}}"


def answers(net, count: int = 6) -> Counter:
    return Counter(get(net.client, VIP, HTTP) for _ in range(count))


def is_out(director, address: str) -> None:
    until(f"{address} is taken out", lambda: address not in director.weights())


def is_in(director, address: str, weight: int = 1) -> None:
    until(f"{address} is in with weight {weight}", lambda: director.weights().get(address) == weight)


@pytest.mark.parametrize("mode", ["NAT", "DR", "TUN"])
def test_a_server_killed_in_mid_load_is_taken_out_and_brought_back(net, sluiced, mode):
    net.prepare(mode)
    director = sluiced(service(kind=mode, servers=[checked(A), checked(B), checked(C)]))
    load = Load(net.client, VIP, HTTP, concurrency=16).start()
    until("all three answer", lambda: len(load.result.answered) == 3)

    net.web[1].nginx.kill()
    is_out(director, B)
    failed_until_out = sum(load.result.failed.values())
    before = Counter(load.result.answered)
    # What was on its way while the table changed may still fail, but not a request more.
    until("the others answer 500 more", lambda: sum((load.result.answered - before).values()) > 500)
    assert sum(load.result.failed.values()) <= failed_until_out + 16, str(load.result)

    net.web[1].nginx.start()
    is_in(director, B)
    before = Counter(load.result.answered)
    failed = sum(load.result.failed.values())
    until("web2 answers again", lambda: (load.result.answered - before)["web2"] > 50)
    result = load.stop()
    assert sum(result.failed.values()) == failed, f"not one fails once it is back: {result}"


def test_http_get_wants_the_configured_status(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(servers=[checked(A, check=http_get("/busy")),
                                        checked(B, check=http_get("/busy", "status_code 503")),
                                        checked(C, check=http_get("/"))]))
    is_out(director, A)
    assert answers(net) == {"web2": 3, "web3": 3}


def test_http_get_wants_the_configured_digest(net, sluiced):
    net.prepare("NAT")
    page = net.web[0].nginx.files / "page"
    page.write_text("all is well\n")
    digest = hashlib.md5(b"all is well\n").hexdigest()
    director = sluiced(service(servers=[checked(A, check=http_get("/files/page", f"digest {digest}")), checked(B)]))
    # Up before the first probe, so wait until it was asked.
    assert answers(net) == {"web1": 3, "web2": 3}

    page.write_text("all is lost\n")
    is_out(director, A)
    assert answers(net) == {"web2": 6}
    page.write_text("all is well\n")
    is_in(director, A)
    assert answers(net) == {"web1": 3, "web2": 3}


def test_retries_forgive_a_short_failure(net, sluiced):
    """retry 20 every 0.2 s: four seconds of failure are forgiven, and the down of another server shows that time passes."""
    net.prepare("NAT")
    patient = "TCP_CHECK {\n  retry 20\n  delay_before_retry 0.2\n  connect_timeout 1\n}"
    director = sluiced(service(servers=[checked(A, check=patient), checked(B), checked(C)]))
    # Until a first success, the first failure is fatal.
    until("web1 was probed", lambda: net.web[0].host.counter("Tcp", "PassiveOpens") > 0)
    # Both fail at once; only the one without retries goes.
    net.web[0].nginx.kill()
    net.web[1].nginx.kill()
    is_out(director, B)
    assert A in director.weights()
    net.web[0].nginx.start()
    net.web[1].nginx.start()
    is_in(director, B)
    assert A in director.weights()


def test_inhibit_on_failure_keeps_the_server_with_weight_0_and_its_connections(net, sluiced):
    net.prepare("NAT")
    # Its check asks another port, so that the service itself goes on while the check fails.
    check = f"TCP_CHECK {{\n  connect_port {HTTP_ALTERNATIVE}\n  retry 0\n  connect_timeout 1\n}}"
    director = sluiced(service(servers=[checked(A, "inhibit_on_failure", check=check), checked(B)]))
    with connect(net.client, VIP, HTTP) as first, connect(net.client, VIP, HTTP) as second:
        net.web[0].host.ip("route add prohibit 10.0.2.253/32")  # answers to the director's probes stop
        until("weight 0", lambda: director.weights().get(A) == 0, 15)
        assert answers(net) == {"web2": 6}
        net.web[0].host.ip("route del prohibit 10.0.2.253/32")
        assert {ask(first), ask(second)} == {"web1", "web2"}
    is_in(director, A)
    assert answers(net) == {"web1": 3, "web2": 3}


def test_the_sorry_server_answers_when_no_other_is_left(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(f"sorry_server {C} {HTTP}", servers=[checked(A), checked(B)]))
    assert answers(net) == {"web1": 3, "web2": 3}
    net.web[0].nginx.kill()
    is_out(director, A)
    assert answers(net) == {"web2": 6}
    net.web[1].nginx.kill()
    is_in(director, C)
    assert answers(net) == {"web3": 6}
    net.web[0].nginx.start()
    is_out(director, C)
    assert answers(net) == {"web1": 6}


def test_a_sorry_server_may_run_on_the_director_itself(net, sluiced):
    net.prepare("NAT")
    local = Nginx(net.director, "director", [HTTP])
    local.start()
    local.wait_ready()
    director = sluiced(service(f"sorry_server 127.0.0.1 {HTTP}", servers=[checked(A)]))
    assert answers(net) == {"web1": 6}
    net.web[0].nginx.kill()
    is_in(director, "127.0.0.1")
    assert answers(net) == {"director": 6}
    result = Load(net.client, VIP, HTTP, requests=500, concurrency=16).start().wait()
    assert result.answered == {"director": 500}, str(result)
    net.web[0].nginx.start()
    is_out(director, "127.0.0.1")
    assert answers(net) == {"web1": 6}


def test_below_quorum_the_sorry_server_takes_over_from_those_alive(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service("quorum 2", f"sorry_server {C} {HTTP}", servers=[checked(A), checked(B)]))
    net.web[0].nginx.kill()
    is_in(director, C)
    assert answers(net) == {"web3": 6}
    net.web[0].nginx.start()
    is_out(director, C)
    assert answers(net) == {"web1": 3, "web2": 3}


def test_without_any_server_clients_are_refused_at_once(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(servers=[checked(A)]))
    net.web[0].nginx.kill()
    is_out(director, A)
    with pytest.raises(ConnectionRefusedError):
        connect(net.client, VIP, HTTP)


def test_notify_scripts_run_once_for_each_change(net, sluiced, lab):
    net.prepare("NAT")
    told = lab.directory / "told"
    script = lab.directory / "notify.sh"
    script.write_text(f'#!/bin/sh\necho "$*" >> {told}\n')
    script.chmod(0o755)
    director = sluiced(service(servers=[checked(A, f'notify_up "{script} up"', f'notify_down "{script} down web1"'),
                                        checked(B)]))
    net.web[0].nginx.kill()
    is_out(director, A)
    until("notify_down ran", told.exists)
    net.web[0].nginx.start()
    is_in(director, A)
    until("notify_up ran", lambda: told.read_text() == "down web1\nup\n")


def test_sluicectl_shows_health(net, sluiced):
    net.prepare("NAT")
    director = sluiced(service(servers=[checked(A, "inhibit_on_failure"), checked(B)]))
    net.web[0].nginx.kill()
    is_in(director, A, weight=0)
    assert director.destination(A)["health"] == "down"
    assert director.destination(B)["health"] == "up"
    table = director.sluicectl("services").stdout
    assert f"{VIP}:{HTTP}" in table and f"{A}:{HTTP}" in table, table


def test_health_says_what_each_checker_said(net, sluiced):
    net.prepare("NAT")
    director = sluiced(virtual_server(VIP, HTTP, *QUICK, servers=[
        real_server(net.web[0].address, HTTP, check=TCP_CHECK), real_server(net.web[1].address, 9, check=TCP_CHECK)]))

    def lines() -> dict[str, str]:
        rows = director.sluicectl("health").stdout.splitlines()
        return {row.split()[1]: row for row in rows[1:]}

    until("both have run", lambda: "not run" not in director.sluicectl("health").stdout)
    shown = lines()
    assert "TCP_CHECK" in shown[f"{net.web[0].address}:{HTTP}"] and "connected" in shown[f"{net.web[0].address}:{HTTP}"]
    assert "down" in shown[f"{net.web[1].address}:9"] and "connection refused" in shown[f"{net.web[1].address}:9"]
    failing = director.sluicectl("health", "--failing").stdout
    assert net.web[1].address in failing and net.web[0].address not in failing


def test_a_server_is_drained_over_a_reload_and_enabled_again(net, sluiced):
    net.prepare("NAT")
    config = service(servers=[checked(A), checked(B, "weight 3")])
    director = sluiced(config)
    assert set(answers(net)) == {"web1", "web2"}
    keeps = connect(net.client, VIP, HTTP)
    said = director.sluicectl("drain", f"{VIP}:{HTTP}", B).stdout
    assert "drained" in said
    is_in(director, B, 0)
    assert set(answers(net)) == {"web1"}
    director.config.write_text(config.replace("weight 3", "weight 4"))
    director.sluicectl("reload")
    assert director.weights()[B] == 0, "kept over the reload"
    assert "up, drained" in director.sluicectl("services").stdout and "0 (set)" in director.sluicectl("health").stdout
    director.sluicectl("weight", f"{VIP}:{HTTP}", f"{B}:{HTTP}", "9")
    is_in(director, B, 9)
    director.sluicectl("enable", f"{VIP}:{HTTP}", B)
    is_in(director, B, 4)
    assert "set" not in director.sluicectl("health").stdout
    keeps.close()
    for wrong in (("drain", "10.9.9.9:80", B), ("drain", f"{VIP}:{HTTP}", "10.9.9.9"), ("weight", f"{VIP}:{HTTP}", B, "-1")):
        assert director.sluicectl(*wrong, check=False).returncode != 0
    assert director.weights()[B] == 4
