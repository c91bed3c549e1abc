"""What keepalived with kernel IPVS and sluiced are both put through, to compare them: virtual servers of all sorts over
the same three machines A, B and C, and what happens to these. Data only: pool_life.py lives it, record_pools.py writes
down what keepalived does, test_pools_like_keepalived.py has sluiced do the same.

A *variant* is one virtual server. Its port tells it from the others everywhere: in the table, the log, FIFOs and mails.
In texts <A> <B> <C> are the machines' addresses, <S> the sorry server's, <VIP> the virtual one, <PORT> the variant's port
and <DIR> a folder of the director that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

ADDRESSES = {"A": "10.0.2.11", "B": "10.0.2.12", "C": "10.0.2.13", "S": "10.0.2.14", "VIP": "10.0.1.100"}
FIRST_PORT = 8001


def check(kind: str = "TCP_CHECK", *lines: str) -> str:
    wait = 1 if kind in ("UDP_CHECK", "PING_CHECK") else 3  # no longer than it must be where silence is an answer
    return "\n".join((f"{kind} {{", f"connect_timeout {wait}", "retry 0", *lines, "}"))


TCP = check()


@dataclass(frozen=True)
class Real:
    name: str
    weight: int = 1
    lines: tuple[str, ...] = ()
    check: str = TCP

    def text(self) -> str:
        return "\n".join((f"real_server <{self.name}> <PORT> {{", f"weight {self.weight}",
                          f'notify_up "<DIR>/told.sh <PORT> {self.name} up"',
                          f'notify_down "<DIR>/told.sh <PORT> {self.name} down"', *self.lines, self.check, "}"))


ABC = (Real("A"), Real("B"), Real("C"))


def each(servers: tuple[Real, ...] = ABC, **changes) -> tuple[Real, ...]:
    return tuple(replace(server, **changes) for server in servers)


@dataclass(frozen=True)
class Variant:
    name: str
    lines: tuple[str, ...] = ()
    servers: tuple[Real, ...] = ABC
    listener: str = "tcp"

    def text(self) -> str:
        return "\n".join(("virtual_server <VIP> <PORT> {", "delay_loop 1", "delay_before_retry 1", "warmup 0", "lb_algo rr",
                          "lb_kind NAT", "protocol TCP", 'quorum_up "<DIR>/told.sh <PORT> quorum up"',
                          'quorum_down "<DIR>/told.sh <PORT> quorum down"', *self.lines,
                          *(server.text() for server in self.servers), "}\n"))


@dataclass(frozen=True)
class Step:
    """One thing that happens; then all is waited for that comes of it."""
    name: str
    stop: str = ""  # a machine dies, but for its kernel
    start: str = ""
    shell: str = ""  # on the director
    reload: tuple[Variant, ...] = ()
    end: bool = False  # of the daemon
    together: bool = False  # several servers are probed at the same time, so lines come in any order


@dataclass(frozen=True)
class Scenario:
    name: str
    variants: tuple[Variant, ...]
    steps: tuple[Step, ...]
    global_lines: tuple[str, ...] = ("smtp_alert_checker",)
    blocks: str = ""
    prepare: str = ""  # shell, in <DIR>
    down: str = ""  # machines that are dead at the start
    ports: dict[str, int] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for variants in (self.variants, *(step.reload for step in self.steps)):
            for variant in variants:
                self.ports.setdefault(variant.name, FIRST_PORT + len(self.ports))

    def listeners(self) -> list[str]:
        found = {}
        for variants in (self.variants, *(step.reload for step in self.steps)):
            found.update({self.ports[variant.name]: variant.listener for variant in variants})
        return [f"{port}:{kind}" for port, kind in found.items()]

    def config(self, variants: tuple[Variant, ...], directory: str) -> str:
        """Of the whole daemon."""
        text = "\n".join((
            "global_defs {", "router_id lb1", "enable_script_security", "script_user root", "notification_email {",
            "ops@example.com", "}", "notification_email_from lb@example.com", "smtp_server 10.0.2.254 2525",
            "smtp_connect_timeout 5", "lvs_notify_fifo <DIR>/fifo", "lvs_notify_fifo_script <DIR>/read.sh", *self.global_lines,
            "}\n")) + self.blocks
        for variant in variants:
            text += variant.text().replace("<PORT>", str(self.ports[variant.name]))
        return self.placed(text, directory)

    @staticmethod
    def placed(text: str, directory: str) -> str:
        for name, address in ADDRESSES.items():
            text = text.replace(f"<{name}>", address)
        return text.replace("<DIR>", directory)


SORRY = ("sorry_server <S> <PORT>",)
SORRY_INHIBIT = (*SORRY, "sorry_server_inhibit")
INHIBIT = each(lines=("inhibit_on_failure",))
WEIGHED = (Real("A", 4), Real("B", 2), Real("C", 1))
HYSTERESIS = ("quorum 3", "hysteresis 1")
DIE_AND_COME_BACK = (*(Step(f"{name} dies", stop=name) for name in "ABC"),
                     *(Step(f"{name} comes back", start=name) for name in "ABC"), Step("the end", end=True))

FAULTS = Scenario("faults", (
    Variant("plain"),
    Variant("sorry server", SORRY),
    Variant("sorry server inhibited", SORRY_INHIBIT),
    Variant("inhibit", servers=INHIBIT),
    Variant("inhibit, sorry server", SORRY, INHIBIT),
    Variant("inhibit, sorry server inhibited", SORRY_INHIBIT, INHIBIT),
    Variant("quorum 2", ("quorum 2",)),
    Variant("quorum 2, sorry server", ("quorum 2", *SORRY)),
    Variant("quorum 2, sorry server, inhibit", ("quorum 2", *SORRY), INHIBIT),
    Variant("hysteresis", HYSTERESIS, WEIGHED),
    Variant("hysteresis, sorry server", (*HYSTERESIS, *SORRY), WEIGHED),
    Variant("hysteresis, sorry server, inhibit", (*HYSTERESIS, *SORRY), each(WEIGHED, lines=("inhibit_on_failure",))),
    Variant("weight 0", SORRY, (Real("A", 1), Real("B", 0), Real("C", 0))),
    Variant("alpha", ("alpha",)),
    Variant("alpha, sorry server", ("alpha", *SORRY)),
    Variant("alpha, inhibit", ("alpha",), INHIBIT),
    Variant("omega", ("omega",)),
    Variant("omega, sorry server", ("omega", *SORRY, "quorum 3")),
    Variant("retry 2", servers=each(check=check("TCP_CHECK", "retry 2"))),
    Variant("two checkers", servers=each(check=TCP + "\n" + check("HTTP_GET", "url {", "path /", "}")), listener="http"),
    Variant("no mail", ("smtp_alert off",), each(lines=("smtp_alert off",))),
), DIE_AND_COME_BACK)

COLD = Scenario("cold", (
    Variant("plain"),
    Variant("sorry server", SORRY),
    Variant("alpha", ("alpha",)),
    Variant("alpha, sorry server", ("alpha", *SORRY)),
    Variant("alpha, sorry server, inhibit", ("alpha", *SORRY), INHIBIT),
    Variant("alpha, quorum 2, sorry server inhibited", ("alpha", "quorum 2", *SORRY_INHIBIT)),
    Variant("quorum 2, sorry server", ("quorum 2", *SORRY)),
    Variant("quorum 5", ("quorum 5", *SORRY), WEIGHED),
    Variant("alpha, retry 2", ("alpha",), each(check=check("TCP_CHECK", "retry 2"))),
    Variant("nobody is checked", SORRY, each(check="")),
), (Step("A comes", start="A"), Step("B comes", start="B"), Step("C dies", stop="C"), Step("the end", end=True)),
    global_lines=("rs_init_notifies", "smtp_alert_checker", "no_checker_emails"), down="AB")

HTTP = ("url {", "path /", "}")
KINDS = Scenario("kinds", (
    Variant("HTTP_GET", servers=each(check=check("HTTP_GET", *HTTP)), listener="http"),
    Variant("HTTP_GET of two urls", servers=each(check=check("HTTP_GET", *HTTP, *HTTP, "retry 1")), listener="http"),
    Variant("SMTP_CHECK", servers=each(check=check("SMTP_CHECK")), listener="smtp"),
    Variant("SMTP_CHECK, retry 1", servers=each(check=check("SMTP_CHECK", "retry 1")), listener="smtp"),
    Variant("DNS_CHECK", servers=each(check=check("DNS_CHECK")), listener="dns"),
    Variant("DNS_CHECK, retry 1", servers=each(check=check("DNS_CHECK", "retry 1")), listener="dns"),
    Variant("UDP_CHECK", servers=each(check=check("UDP_CHECK")), listener="udp"),
    Variant("UDP_CHECK, a reply", servers=each(check=check("UDP_CHECK", "payload 61", "require_reply 61", "retry 1")),
            listener="udp"),
    Variant("PING_CHECK", servers=each(check=check("PING_CHECK"))),
    Variant("PING_CHECK, retry 1", servers=each(check=check("PING_CHECK", "retry 1"))),
    Variant("TCP_CHECK of another port", servers=each(check=check("TCP_CHECK", "connect_port 1"))),
), (Step("A dies", stop="A"), Step("A comes back", start="A"), Step("the end", end=True)))


def misc(name: str, *lines: str) -> str:
    return "\n".join(("MISC_CHECK {", f'misc_path "<DIR>/status.sh {name}"', "misc_timeout 8", *lines, "}"))


def say(**values: int) -> str:
    """All at once: a script that reads meanwhile sees the old value or the new one."""
    return " && ".join(f"echo {value} > <DIR>/new && mv <DIR>/new <DIR>/{name}" for name, value in values.items())


STATUS = """
cat > <DIR>/status.sh << 'END'
#!/bin/sh
read status < <DIR>/$1
[ "$status" = -1 ] && exec sleep 30
exit "$status"
END
chmod 755 <DIR>/status.sh
"""


def file_check(weight: int | str, *lines: str) -> str:
    return "\n".join(("FILE_CHECK {", "track_file load", f"weight {weight}", *lines, "}"))


def first_and_others(first: str, weight: int = 10) -> tuple[Real, ...]:
    return (Real("A", weight, check=first), Real("B", 2), Real("C", 3))


WEIGHTS = Scenario("weights", (
    Variant("script", servers=first_and_others(misc("one"))),
    Variant("script, retry 1", servers=first_and_others(misc("one", "retry 1"))),
    Variant("dynamic", servers=first_and_others(misc("one", "misc_dynamic"))),
    Variant("dynamic, quorum 15", ("quorum 15", "hysteresis 2", *SORRY), first_and_others(misc("one", "misc_dynamic"))),
    Variant("two dynamic", servers=first_and_others(misc("one", "misc_dynamic") + "\n" + misc("two", "misc_dynamic"))),
    Variant("dynamic, inhibit", servers=each(first_and_others(misc("one", "misc_dynamic")), lines=("inhibit_on_failure",))),
    Variant("dynamic, alpha", ("alpha",), first_and_others(misc("one", "misc_dynamic"))),
    Variant("file", servers=first_and_others(file_check(2))),
    Variant("file, reverse", servers=first_and_others(file_check("2 reverse"))),
    Variant("file of no weight", servers=first_and_others(file_check(0))),
    Variant("file, alpha", ("alpha",), first_and_others(file_check(2))),
    Variant("file and script, quorum 20", ("quorum 20", *SORRY),
            first_and_others(file_check(2) + "\n" + misc("two", "misc_dynamic"))),
), (Step("one says 32", shell=say(one=32)),
    Step("two says 7", shell=say(two=7)),
    Step("one says 2", shell=say(one=2)),
    Step("one fails", shell=say(one=1)),
    Step("two says 100 meanwhile", shell=say(two=100)),
    Step("one says 0", shell=say(one=0)),
    Step("one says 3", shell=say(one=3)),
    Step("both say 0 again", shell=say(one=0, two=0)),
    Step("one never ends", shell=say(one=-1)),
    Step("one says 255", shell=say(one=255)),
    Step("both say 0", shell=say(one=0, two=0)),
    Step("the file says 3", shell="echo 3 > <DIR>/load"),
    Step("the file says -20", shell="echo -20 > <DIR>/load"),
    Step("the file says 0", shell="echo 0 > <DIR>/load"),
    Step("the file is gone", shell="rm <DIR>/load"),
    Step("the file says 1", shell="echo 1 > <DIR>/load"),
    Step("the end", end=True)),
    blocks="track_file load {\nfile <DIR>/load\nweight 1\n}\n",
    prepare=say(one=0, two=0, load=0) + STATUS)

BEFORE = (
    Variant("as it was"),
    Variant("weights", ("quorum 3", *SORRY)),
    Variant("fewer"),
    Variant("more", ("quorum 3", *SORRY), ABC[:2]),
    Variant("more, alpha", ("alpha",), ABC[:2]),
    Variant("another sorry server", ("quorum 9", *SORRY)),
    Variant("no sorry server", ("quorum 9", *SORRY)),
    Variant("a sorry server", ("quorum 9",)),
    Variant("higher quorum", SORRY),
    Variant("higher quorum, no sorry server"),
    Variant("lower quorum", ("quorum 3", *SORRY)),
    Variant("inhibit comes"),
    Variant("inhibit goes", servers=INHIBIT),
    Variant("another check"),
    Variant("another check, alpha", ("alpha",)),
    Variant("no check any more"),
    Variant("another way", servers=ABC),
    Variant("gone"),
    Variant("gone, omega", ("omega", *SORRY)),
    Variant("another order"),
    Variant("omega comes"),
)
AFTER = (
    Variant("as it was"),
    Variant("weights", ("quorum 3", *SORRY), (Real("A", 3), Real("B", 5), Real("C", 2))),
    Variant("fewer", servers=(Real("A"), Real("C"))),
    Variant("more", ("quorum 3", *SORRY)),
    Variant("more, alpha", ("alpha",)),
    Variant("another sorry server", ("quorum 9", "sorry_server <B> 9")),
    Variant("no sorry server", ("quorum 9",)),
    Variant("a sorry server", ("quorum 9", *SORRY)),
    Variant("higher quorum", ("quorum 3", *SORRY)),
    Variant("higher quorum, no sorry server", ("quorum 3",)),
    Variant("lower quorum", ("quorum 1", *SORRY)),
    Variant("inhibit comes", servers=INHIBIT),
    Variant("inhibit goes"),
    Variant("another check", servers=each(check=check("TCP_CHECK", "connect_port <PORT>"))),
    Variant("another check, alpha", ("alpha",), each(check=check("TCP_CHECK", "connect_port <PORT>"))),
    Variant("no check any more", servers=each(check="")),
    Variant("another way", servers=each(lines=("lvs_method DR",))),
    Variant("another order", servers=ABC[::-1]),
    Variant("omega comes", ("omega",)),
    Variant("new", SORRY),
    Variant("new, alpha", ("alpha",)),
)
RELOAD = Scenario("reload", BEFORE, (
    Step("C dies", stop="C"),
    Step("the same again", reload=BEFORE),
    Step("all else", reload=AFTER),
    Step("C comes back", start="C"),
    Step("B dies", stop="B"),
    Step("back", reload=BEFORE),
    Step("the end", end=True)))

SUSPEND = Scenario("suspend", (
    Variant("plain"),
    Variant("suspends", ("ha_suspend",)),
    Variant("suspends, script", ("ha_suspend",), first_and_others(misc("one", "misc_dynamic"))),
    Variant("suspends, alpha", ("ha_suspend", "alpha", *SORRY)),
    Variant("suspends, file", ("ha_suspend",), first_and_others(file_check(2))),
), (Step("A dies", stop="A"),
    Step("the address comes", shell="ip address add <VIP>/32 dev lo", together=True),
    Step("the file says 2", shell="echo 2 > <DIR>/load"),
    Step("the address goes", shell="ip address del <VIP>/32 dev lo"),
    Step("A comes back", start="A"),
    Step("the script says 7", shell=say(one=7)),
    Step("B dies", stop="B"),
    Step("the file says 4", shell="echo 4 > <DIR>/load"),
    Step("the address comes back", shell="ip address add <VIP>/32 dev lo", together=True),
    Step("the end", end=True)),
    blocks="track_file load {\nfile <DIR>/load\nweight 1\n}\n", prepare=say(load=0, one=0) + STATUS)

ALL = {scenario.name: scenario for scenario in (FAULTS, COLD, KINDS, WEIGHTS, RELOAD, SUSPEND)}
