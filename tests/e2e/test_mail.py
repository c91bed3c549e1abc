"""Mail of transitions, through a real conversation with a mail server that keeps what it hears: what keepalived sends
beside what we send, and mail servers that are down, silent or choosy.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest

from director import QUICK, TCP_CHECK, real_server, virtual_server
from netns import Host, Process, until
from routers import KEEPALIVED, instance
from topology import VIP as SERVICE_VIP

HERE = Path(__file__).parent
PORT = 2525
SECOND, THIRD = "10.98.0.101", "10.98.0.102"
V3 = ("version 3", "advert_int 0.2")


class MailServer:
    def __init__(self, host: Host, mode: str = "well", word: str = "-", address: str = "127.0.0.1") -> None:
        self.heard = host.lab.directory / f"mail-{len(host.processes)}.json"
        self.heard.touch()
        self.process: Process = host.start(sys.executable, HERE / "mail_server.py", self.heard, address, PORT, mode, word,
                                           name="mail_server")
        until("the mail server listens", lambda: f":{PORT} " in host.run("ss", "-ltn").stdout)

    def connections(self) -> list[dict]:
        whole, _, _ = self.heard.read_text().rpartition("\n")  # the last line may be under way
        return [json.loads(line) for line in whole.splitlines()]

    def commands(self) -> list[str]:
        return [command for each in self.connections() for command in each["commands"]]

    def mails(self) -> list[str]:
        """One connection carries several; the empty line after the body ends each."""
        text = "".join(each["data"] for each in self.connections())
        return ["Date: " + mail for mail in text.split("Date: ")[1:]]

    def subjects(self) -> list[str]:
        return [re.search(r"^Subject: (.*)\r$", mail, re.MULTILINE)[1] for mail in self.mails()]

    def wait(self, subject: str, count: int = 1, seconds: float = 10.0) -> None:
        until(f"{count} mails '{subject}'", lambda: self.subjects().count(subject) >= count, seconds)


def global_defs(*lines: str, to: str = "ops@example.com night@example.com", server: str = f"127.0.0.1 {PORT}") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return ("global_defs {\n    router_id lb1\n    notification_email {\n        " + to + "\n    }\n"
            f"    notification_email_from lb@example.com\n    smtp_helo_name lb1.example.com\n    smtp_server {server}\n"
            f"    smtp_connect_timeout 2\n{body}}}\n")


def config(with_third: bool, *lines: str) -> str:
    """Two that move together, and a third that a reload may take away."""
    text = (global_defs("smtp_alert", *lines) + "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n"
            + instance("VI_1", *V3) + instance("VI_2", *V3, vrid=52, vips=(f"{SECOND}/24",)))
    return text + (instance("VI_3", *V3, "notify_deleted", vrid=53, vips=(f"{THIRD}/24",)) if with_third else "")


def life_of(wire, router, kind: str, *lines: str) -> MailServer:
    """What is mailed by a router that starts, gets all addresses, loses its link, comes back, and is reloaded."""
    host = wire.hosts["alpha"]
    server = MailServer(host)
    alpha = router(kind, "alpha", config(True, *lines)).start()
    masters = [f"[lb1] VRRP {who} - Entering MASTER state" for who in
               ("Instance VI_1", "Instance VI_2", "Instance VI_3", "Group G")]
    for each in masters:
        server.wait(each)
    wire.lan.ip("link set alpha down")
    until("alpha has lost its address", lambda: not alpha.has())
    for each in masters if "no_email_faults" not in lines else ():
        server.wait(each.replace("MASTER", "FAULT"))  # keepalived would send it beside the next one
    wire.lan.ip("link set alpha up")
    for each in masters:
        server.wait(each, 2)
    alpha.config.write_text(config(False, *lines))
    host.run("kill", "-HUP", str(alpha.process.pid))
    server.wait("[lb1] VRRP Instance VI_3 - Deleted")
    alpha.stop()
    server.process.stop()
    return server


def masked(mails: list[str]) -> dict[str, list[str]]:
    """The mails of each instance and group in their order. keepalived sends several at the same time, in any order.
    What is mailed at the stop is left out: keepalived connects for it, but doesn't get to speak."""
    of: dict[str, list[str]] = {}
    for mail in mails:
        text, dates = re.subn(r"^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n", "Date: *\r\n", mail)
        assert dates == 1, mail
        if "Stopping" not in text:
            of.setdefault(re.search(r"VRRP \w+ (\w+)", text)[1], []).append(text)
    return of


