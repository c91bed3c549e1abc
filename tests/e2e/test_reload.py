"""A new file under a running daemon: what changes changes, what stays isn't touched, what is wrong is refused."""

import os
import re
import signal

import pytest

from client import Load, ask, connect, get
from director import QUICK, TCP_CHECK, real_server, virtual_server
from netns import Process, until
from topology import HTTP, VIP

A, B, C = "10.0.2.11", "10.0.2.12", "10.0.2.13"


def config(weights: dict[str, int], algo: str = "wrr") -> str:
    """One service; address -> weight."""
    servers = [real_server(address, HTTP, f"weight {weight}", check=TCP_CHECK) for address, weight in weights.items()]
    return virtual_server(VIP, HTTP, *QUICK, servers=servers, algo=algo)


def reload(director, text: str) -> str:
    """What sluicectl says has changed."""
    director.config.write_text(text)
    return director.sluicectl("reload").stdout


def is_checked(director, times: int = 1) -> None:
    """Each checker has run, so that its next success is no news."""
    until("all checkers have run", lambda: director.log().count("TCP connection to") >= times)


def counters(director) -> dict[str, int]:
    return {entry["address"]: entry["counters"]["connections"] for entry in director.services()[0]["destinations"]}


# --- under load


class Wrk:
    """wrk(1) on the client until stop(); each request is a connection of its own, as nginx wants it here."""

    def __init__(self, net, connections: int = 16) -> None:
        self.client = net.client
        self.process: Process = net.client.start("wrk", "-t", "1", "-c", str(connections), "-d", "300s", "--timeout",
                                                 "5s", "-H", "Connection: close", f"http://{VIP}:{HTTP}/", name="wrk")

    def sockets(self) -> set[str]:
        """Of the requests that are under way: a number that no other has had. 0: nobody's any more."""
        shown = self.client.run("ss", "-H", "-t", "-n", "-e", "dst", f"{VIP}:{HTTP}").stdout
        return set(re.findall(r"ino:(\d+)", shown)) - {"0"}

    def nothing_hangs(self) -> None:
        """wrk doesn't report requests that never end."""
        under_way = self.sockets()
        assert under_way
        until("all that is under way ends", lambda: not under_way & self.sockets())

    def stop(self) -> str:
        self.process.signal(signal.SIGINT)
        self.process.wait(10)
        return self.process.output()


def test_under_wrk_a_hundred_reloads_fail_no_request(net, sluiced):
    """web1 and web2 stay, with changing weights. web3 comes, is given weight 0, and is removed once it is idle."""
    net.prepare("NAT")
    director = sluiced(config({A: 1, B: 1}))
    is_checked(director, 2)
    before = counters(director)
    with connect(net.client, VIP, HTTP) as waiting:
        wrk = Wrk(net)
        until("wrk is at work", lambda: sum(counters(director).values()) > 100)
        for number in range(0, 100, 4):
            a, b = number % 5 + 1, number % 3 + 1
            assert f"+ real server [{C}]" in reload(director, config({A: a, B: b, C: 5})), "comes"
            until("web3 has its share", lambda: counters(director)[C] > 0)
            assert "weight 5 -> 0" in reload(director, config({A: a, B: b, C: 0})), "quiesced"
            assert "weight" in reload(director, config({A: b + 1, B: a + 1, C: 0}))
            until("web3 is idle", lambda: director.destination(C)["active"] == 0)
            assert f"- real server [{C}]" in reload(director, config({A: b, B: a})), "goes"
        assert ask(waiting) in ("web1", "web2"), "a connection from before all this is still there"
    wrk.nothing_hangs()
    report = wrk.stop()
    assert int(re.search(r"(\d+) requests in", report)[1]) > 1000, report
    assert "Socket errors" not in report and "Non-2xx" not in report, report
    after = counters(director)
    assert director.log().count("Reload complete") == 100
    assert all(after[address] > before[address] + 100 for address in (A, B)), (before, after)
    for address in (A, B):  # a checker that began anew would say again that all is well
        assert director.log().count(f"TCP connection to [{address}]:tcp:{HTTP} success.") == 1
        assert director.log().count(f"Activating healthchecker for service [{address}]") == 1


