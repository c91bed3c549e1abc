"""sluiced and sluicectl as an operator meets them: checking a file, saying what is wrong, starting without an engine."""

import os
import re

import pytest

from client import get
from director import real_server, virtual_server
from netns import until
from topology import HTTP, VIP

GOOD = virtual_server(VIP, HTTP, servers=[real_server("10.0.2.11", HTTP)])

VRRP_ONLY = """\
global_defs {
    router_id lb1
}
vrrp_instance VI_1 {
    state BACKUP
    interface front
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.0.1.200/24
    }
}
"""


@pytest.fixture
def check(net, build, lab):
    """check(text) runs sluiced -t on a file; returns (exit status, what was printed, the file's path)."""
    def run(text: str):
        file = lab.directory / "checked.conf"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        done = net.director.run(build.sluiced, "-t", "-f", file, check=False)
        return done.returncode, done.stdout + done.stderr, str(file)
    return run


def start(net, build, *arguments, prefix=()):
    """Runs sluiced in the foreground until it ends by itself; it must, as something is wrong."""
    return net.director.run(*prefix, build.sluiced, "-n", "-l", "--socket", net.lab.directory / "other.sock", "-p",
                            net.lab.directory / "other.pid", *arguments, check=False, timeout=10)


def complaints(done) -> list[str]:
    """Lines that are more than a greeting."""
    return [line for line in (done.stdout + done.stderr).splitlines()
            if re.search(r"error|critical|can't|no such|permission|not ", line, re.IGNORECASE)]


def test_a_good_file_is_accepted_silently(check):
    assert check(GOOD)[:2] == (0, "")


def test_every_mistake_is_printed_with_its_place(check):
    text = ("global_defs {\n"
            "    router_idd lb1\n"
            "}\n"
            "virtual_server 10.0.1.100 80 {\n"
            "    lb_algo wlx\n"
            "    lb_kind NAT\n"
            "    protocol TCP\n"
            "    real_server 10.0.2.999 80 {\n"
            "        weight 1\n"
            "    }\n"
            "    real_server 10.0.2.11 80 {\n"
            "        weight many\n"
            "    }\n"
            "}\n")
    status, printed, file = check(text)
    assert status == 5
    for line, column in ((2, 5), (5, 13), (8, 17), (12, 16)):
        assert f"{file}:{line}:{column}: " in printed, printed


def test_what_is_known_but_not_built_yet_is_one_notice_with_its_place(check):
    """keepalived has nothing against such a file, and so the status is 0."""
    status, printed, file = check(GOOD.replace("lb_algo rr", "lb_algo rr\n    persistence_timeout 50"))
    assert status == 0
    notices = [line for line in printed.splitlines() if line.startswith(file)]
    assert len(notices) == 1 and notices[0].startswith(f"{file}:3:") and "persistence_timeout" in notices[0], printed


def test_dirty_files_start_all_the_same(net, sluiced):
    """Misspelled words, CRLF, comments that aren't ASCII, long passwords: the field is full of them."""
    net.prepare("NAT")
    text = ("! R\u00e9partiteur de charge, \u8d1f\u8f7d\u5747\u8861\r\n" + VRRP_ONLY.replace(
        "    priority 100\n", "    priority 100\n    authentication {\n auth_type PASS\n auth_pass muchtoolong1234\n }\n") +
        GOOD.replace("    real_server", "    delay_lop 6\n    real_server").replace(
            "    }\n", "        TCP_CHECK{\n            connect_timeout 3\n            nb_get_retry 3\n        }\n    }\n"))
    director = sluiced(text.replace("\n", "\r\n").replace("\r\r", "\r"))
    assert get(net.client, VIP, HTTP) == "web1"
    assert "delay_lop" in director.log() and "nb_get_retry" in director.log(), director.log()


def test_a_missing_file_is_one_clear_line(net, build):
    done = start(net, build, "-f", "/nowhere/keepalived.conf")
    assert done.returncode == 6
    assert any("/nowhere/keepalived.conf" in line for line in complaints(done)), done