@pytest.mark.skipif(KEEPALIVED is None, reason="needs keepalived")
@pytest.mark.parametrize("lines", [(), ("no_email_faults",)], ids=["all", "no faults"])
def test_the_mails_are_keepaliveds_field_by_field(wire, router, lines):
    theirs = life_of(wire, router, "keepalived", *lines)
    ours = life_of(wire, router, "sluice", *lines)
    assert sum(len(mails) for mails in masked(theirs.mails()).values()) >= 17 - 4 * len(lines)
    assert masked(ours.mails()) == masked(theirs.mails())
    assert set(theirs.commands()) == set(ours.commands())
    assert "[lb1] VRRP Instance VI_1 - Stopping" in ours.subjects()
    assert "[lb1] VRRP Group G - Stopping" in ours.subjects()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_the_server_may_have_any_kind_of_address(wire, router, address):
    wire.hosts["alpha"].sysctl("net.ipv6.conf.lo.disable_ipv6=0")
    server = MailServer(wire.hosts["alpha"], "wordy", address="127.0.0.1" if address == "localhost" else address)
    router("sluice", "alpha", global_defs(server=f"{address} {PORT}", to='"Night Shift <night@example.com>"')
           + instance("VI_1", *V3, "smtp_alert")).start()
    server.wait("[lb1] VRRP Instance VI_1 - Entering MASTER state")
    assert "RCPT TO:<night@example.com>" in server.commands()
    assert "To: Night Shift <night@example.com>\r\n" in server.mails()[0]


def test_nothing_waits_for_a_server_that_is_down_and_it_gets_all_mails_later(wire, router):
    alpha = router("sluice", "alpha", global_defs("smtp_alert") + instance("VI_1", *V3)).start()
    alpha.wait_master(seconds=4)
    until("it is said", lambda: "connection refused; " in alpha.log())
    server = MailServer(wire.hosts["alpha"])
    server.wait("[lb1] VRRP Instance VI_1 - Entering MASTER state", seconds=15)
    assert server.subjects()[0] == "[lb1] VRRP Instance VI_1 - Entering BACKUP state"
    until("it is said", lambda: f"SMTP server [127.0.0.1]:{PORT} takes mail again" in alpha.log())
    assert alpha.log().count("connection refused") == 1


@pytest.mark.parametrize("mode", ["silent", "quiet", "drip", "broken"])
def test_a_server_that_misbehaves_is_left_alone_and_keeps_nobody(wire, router, mode):
    server = MailServer(wire.hosts["alpha"], mode)
    alpha = router("sluice", "alpha", global_defs("smtp_alert") + instance("VI_1", *V3)).start()
    alpha.wait_master(seconds=4)
    said = {"broken": "HELO lb1.example.com answered with 421 not today"}.get(mode, "no answer within 2 s")
    until("it is said", lambda: re.search(rf"SMTP server \[127.0.0.1\]:{PORT}: {said}; \d mails? waiting", alpha.log()))
    began = time.monotonic()
    assert alpha.stop() == 0
    assert time.monotonic() - began < 5
    assert re.search(r"\d mails dropped: the time to stop is over", alpha.log())
    assert server.mails() == []


def test_who_is_refused_doesnt_keep_the_mail_from_the_others(wire, router):
    server = MailServer(wire.hosts["alpha"], "refuse", "ops@")
    alpha = router("sluice", "alpha", global_defs("smtp_alert") + instance("VI_1", *V3)).start()
    server.wait("[lb1] VRRP Instance VI_1 - Entering MASTER state")
    assert "SMTP recipient refused: RCPT TO:<ops@example.com> answered with 550 no such user here" in alpha.log()


def test_a_reload_brings_another_server_and_loses_no_mail(wire, router):
    alpha = router("sluice", "alpha", global_defs("smtp_alert", server="127.0.0.1 2526") + instance("VI_1", *V3)).start()
    alpha.wait_master()
    until("it is said", lambda: "connection refused; " in alpha.log())
    server = MailServer(wire.hosts["alpha"])
    alpha.reload(global_defs("smtp_alert", to="new@example.com") + instance("VI_1", *V3))
    server.wait("[lb1] VRRP Instance VI_1 - Entering MASTER state")
    assert server.subjects()[0] == "[lb1] VRRP Instance VI_1 - Entering BACKUP state"
    assert "RCPT TO:<new@example.com>" in server.commands()
    assert "RCPT TO:<ops@example.com>" not in server.commands()


def test_servers_and_quorum_are_mailed(net, sluiced):
    server = MailServer(net.director)
    web1, web2 = net.web[:2]
    sluiced(global_defs("smtp_alert_checker")
            + virtual_server(SERVICE_VIP, 80, *QUICK, servers=[real_server(web1.address, 80, check=TCP_CHECK),
                                                               real_server(web2.address, 80, "smtp_alert off",
                                                                           check=TCP_CHECK)]))
    web2.nginx.stop()
    web1.nginx.stop()
    service = f"[{SERVICE_VIP}]:tcp:80"
    server.wait(f"[lb1] Realserver [{web1.address}]:tcp:80 of virtual server {service} - DOWN")
    server.wait(f"[lb1] Virtualserver {service} - DOWN")
    assert any("\r\n\r\n=> TCP CHECK failed on service <=\r\n\r\n" in mail for mail in server.mails())
    web1.nginx.start()
    server.wait(f"[lb1] Realserver [{web1.address}]:tcp:80 of virtual server {service} - UP")
    server.wait(f"[lb1] Virtualserver {service} - UP")
    assert not [subject for subject in server.subjects() if f"Realserver [{web2.address}]" in subject]