def test_a_removed_server_takes_its_own_requests_along_and_no_others(net, sluiced):
    """Not even idle: the packets of its connections are dropped from now on, as LVS does it."""
    net.prepare("NAT")
    director = sluiced(config({A: 1, B: 1, C: 1}))
    is_checked(director, 3)
    load = Load(net.client, VIP, HTTP, concurrency=16, seconds_each=2.0).start()
    for number in range(20):
        reload(director, config({A: number % 5 + 1, B: number % 3 + 1}))
        answered = sum(load.result.answered.values())
        until("the others go on", lambda: sum(load.result.answered.values()) > answered + 20)
        reload(director, config({A: 1, B: 1, C: 5}))
        answered = load.result.answered["web3"]
        until("it serves", lambda: load.result.answered["web3"] > answered + 5)
    result = load.stop()
    assert set(result.failed) <= {"TimeoutError"}, str(result)
    lines = director.json("connections")["connections"]
    server_of = {int(line["client"].split(":")[1]): line["destination"].split(":")[0] for line in lines}
    assert [server_of.get(port) for port in result.failed_ports] == [C] * len(result.failed_ports), str(result)


# --- what is refused


BROKEN = """
virtual_server 10.0.1.100 80 {
    lb_algo rr
    lb_kind NAT
    real_server 10.0.2.11 80 {
        weight a_lot
    }
}
"""


def test_a_file_with_errors_is_refused_and_what_runs_stays(net, sluiced):
    net.prepare("NAT")
    director = sluiced(config({A: 1, B: 2}))
    is_checked(director, 2)
    served = sum(get(net.client, VIP, HTTP) == "web2" for _ in range(6))
    director.config.write_text(BROKEN)
    refused = director.sluicectl("reload", check=False)
    assert refused.returncode == 1
    assert "keepalived.conf:6:" in refused.stderr and "a_lot" in refused.stderr, refused.stderr
    assert "what ran before runs on" in refused.stderr

    os.kill(director.process.pid, signal.SIGHUP)
    until("the log says so, too", lambda: director.log().count("Reload refused") == 2)
    assert director.weights() == {A: 1, B: 2}
    assert sum(get(net.client, VIP, HTTP) == "web2" for _ in range(6)) == served == 4
    assert sum(counters(director).values()) == 12

    director.config.unlink()
    assert director.sluicectl("reload", check=False).returncode == 1
    assert director.weights() == {A: 1, B: 2}

    director.config.write_text(config({A: 1, B: 3}))
    os.kill(director.process.pid, signal.SIGHUP)
    until("a good one is taken after that", lambda: director.weights() == {A: 1, B: 3})


def test_diff_shows_what_a_reload_would_change_and_changes_nothing(net, sluiced, lab):
    net.prepare("NAT")
    director = sluiced(config({A: 1, B: 2}))
    file = lab.directory / "next.conf"
    file.write_text(config({B: 3, C: 1}))
    shown = director.sluicectl("diff", str(file)).stdout
    assert f"- real server [{A}]:tcp:{HTTP}" in shown and f"+ real server [{C}]:tcp:{HTTP}" in shown, shown
    assert f"~ real server [{B}]:tcp:{HTTP}" in shown and "weight 2 -> 3" in shown, shown
    assert len(shown.splitlines()) == 3, shown
    assert director.weights() == {A: 1, B: 2}
    assert reload(director, file.read_text()) == shown, "and then does just that"
    assert director.weights() == {B: 3, C: 1}

    file.write_text(BROKEN)
    assert director.sluicectl("diff", str(file), check=False).returncode == 1
    assert director.weights() == {B: 3, C: 1}


def test_a_reload_of_the_same_file_says_that_nothing_has_changed(net, sluiced):
    net.prepare("NAT")
    text = config({A: 1, B: 2})
    director = sluiced(text)
    assert "virtual server" not in reload(director, text)


