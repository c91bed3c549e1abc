"""The supervisor: what it does when the director dies or hangs, how it starts and stops, what it tells systemd."""

import ctypes
import os
import re
import shutil
import signal
import socket
import stat
import time
from pathlib import Path

import pytest

from client import Load, get
from director import REPOSITORY, TCP_CHECK, Director, real_server, virtual_server
from netns import Failed, Process, until
from topology import HTTP, VIP

CONFIG = virtual_server(VIP, HTTP, "delay_loop 1", "warmup 0", servers=[
    real_server(f"10.0.2.{number}", HTTP, check=TCP_CHECK) for number in (11, 12, 13)])
BROKEN = "dataplane {\n    interfaces nosuch0\n}\n" + CONFIG


def served(net, seconds: float = 0.1) -> bool:
    try:
        return get(net.client, VIP, HTTP, seconds=seconds).startswith("web")
    except (OSError, Failed):
        return False


def alive(pid: int) -> bool:
    """Running, and no zombie that waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


def kill_director(director: Director, number: int) -> int:
    pid = director.director_pid()
    os.kill(pid, number)
    return pid


def wait_for_successor(director: Director, of: int, seconds: float = 10.0) -> int:
    def successor() -> int:
        pid = director.director_pid()
        return pid if pid != of and alive(pid) else 0
    return until("another director is started", successor, seconds, every=0.005)


class Frozen:
    """A process whose first thread stands still, by ptrace: no signal but KILL gets through to it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._gone = False

    def _ptrace(self, request: int) -> None:
        if self._libc.ptrace(request, self._pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self._ptrace(0x4206)  # PTRACE_SEIZE
        self._ptrace(0x4207)  # PTRACE_INTERRUPT
        os.waitpid(self._pid, WALL)
        return self

    def __exit__(self, *_):
        if not self._gone:
            os.kill(self._pid, signal.SIGKILL)
            self.wait_for_its_end(5)

    def wait_for_its_end(self, seconds: float, meanwhile=lambda: None) -> None:
        """Its end is told to us first, and to its parent when we have heard of it."""
        def ended() -> bool:
            meanwhile()
            pid, status = os.waitpid(self._pid, WALL | os.WNOHANG)
            return pid == self._pid and (os.WIFSIGNALED(status) or os.WIFEXITED(status))
        until("the frozen process has ended", ended, seconds)
        self._gone = True


WALL = 0x40000000  # __WALL: a thread that isn't our child


def shape(director: Director) -> list:
    """The services as configured, without counters."""
    return [(service["address"], service["port"], service["scheduler"],
             [(d["address"], d["port"], d["weight"], d["in_table"]) for d in service["destinations"]])
            for service in director.services()]


# --- the director dies ----------------------------------------------------------------------------------------------


def test_a_killed_director_is_back_by_itself_with_its_services(net, sluiced, record_property):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    before = shape(director)
    load = Load(net.client, VIP, HTTP, concurrency=8, seconds_each=3.0).start()
    until("the load flows", lambda: sum(load.result.answered.values()) > 200)

    killed = time.monotonic()
    pid = kill_director(director, signal.SIGKILL)
    until("a request is served again", lambda: served(net, 0.01), 5, every=0.001)
    outage = time.monotonic() - killed
    record_property("seconds from kill to the first served request", f"{outage:.3f}")
    print(f"kill to first served request: {outage * 1000:.0f} ms")
    load.stop()

    wait_for_successor(director, pid)
    until("sluicectl is answered", lambda: director.sluicectl("stats", check=False).returncode == 0)
    assert shape(director) == before
    after = Load(net.client, VIP, HTTP, requests=300, concurrency=8).start().wait()
    assert not after.failed, after
    assert set(after.answered) == {"web1", "web2", "web3"}
    log = director.log()
    assert f"pid {pid} exited due to signal 9 (Killed)" in log
    assert f"child process({pid}) died: Respawning" in log
    assert outage < 2.0


def test_a_director_that_hangs_is_ended_and_started_again(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    before = shape(director)
    pid = kill_director(director, signal.SIGSTOP)
    wait_for_successor(director, pid, 20)
    until("a request is served again", lambda: served(net), 5)
    until("sluicectl is answered", lambda: director.sluicectl("stats", check=False).returncode == 0)
    assert shape(director) == before
    log = director.log()
    assert re.search(rf"director process\({pid}\) has been silent for \d+ s: it hangs", log), log
    assert f"director crashed: SIGABRT, sent by process {director.process.pid}" in log, log
    assert 'in thread "sluiced"' in log, "of all threads the one that hung"
    assert "boost::asio" in log or "epoll_wait" in log, log
    assert "isn't read again until a reload" in log and "is accepted, but" not in log, log


def test_a_crash_leaves_a_backtrace_in_the_log(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    pid = kill_director(director, signal.SIGSEGV)
    wait_for_successor(director, pid)
    log = director.log()
    assert f"pid {pid} exited due to signal 11 (Segmentation fault)" in log
    assert "director crashed: SIGSEGV, sent by process" in log and "in thread" in log
    assert re.search(r"sluiced\(sluice::control::\S+.*\+0x[0-9a-f]+\)", log), log
    until("a request is served again", lambda: served(net), 5)


def test_starts_are_delayed_more_and_more(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    starts = [time.monotonic()]
    for _ in range(3):
        pid = kill_director(director, signal.SIGKILL)
        wait_for_successor(director, pid)
        starts.append(time.monotonic())
    assert starts[1] - starts[0] < 0.9
    assert 0.9 < starts[2] - starts[1] < 1.9
    assert 1.9 < starts[3] - starts[2] < 3.5
    assert "Restart of director process delayed 2 seconds to limit respawn rate" in director.log()


def test_without_respawn_the_daemon_ends_with_its_director(net, build, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG, wait=False)
    director.start(options=("-R",))
    director.may_end = True
    pid = kill_director(director, signal.SIGKILL)
    assert director.process.wait(5) == 1
    assert f"child process({pid}) died: Exiting" in director.log()


@pytest.mark.parametrize("text, status, name", [(BROKEN, 2, "CONFIG"), (CONFIG, 1, "FATAL")])
def test_permanent_errors_at_start_end_the_daemon(net, build, lab, text, status, name):
    if name == "FATAL":  # somebody else's program is on the interface
        net.director.ip(f"link set back xdpdrv obj {net.decapsulator} sec xdp")
    net.prepare("NAT")
    director = Director(net.director, build, text)
    done = net.director.run(*director.command("-n", "-l"), check=False, timeout=10)
    assert done.returncode == status, done.stderr
    assert re.search(rf"pid \d+ exited with permanent error {name}\. Terminating", done.stderr), done.stderr
    assert not director.pid_file.exists() and not director.director_pid_file.exists()


# --- start and stop -------------------------------------------------------------------------------------------------


def test_term_to_the_supervisor_takes_everything_with_it(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    pid = director.director_pid()
    assert int(director.pid_file.read_text()) == director.process.pid
    assert director.stop() == 0
    assert not alive(pid)
    assert "xdp" not in net.director.show("-d", "link")
    assert not director.pid_file.exists() and not director.director_pid_file.exists() and not director.socket.exists()
    with pytest.raises(ConnectionRefusedError):
        get(net.client, VIP, HTTP)


def test_a_director_that_does_not_stop_is_killed(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    director.may_end = True
    pid = director.director_pid()
    with Frozen(pid) as frozen:
        os.kill(director.process.pid, signal.SIGTERM)
        frozen.wait_for_its_end(9)
    director.process.wait(5)
    assert "did not stop within 5000 ms: killing it" in director.log()


def test_no_director_outlives_its_supervisor(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    director.may_end = True
    pid = director.director_pid()
    os.kill(director.process.pid, signal.SIGKILL)
    director.process.wait(5)
    until("the director has gone, too", lambda: not alive(pid), 5)
    assert "xdp" not in net.director.show("-d", "link"), "it had the time to clean up"
    again = sluiced(CONFIG)
    assert served(net, 1), "and nothing of it is in the way"
    assert again.director_pid() != pid


def test_with_dont_release_ipvs_clients_wait_for_the_next_start(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG, wait=False)
    director.start(options=("-I",))
    director.may_end = True
    os.kill(director.process.pid, signal.SIGTERM)
    assert director.process.wait(5) == 0
    assert "xdp" in net.director.show("-d", "link")
    with pytest.raises(TimeoutError):
        get(net.client, VIP, HTTP, seconds=0.5)
    sluiced(CONFIG)
    assert served(net, 1)


def test_a_second_daemon_is_refused_by_the_pid_file(net, build, sluiced):
    net.prepare("NAT")
    first = sluiced(CONFIG)
    done = net.director.run(*first.command("-n", "-l"), check=False, timeout=5)
    assert done.returncode == 1
    assert f"daemon is already running (process {first.process.pid})" in done.stderr
    assert served(net, 1) and int(first.pid_file.read_text()) == first.process.pid


def test_without_dont_fork_it_becomes_a_daemon(net, build):
    net.prepare("NAT")
    director = Director(net.director, build, CONFIG)
    log = director.directory / "sluiced.log"
    done = net.director.run(*director.command(f"-g{log}"), timeout=15)
    assert done.stdout == done.stderr == ""
    pid, director_pid = int(director.pid_file.read_text()), director.director_pid()
    try:
        assert served(net, 1), "it returns once it serves"
        assert children_of(pid) == [director_pid]
        for process in (pid, director_pid):
            assert os.readlink(f"/proc/{process}/cwd") == "/"
            for number in (0, 1, 2):
                assert os.readlink(f"/proc/{process}/fd/{number}") == "/dev/null"
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            assert int(fields[3]) != process, "it leads no session, and so gets no terminal"
            assert int(fields[4]) == 0, "it has none"
        assert f"sluiced[{pid}] info: Starting director process, pid={director_pid}" in log.read_text()
        assert f"sluiced[{director_pid}] info: Startup complete" in log.read_text()
    finally:
        os.kill(pid, signal.SIGTERM)
        until("it has gone", lambda: not alive(pid) and not alive(director_pid), 10)
    assert not director.pid_file.exists()


@pytest.mark.parametrize("text, status", [(BROKEN, 2), (None, 6)], ids=["no interface", "no file"])
def test_a_daemon_that_cannot_serve_says_so_by_its_exit_status(net, build, text, status):
    net.prepare("NAT")
    director = Director(net.director, build, text or "")
    if text is None:
        director.config.unlink()
    done = net.director.run(*director.command(), check=False, timeout=15)
    assert done.returncode == status, done.stderr
    assert not director.pid_file.exists()


def test_the_director_keeps_no_more_capabilities_than_it_needs(net, sluiced):
    net.prepare("NAT")
    director = sluiced(CONFIG)
    assert served(net, 1)
    sys_admin, sys_module, sys_ptrace, dac_override, net_admin = (1 << n for n in (21, 16, 19, 1, 12))
    threads = list(Path(f"/proc/{director.director_pid()}/task").iterdir())
    assert len(threads) >= 3
    for thread in threads:
        status = dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)
        held = int(status["CapEff"], 16) | int(status["CapPrm"], 16)
        assert held & (sys_admin | sys_module | sys_ptrace | dac_override) == 0, status["Name"]
        assert held & net_admin


def test_nothing_of_the_daemon_is_inherited_by_the_director(net, sluiced):
    director = sluiced(CONFIG, wait=False)
    net.prepare("NAT")
    director.start()
    names = {os.readlink(entry) for entry in Path(f"/proc/{director.director_pid()}/fd").iterdir()}
    assert not [name for name in names if name.endswith(".pid") or "pidfd" in name], names


# --- signals --------------------------------------------------------------------------------------------------------


def test_usr1_writes_what_monitoring_reads(net, sluiced, lab):
    net.prepare("NAT")
    data = lab.directory / "data"
    data.mkdir()
    director = sluiced(CONFIG, wait=False)
    director.start(environment={"TMPDIR": str(data)})
    net.web[1].nginx.kill()
    until("web2 is taken out", lambda: "10.0.2.12" not in director.weights())
    file = data / "keepalived_check.data"
    os.kill(director.process.pid, signal.SIGUSR1)
    until("both files are there", lambda: file.exists() and (data / "keepalived_parent.data").exists())
    text = file.read_text()
    lines = text.splitlines()
    assert f" VS VIP = {VIP}, VPORT = {HTTP}" in lines and "   VS alive = 1" in lines and "   quorum_state_up = 1" in lines
    second = lines.index("   RIP = 10.0.2.12, RPORT = 80, WEIGHT = 1")
    assert "     Alive = 0" in lines[second:second + 5]
    assert f" [{VIP}]:tcp:80 -> [10.0.2.12]:tcp:80" in lines
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"Director pid = {director.director_pid()}" in (data / "keepalived_parent.data").read_text()

    os.kill(director.process.pid, signal.SIGUSR2)
    os.kill(director.process.pid, signal.SIGRTMIN + 2)
    until("statistics are there", lambda: (data / "keepalived.stats").exists() and
          (data / "keepalived.json").read_text() == "[]\n")
    assert director.process.running()


@pytest.mark.parametrize("name, number", [("STOP", 15), ("RELOAD", 1), ("DATA", 10), ("STATS", 12), ("STATS_CLEAR", 63),
                                          ("JSON", 36)])
def test_signal_numbers_are_keepaliveds(net, build, name, number):
    assert net.director.run(build.sluiced, f"--signum={name}").stdout == f"{number}\n"


# --- systemd --------------------------------------------------------------------------------------------------------


class Notified:
    """systemd's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def heard(self, what: str) -> bool:
        try:
            while True:
                self.lines += self._socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return any(line.startswith(what) for line in self.lines)

    def states(self) -> list[str]:
        return [line for line in self.lines if line.split("=")[0] in ("READY", "RELOADING", "STOPPING")]


def test_systemd_hears_what_happens_in_order(net, sluiced, lab):
    net.prepare("NAT")
    systemd = Notified(lab.directory / "notify.sock")
    director = sluiced(CONFIG, wait=False)
    director.start(environment={"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "1000000"})
    until("it is ready", lambda: systemd.heard("READY=1"))
    assert served(net, 1), "ready means ready"
    assert f"MAINPID={director.process.pid}" in systemd.lines
    until("the status is told", lambda: systemd.heard("STATUS=1 virtual server, 3 of 3 real servers up"))
    net.web[0].nginx.kill()
    until("and its change", lambda: systemd.heard("STATUS=1 virtual server, 2 of 3 real servers up"))

    os.kill(director.process.pid, signal.SIGHUP)
    until("it reloads", lambda: systemd.heard("RELOADING=1"))
    until("and is ready again", lambda: systemd.heard("READY=1") and systemd.states()[-1] == "READY=1")
    assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in systemd.lines)

    systemd.lines.clear()
    time.sleep(2)
    systemd.heard("")
    assert 3 <= systemd.lines.count("WATCHDOG=1") <= 6, systemd.lines

    director.stop()
    until("it stops", lambda: systemd.heard("STOPPING=1"))
    assert systemd.states() == ["STOPPING=1"]


def test_systemds_watchdog_is_not_fed_while_the_director_hangs(net, sluiced, lab):
    net.prepare("NAT")
    systemd = Notified(lab.directory / "notify.sock")
    director = sluiced(CONFIG, wait=False)
    director.start(environment={"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "2000000"})
    pid = director.director_pid()
    with Frozen(pid) as frozen:
        began = time.monotonic()
        frozen.wait_for_its_end(20, lambda: systemd.heard(""))
        assert time.monotonic() - began > 14, "ABRT first, KILL later"
    fed = len([line for line in systemd.lines if line == "WATCHDOG=1"])
    assert 8 <= fed <= 12, "none in the last five seconds"
    wait_for_successor(director, pid, 10)
    until("a request is served again", lambda: served(net), 5)
    assert systemd.heard("STATUS=The director died")


UNIT = REPOSITORY / "scripts/systemd/sluiced.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_is_understood_by_systemd(net, build, lab):
    unit = lab.directory / "sluiced.service"
    unit.write_text(UNIT.read_text().replace("/usr/sbin/sluiced", str(build.sluiced)))
    done = net.director.run("systemd-analyze", "verify", unit, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_units_capabilities_are_enough(net, build, sluiced):
    """From the start over a crash, after which a dead director's XDP program must be known, to the stop."""
    capabilities = re.findall(r"CAP_(\w+)", " ".join(
        line for line in UNIT.read_text().splitlines() if line.startswith("CapabilityBoundingSet=")))
    assert len(capabilities) > 10
    net.prepare("NAT")
    director = sluiced(CONFIG, wait=False)
    bounding = "-all," + ",".join(f"+{name.lower()}" for name in capabilities)
    director.start(prefix=("setpriv", f"--bounding-set={bounding}"))
    pid = kill_director(director, signal.SIGKILL)
    wait_for_successor(director, pid)
    until("a request is served again", lambda: served(net), 5)
    assert director.stop() == 0
    assert "xdp" not in net.director.show("-d", "link")


# --- the rest of the command line -----------------------------------------------------------------------------------


def test_config_test_appends_to_its_file(net, build, lab):
    bad = lab.directory / "bad.conf"
    bad.write_text("virtual_server nonsense 80 {\n}\n")
    out = lab.directory / "out.log"
    for word in (f"-t{out}", f"--config-test={out}"):
        done = net.director.run(build.sluiced, word, "-f", bad, check=False)
        assert done.returncode == 5 and done.stdout == done.stderr == ""
    first, second = out.read_text()[:len(out.read_text()) // 2], out.read_text()[len(out.read_text()) // 2:]
    assert first == second and f"{bad}:1:" in first


def test_unknown_options_are_refused_and_useless_ones_said(net, build, sluiced):
    done = net.director.run(build.sluiced, "--nosuch", check=False)
    assert done.returncode == 1 and "--nosuch" in done.stderr
    done = net.director.run(build.sluiced, "-v", check=False)
    assert done.returncode == 0 and "Sluice v" in done.stderr and done.stdout == ""
    net.prepare("NAT")
    director = sluiced(CONFIG, wait=False)
    director.start(options=("--all", "--flush-log-file", "-B"))  # -B has one: no BFD
    assert len([line for line in director.log().splitlines() if "has no effect: " in line]) == 2
