"""Hosts as network namespaces, wires as veth pairs, and how to wait for things without sleeping.

Knows nothing of Sluice: topology.py says which hosts there are, director.py runs the daemon on one of them. Everything
made here carries the process's id in its name and is taken away by Lab.close(), which also runs after a failure and
ends only processes that live in these namespaces.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000

# The parent of every namespace's processes may run in a locale that changes messages we read.
_ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}


class Failed(AssertionError):
    """A command or a condition that had to hold did not. The text says what was seen."""


def until(what: str, condition: Callable[[], object], seconds: float = 10.0, every: float = 0.02) -> object:
    """Waits for condition() to be true, returns its value. After `seconds`, Failed with the last thing seen.

    An AssertionError or OSError of the condition counts as "not yet" and is shown if it stays.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen = condition()
            if seen:
                return seen
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            seen = error
        if time.monotonic() >= deadline:
            raise Failed(f"after {seconds:g} s still not so: {what} (last seen: {seen!r})")
        time.sleep(every)


class Process:
    """A program running on a host. Its output goes to a file, so that a full pipe never blocks it."""

    def __init__(self, argv: list[str], log: Path, **kwargs) -> None:
        self.argv = argv
        self.log = log
        with open(log, "ab") as output:
            self._popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                           env=_ENVIRONMENT, start_new_session=True, **kwargs)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def running(self) -> bool:
        return self._popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """To the program and to what it started: each has a session of its own."""
        if self.running():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its exit status. Failed if it is still there after that time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.argv} did not end within {seconds:g} s\n{self.output()}") from None

    def stop(self, seconds: float = 5.0) -> int:
        """TERM, and KILL after `seconds`. Returns the exit status; safe to call twice."""
        self.signal(signal.SIGTERM)
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._popen.returncode

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._popen.wait()


class Host:
    """A network namespace. Commands run in it as they would on a machine of their own."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        self.netns = f"{lab.prefix}-{name}"
        self.processes: list[Process] = []

    def create(self) -> None:
        _check(["ip", "netns", "add", self.netns])
        self.ip("link set lo up")
        # Reverse-path filters and forwarding come from the machine we run on; a host of ours starts plain.
        self.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.ip_forward=0",
                    "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")

    def command(self, *argv: str | Path) -> list[str]:
        return ["ip", "netns", "exec", self.netns, *map(str, argv)]

    def run(self, *argv: str | Path, timeout: float = 30.0, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs to the end. With check, a status other than 0 is Failed with what was printed."""
        return _check(self.command(*argv), timeout=timeout, check=check)

    def start(self, *argv: str | Path, name: str = "") -> Process:
        log = self.lab.directory / f"{self.name}-{name or Path(argv[0]).name}-{len(self.processes)}.log"
        process = Process(self.command(*argv), log)
        self.processes.append(process)
        return process

    def ip(self, *commands: str) -> str:
        """ip(8), one string for each command, as one batch: ip("link set eth0 up", "route add default via 10.0.0.1")."""
        return _check(["ip", "-n", self.netns, "-batch", "-"], input="\n".join(commands) + "\n").stdout

    def show(self, *arguments: str) -> str:
        """Output of one ip(8) command: show("-d", "link", "show", "eth0")."""
        return _check(["ip", "-n", self.netns, *arguments]).stdout

    def sysctl(self, *settings: str) -> None:
        self.run("sysctl", "-q", "-w", *settings)

    def no_offload(self, interface: str) -> None:
        """A veth leaves checksums and segments to hardware that isn't there; what AF_XDP sees must be finished."""
        self.run("ethtool", "-K", interface, "tx", "off", "gso", "off", "tso", "off")

    def mac(self, interface: str) -> str:
        return self.show("-br", "link", "show", interface).split()[2]

    def processes_alive(self) -> list[int]:
        """Every process that lives in this namespace."""
        return [int(pid) for pid in _check(["ip", "netns", "pids", self.netns]).stdout.split()]

    def counter(self, protocol: str, name: str) -> int:
        """From /proc/net/snmp, as counter("Tcp", "PassiveOpens")."""
        lines = [line.split() for line in self.run("cat", "/proc/net/snmp").stdout.splitlines()]
        names, values = [line for line in lines if line[0] == f"{protocol}:"]
        return int(values[names.index(name)])

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread's new sockets belong to the host while inside."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.netns}") as target:
            _setns(target.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def remove(self) -> None:
        for process in self.processes:
            if process.running():
                process.kill()
        # What these processes started may have left their session; nobody else lives in our namespace.
        listed = subprocess.run(["ip", "netns", "pids", self.netns], capture_output=True, text=True, check=False)
        for pid in listed.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", self.netns], check=False)


class Lab:
    """All hosts of one run. Use it as a context manager, or call close()."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.prefix = f"sluice-{os.getpid()}"
        self.hosts: list[Host] = []

    def host(self, name: str) -> Host:
        host = Host(self, name)
        self.hosts.append(host)  # before it exists, so that a failure half way leaves nothing behind
        host.create()
        return host

    def wire(self, a: Host, a_name: str, b: Host, b_name: str, queues: int = 1) -> None:
        """A veth pair between two hosts, up at both ends, with finished checksums."""
        count = f"numrxqueues {queues} numtxqueues {queues}"
        a.ip(f"link add {a_name} {count} type veth peer name {b_name} {count} netns {b.netns}", f"link set {a_name} up")
        b.ip(f"link set {b_name} up")
        a.no_offload(a_name)
        b.no_offload(b_name)

    def close(self) -> None:
        while self.hosts:
            self.hosts.pop().remove()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stop_on_signals() -> None:
    """TERM and a closed terminal end a run as Ctrl-C does: by KeyboardInterrupt, once, so that nothing disturbs the
    clean-up."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, stop)


def _check(argv: list[str], timeout: float = 30.0, check: bool = True,
           input: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(argv, input=input, stdin=None if input else subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout, env=_ENVIRONMENT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(argv)}: no end after {timeout:g} s\n{error.stdout or ''}{error.stderr or ''}") from None
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(argv)}: status {done.returncode}\n{input or ''}{done.stdout}{done.stderr}")
    return done


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if sys.version_info < (3, 11):
    raise SystemExit("needs the Python of Debian 12 or newer: /usr/bin/python3")