# --- groups


def group(members: list[str], weight: int = 1) -> str:
    lines = "".join(f"    {member}\n" for member in members)
    servers = "".join(real_server(address, HTTP, f"weight {weight}", check=TCP_CHECK) for address in (A, B))
    quick = "".join(f"    {line}\n" for line in QUICK)
    return (f"virtual_server_group web {{\n{lines}}}\n"
            f"virtual_server group web {{\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n{quick}{servers}}}\n")


FIRST, SECOND, THIRD = "10.0.1.101", "10.0.1.102", "10.0.1.103"


@pytest.fixture
def vips(net) -> None:
    net.prepare("NAT", [FIRST, SECOND, THIRD])


def served_by(net, vip: str, port: int = HTTP) -> set[str]:
    return {get(net.client, vip, port) for _ in range(2)}


def addresses(director) -> list[str]:
    return sorted(f"{service['address']}:{service['port']}" for service in director.services())


def test_each_member_of_a_group_is_a_service_and_its_servers_are_checked_once(net, sluiced, vips):
    director = sluiced(group([f"{FIRST}-102 80", f"{FIRST} 8080"]))
    assert addresses(director) == [f"{FIRST}:80", f"{FIRST}:8080", f"{SECOND}:80"]
    for vip, port in ((FIRST, HTTP), (SECOND, HTTP), (FIRST, 8080)):
        assert served_by(net, vip, port) == {"web1", "web2"}
    is_checked(director, 2)
    assert director.log().count("Activating healthchecker") == 2

    net.web[0].nginx.kill()
    until("one result takes it out of all", lambda: all(director.destination(A, n) is None for n in range(3)))
    assert served_by(net, FIRST) == served_by(net, SECOND) == served_by(net, FIRST, 8080) == {"web2"}
    assert director.log().count(f"TCP_CHECK on service [{A}]") == 1
    assert director.log().count(f"Removing service [{A}]:tcp:{HTTP} from VS [web]:0") == 1


def test_members_of_a_group_come_and_go_and_the_others_are_not_touched(net, sluiced, vips):
    director = sluiced(group([f"{FIRST}-102 80"]))
    is_checked(director, 2)
    with connect(net.client, FIRST, HTTP) as waiting:
        changed = reload(director, group([f"{FIRST} 80", f"{THIRD} 80"]))
        assert sorted(changed.splitlines()) == [f"+ entry [{THIRD}]:tcp:80 of [web]:0",
                                                f"- entry [{SECOND}]:tcp:80 of [web]:0"]
        assert addresses(director) == [f"{FIRST}:80", f"{THIRD}:80"]
        assert served_by(net, THIRD) == {"web1", "web2"}
        assert ask(waiting) in ("web1", "web2"), "its connection goes on"
    with pytest.raises(OSError):
        get(net.client, SECOND, HTTP)
    assert director.services()[0]["counters"]["connections"] == 1, "counted on"
    assert director.log().count("Activating healthchecker") == 2, "no checker began anew"
    reload(director, group([f"{FIRST} 80", f"{THIRD} 80"], weight=4))
    assert director.weights(0) == director.weights(1) == {A: 4, B: 4}


def test_a_group_takes_addresses_and_marks_together(net, sluiced, vips):
    rule = f"fwmark 5 destination {SECOND}/32 protocol TCP port 8000-8080"
    marks = f"dataplane {{\n    interfaces front back\n    classify {{\n        {rule}\n    }}\n}}\n"
    director = sluiced(marks + group([f"{FIRST} 80", "fwmark 5"]))
    assert {service["protocol"] for service in director.services()} == {"TCP", "FWM"}
    assert served_by(net, FIRST) == served_by(net, SECOND, 8080) == {"web1", "web2"}
    assert reload(director, marks + group([f"{FIRST} 80"])) == "- entry FWM 5 of [web]:0\n"
    assert served_by(net, FIRST) == {"web1", "web2"}
    with pytest.raises(OSError):
        get(net.client, SECOND, 8080, seconds=1.0)
