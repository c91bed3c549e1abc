"""What scripts/demo shows, once all is built. The network, the servers and the daemon are those of the end-to-end
tests (tests/e2e); here is only the story and how it is told.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from client import Load  # noqa: E402
from director import Build, Director  # noqa: E402
from netns import Failed, Lab, stop_on_signals, until  # noqa: E402
from topology import HTTP, VIP, Topology  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR") or bool(os.environ.get("FORCE_COLOR"))
WIDTH = 92
CODE = re.compile(r"\033\[[\d;]*m")
REQUESTS = 300
BAR = 10  # characters for all of them

NETWORK = """\
              client
             10.0.1.10
                 │                                    front 10.0.1.0/24
      ───────────┴───────────┬──────────────────────────────┬──────────
                         director                        router
                     VIP 10.0.1.100:80           the way back for DR and TUN,
                          sluiced                   past the director
                             │                              │
      ────┬─────────────┬────┴────────┬─────────────────────┴──────────
          │             │             │               back 10.0.2.0/24
        web1          web2          web3
      10.0.2.11     10.0.2.12     10.0.2.13
"""

CONFIG = """\
global_defs {
    router_id demo
}

virtual_server 10.0.1.100 80 {
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    connect_timeout 1
    warmup 1

    real_server 10.0.2.11 80 {
        weight 1
        HTTP_GET {
            url {
                path /
                status_code 200
            }
            retry 1
            delay_before_retry 1
        }
    }
    real_server 10.0.2.12 80 {
        weight 1
        TCP_CHECK {
            retry 1
            delay_before_retry 1
        }
    }
    real_server 10.0.2.13 80 {
        weight 1
        TCP_CHECK {
            retry 1
            delay_before_retry 1
        }
    }
}
"""

VRRP = """\
vrrp_instance VI_1 {
    interface front
    virtual_router_id 51
    priority %s
    version 3
    advert_int 0.1
    virtual_ipaddress {
        10.0.1.100/32
    }
}

"""

MODES = {
    "NAT": "requests and replies pass the director, which rewrites addresses",
    "DR": "the director only sends the frame on; servers answer the client themselves",
    "TUN": "as DR, but wrapped in IP, so that servers may be anywhere",
}


def paint(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text: str) -> str:
    return paint("1", text)


def dim(text: str) -> str:
    return paint("2", text)


def heading(text: str, more: str = "") -> None:
    rule = "─" * max(3, WIDTH - len(text) - len(more) - (6 if more else 4))
    print(f"\n{dim('──')} {paint('1;36', text)}{f': {more}' if more else ''} {dim(rule)}\n", flush=True)


def step(what: str, result: str) -> None:
    print(f"  {what}{' ' * (15 - len(CODE.sub('', what)))}{result}", flush=True)


def shell(director: Director, *arguments: str) -> None:
    """A sluicectl command as one would type it, and what it prints."""
    print(f"\n  {bold('$ sluicectl ' + ' '.join(arguments))}")
    for line in director.sluicectl(*arguments).stdout.splitlines():
        print(f"  {line if len(line) <= WIDTH + 6 else line[:WIDTH + 5] + '…'}".rstrip())
    print(flush=True)


def ask(net: Topology, what: str) -> None:
    """Sends REQUESTS requests and says who answered."""
    result = Load(net.client, VIP, HTTP, requests=REQUESTS, concurrency=8).start().wait()
    bars = []
    for server in net.web:
        count = result.answered[server.name]
        length = round(count * BAR / REQUESTS)
        bars.append(f"{server.name} {paint('32', '█' * length)}{dim('·' * (BAR - length))} {count:3}")
    failed = sum(result.failed.values())
    step(what, "  ".join(bars) + "   " + (paint("31", f"{failed} failed") if failed else "0 failed"))
    if failed:
        raise SystemExit(f"requests failed: {result}")


def in_table(director: Director, address: str) -> bool:
    return address in director.weights()


def own_core() -> str:
    """A core for the director alone, as it would have on a machine of its own: the last; all else takes the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return ""
    os.sched_setaffinity(0, cores[:-1])
    return str(cores[-1])