def test_a_missing_interface_is_one_clear_line(net, build, lab):
    file = lab.directory / "keepalived.conf"
    file.write_text("dataplane {\n    interfaces nosuch0\n}\n" + GOOD)
    done = start(net, build, "-f", file)
    assert done.returncode not in (0, None)
    assert len([line for line in complaints(done) if "nosuch0" in line]) == 1, done.stdout + done.stderr


def test_no_permission_is_one_clear_line(net, build, lab):
    file = lab.directory / "keepalived.conf"
    file.write_text(GOOD)
    net.add_vip()
    # The build may lie where nobody may look.
    program = lab.directory / "sluiced"
    program.write_bytes(build.sluiced.read_bytes())
    program.chmod(0o755)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    own = lab.directory / "nobody"
    own.mkdir()
    os.chown(own, 65534, 65534)
    done = net.director.run(*nobody, program, "-n", "-l", "-f", file, "--socket", own / "sluiced.sock", "-p",
                            own / "sluiced.pid", check=False, timeout=10)
    assert done.returncode not in (0, None)
    assert any("permission" in line for line in complaints(done)), done.stdout + done.stderr
    assert len(complaints(done)) <= 2, done.stdout + done.stderr


def test_a_table_larger_than_memory_is_one_clear_line(net, build, lab):
    if b"__asan_init" in build.sluiced.read_bytes():
        pytest.skip("a sanitizer needs more address space than any limit leaves")
    file = lab.directory / "keepalived.conf"
    file.write_text("dataplane {\n    connections 268435456\n}\n" + GOOD)
    net.add_vip()
    # 16 GiB of records; the limit makes that too much on any machine.
    done = start(net, build, "-f", file, prefix=("prlimit", "--as=4294967296"))
    assert done.returncode not in (0, None)
    assert any("memory" in line for line in complaints(done)), done.stdout + done.stderr


def test_a_file_with_vrrp_only_starts_no_engine(net, sluiced):
    director = sluiced(VRRP_ONLY)
    names = [line.split("@")[0].split()[0] for line in net.director.show("-br", "link").splitlines()]
    assert sorted(names) == ["back", "front", "lo"]
    assert "xdp" not in net.director.show("-d", "link")
    assert af_xdp_sockets(net) == 0
    for pid in net.director.processes_alive():
        assert "huge" not in open(f"/proc/{pid}/maps").read()
    assert director.services() == []


def test_an_engine_needs_no_hugepages_but_has_its_sockets(net, sluiced):
    """What the test above does not find must be there to be found."""
    net.prepare("NAT")
    sluiced(GOOD)
    assert "sluice0" in net.director.show("-br", "link")
    assert "xdp" in net.director.show("-d", "link")
    assert af_xdp_sockets(net) > 0
    for pid in net.director.processes_alive():
        assert "hugepages" not in open(f"/proc/{pid}/maps").read()


def af_xdp_sockets(net) -> int:
    table = [line.split() for line in net.director.run("cat", "/proc/net/protocols").stdout.splitlines()]
    return next(int(row[2]) for row in table if row[0] == "XDP")


def test_a_second_daemon_is_refused_and_the_first_goes_on(net, build, sluiced):
    net.prepare("NAT")
    first = sluiced(GOOD)
    done = start(net, build, "-f", first.config)
    assert done.returncode not in (0, None)
    assert f"another sluiced (process {first.director_pid()})" in done.stderr, done.stdout + done.stderr
    assert get(net.client, VIP, HTTP) == "web1"
    assert first.services()


@pytest.mark.parametrize("what", ["services", "connections", "stats"])
def test_sluicectl_says_so_when_no_daemon_answers(net, build, what):
    done = net.director.run(build.sluicectl, "--socket", "/nowhere/sluiced.sock", what, check=False)
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    assert "/nowhere/sluiced.sock" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_sluicectl_survives_a_daemon_that_was_killed(net, sluiced):
    net.prepare("NAT")
    director = sluiced(GOOD)
    director.crash()
    until("its socket refuses", lambda: director.sluicectl("services", check=False).returncode != 0)
    sluiced(GOOD)
    assert get(net.client, VIP, HTTP) == "web1"
