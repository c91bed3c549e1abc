"""ha_suspend: checkers rest while the virtual address isn't on this host, whoever takes it away or brings it."""

from director import QUICK, TCP_CHECK, real_server, virtual_server
from netns import until
from routers import instance
from topology import HTTP, VIP

A, B = "10.0.2.11", "10.0.2.12"
NAMES = f"service [{A}]:tcp:{HTTP} for VS [{VIP}]:tcp:{HTTP}"


def suspending(*others: str) -> str:
    servers = [real_server(A, HTTP, check=TCP_CHECK), *others]
    return virtual_server(VIP, HTTP, *QUICK, "delay_loop 0.2", "ha_suspend", servers=servers)


def connections(net) -> int:
    return net.web[0].host.counter("Tcp", "PassiveOpens")


def is_said(director, what: str, times: int = 1) -> None:
    until(f"{times} times in the log: {what}", lambda: director.log().count(f"{what} healthchecker for {NAMES}") >= times)


def checker(director) -> dict:
    return director.json("health")["virtual_servers"][0]["real_servers"][0]["checkers"][0]


def is_out(director) -> None:
    until(f"{A} is out", lambda: A not in director.weights())


def is_in(director) -> None:
    until(f"{A} is in", lambda: A in director.weights())


def time_passes(director) -> None:
    """A reload's checker that is probed after it says that the others have had their time."""
    said = director.log().count("TCP connection to [10.0.2.12]:tcp:80 success.")
    text = director.config.read_text().split("# then\n")[0]
    probe = virtual_server("10.0.1.101", HTTP, *QUICK, "warmup 0", servers=[real_server(B, HTTP, check=TCP_CHECK)])
    director.config.write_text(text)
    director.sluicectl("reload")
    director.config.write_text(text + "# then\n" + probe)
    director.sluicectl("reload")
    until("the other was probed", lambda: director.log().count("TCP connection to [10.0.2.12]:tcp:80 success.") > said)


def test_nobody_is_probed_until_the_address_comes_and_nothing_changes_once_it_is_gone(net, sluiced):
    net.web[0].nginx.kill()
    director = sluiced(suspending())
    is_said(director, "Deactivating")
    before = connections(net)
    time_passes(director)
    assert connections(net) == before, "not one connection was asked for"
    assert A in director.weights(), "it stays what it was taken to be"
    assert checker(director)["suspended"] and not checker(director)["has_run"]
    assert "up, suspended" in director.sluicectl("health").stdout

    net.director.ip(f"address add {VIP}/32 dev lo")
    is_said(director, "Activating")
    is_out(director)
    assert not checker(director)["suspended"]

    net.director.ip(f"address add {VIP}/32 dev front", f"address del {VIP}/32 dev lo")
    net.web[0].nginx.start()
    is_in(director)
    net.director.ip(f"address del {VIP}/32 dev front")
    is_said(director, "Suspending")
    net.web[0].nginx.kill()
    time_passes(director)
    assert A in director.weights(), "its state is frozen"
    net.director.ip(f"address add {VIP}/32 dev front")
    is_said(director, "Activating", 2)
    is_out(director)


def test_checks_follow_our_own_master(net, sluiced):
    vrrp = instance("VI_1", "version 3", "advert_int 0.2", vips=(f"{VIP}/32",), interface="front")
    director = sluiced(vrrp + suspending())
    assert checker(director)["suspended"], "a backup hasn't got the address"
    is_said(director, "Activating")
    until("it has run", lambda: checker(director)["has_run"])
    net.lan.ip("link set dir-front down")
    is_said(director, "Suspending")
    net.web[0].nginx.kill()
    time_passes(director)
    assert A in director.weights()
    net.lan.ip("link set dir-front up")
    is_said(director, "Activating", 2)
    is_out(director)