def show_mode(net: Topology, build: Build, core: str, mode: str, about: str) -> dict:
    """One forwarding mode from start to stop; returns the daemon's last stats."""
    heading(mode, about)
    net.prepare(mode)
    director = Director(net.director, build, CONFIG.replace("lb_kind NAT", f"lb_kind {mode}")).start(cores=core)
    ask(net, f"{REQUESTS} requests")

    victim = net.web[1]
    since = time.monotonic()
    victim.nginx.kill()
    until("the stopped server is taken out", lambda: not in_table(director, victim.address), 15)
    step(paint("31", f"{victim.name} stopped"), f"taken out after {time.monotonic() - since:.1f} s")
    shell(director, "services")
    ask(net, f"{REQUESTS} requests")

    since = time.monotonic()
    victim.nginx.start()
    until("the started server is brought back", lambda: in_table(director, victim.address), 15)
    step(paint("32", f"{victim.name} started"), f"brought back after {time.monotonic() - since:.1f} s")
    ask(net, f"{REQUESTS} requests")

    stats = director.json("stats")
    director.stop()
    return stats


class Visitor:
    """A client that asks again as soon as it has its answer, and keeps the times of answers."""

    def __init__(self, host) -> None:
        self.answers: list[float] = []
        self._host = host
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends:
            with contextlib.suppress(OSError):
                with self._host.entered(), socket.socket() as connection:
                    connection.settimeout(0.1)
                    connection.connect((VIP, HTTP))
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                        self.answers.append(time.monotonic())
            time.sleep(0.002)

    def gap_after(self, since: float) -> float:
        """The longest time without an answer since then, in seconds."""
        times = [since, *(each for each in self.answers if each > since)]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def close(self) -> None:
        self._ends = True
        self._thread.join()


def show_failover(net: Topology, build: Build) -> None:
    """A second director; the first is killed while requests come."""
    heading("Fail-over", "a second director, VRRP between them; the master is killed in mid-load")
    net.director.ip(f"addr del {VIP}/32 dev front")
    second = net.lab.host("director2")
    net.join(second, "front", "front", "10.0.1.252/24", port="dir2-front")
    net.join(second, "back", "back", "10.0.2.252/24", port="dir2-back")
    config = CONFIG.replace("lb_kind NAT", "lb_kind TUN")  # the servers are as the mode before left them
    directors = [Director(host, build, VRRP % priority + config, name)
                 for host, priority, name in ((net.director, 150, "first"), (second, 100, "second"))]
    for director in directors:
        director.start()
    until("the first director has the address", lambda: VIP in directors[0].host.show("addr", "show", "dev", "front"), 10)
    shell(directors[0], "vrrp")
    visitor = Visitor(net.client)
    try:
        until("the client is answered", lambda: len(visitor.answers) > 200, 20)
        since = time.monotonic()
        directors[0].process.kill()
        until("the second director has the address", lambda: VIP in second.show("addr", "show", "dev", "front"), 10)
        until("the client is answered again", lambda: visitor.answers[-1] > since + 1, 20)
    finally:
        visitor.close()
    step(paint("31", "master killed"), f"the client waited {visitor.gap_after(since) * 1e3:.0f} ms; "
         "the protocol's own wait is up to 361 ms")
    shell(directors[1], "vrrp")
    ask(net, f"{REQUESTS} requests")
    directors[1].stop()


def show_engine(stats: dict[str, dict]) -> None:
    heading("The engine", "from sluicectl stats")
    print(bold("  mode    packets  dropped  connections  ns/packet: engine  with AF_XDP  driver"))
    for mode, numbers in stats.items():
        workers = numbers["workers"]
        packets = sum(worker["received"] for worker in workers)

        def mean(what: str) -> float:
            total = sum(worker["ns_per_packet"][what] * worker["received"] for worker in workers)
            return total / packets if packets else 0.0

        print(f"  {mode:<4} {packets:>10} {sum(worker['dropped'] for worker in workers):>8} "
              f"{sum(worker['new_flows'] for worker in workers):>12} {mean('engine'):>18.0f} {mean('total'):>12.0f}"
              f"  {workers[0]['ports'][0]['mode']}")
    print(dim("  Packets come a few at a time here, and each pays for waking up; scripts/bench measures full bursts."))


def main() -> int:
    stop_on_signals()
    build = Build()
    core = own_core()
    directory = Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    began = time.monotonic()
    print(bold("\nSluice: a keepalived.conf becomes a running load balancer, in user space."))
    heading("The network", "every host is a network namespace on this machine")
    print(NETWORK, end="", flush=True)
    try:
        with Lab(directory) as lab:
            net = Topology(lab, build.decapsulator)
            net.start_servers()
            heading("keepalived.conf", "for NAT; for DR and TUN only lb_kind changes")
            print("".join(f"  {line}\n" if line else "\n" for line in CONFIG.splitlines()), end="")
            stats = {mode: show_mode(net, build, core, mode, about) for mode, about in MODES.items()}
            show_failover(net, build)
            show_engine(stats)
    except KeyboardInterrupt:
        print("\nstopped; all that was made is removed", file=sys.stderr)
        return 130
    except Failed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"\nAll of it is removed again. {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
