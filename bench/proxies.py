"""Directors for short TCP connections, each between a client's host and the real servers' on a network of its own: Sluice
in NAT, nftables, HAProxy in TCP mode, nginx's stream module. Core 0 is the director's; the client, wrk, and the real
servers, one nginx that listens on their three addresses, share core 1.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from director import Build, Director, real_server, virtual_server
from netns import Lab, Process, until
from peers import DIRECTORS_CORE, OTHERS_CORE, Missing, first_in_line, weigh
from servers import Nginx

VIP = "10.82.0.100"
SERVERS = [f"10.83.0.{11 + number}" for number in range(3)]
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
CONNECTIONS = 64

class Proxy:
    name = ""

    def __init__(self, lab: Lab, letter: str) -> None:
        self.client, self.host, self.servers = (lab.host(f"{role}-{letter}") for role in ("client", "proxy", "servers"))
        lab.wire(self.client, "eth0", self.host, "front")
        lab.wire(self.servers, "eth0", self.host, "back")
        self.client.ip("address add 10.82.0.10/24 dev eth0")
        self.host.ip("address add 10.82.0.1/24 dev front", "address add 10.83.0.1/24 dev back",
                     f"address add {VIP}/32 dev front")
        self.servers.ip(*(f"address add {each}/24 dev eth0" for each in SERVERS), "route add default via 10.83.0.1")
        for host, interface, core in ((self.client, "eth0", OTHERS_CORE), (self.servers, "eth0", OTHERS_CORE),
                                      (self.host, "front", DIRECTORS_CORE), (self.host, "back", DIRECTORS_CORE)):
            host.run("sh", "-c", f"echo {1 << core} > /sys/class/net/{interface}/queues/rx-0/rps_cpus")
        for host in (self.client, self.host, self.servers):
            host.sysctl("net.ipv4.ip_local_port_range=1024 65000", "net.ipv4.tcp_tw_reuse=1", "net.core.somaxconn=65536",
                        "net.ipv4.tcp_max_syn_backlog=65536")
        self._nginx = Nginx(self.servers, "web", [80])
        self.process: Process | None = None

    def start(self) -> None:
        self._nginx.start()
        self._nginx.wait_ready()
        _keep(self._nginx.process.pid, OTHERS_CORE)
        self.start_director()
        until("a request is answered", lambda: self.requests(0.1) > 0, 10)

    def start_director(self) -> None:
        raise NotImplementedError

    def requests(self, seconds: float) -> float:
        """Answered each second, each over a connection of its own."""
        wrk = self.client.run("taskset", "-c", OTHERS_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(seconds, 1):g}s",
                              "-H", "Connection: close", f"http://{VIP}/").stdout
        return float(re.search(r"Requests/sec: +([\d.]+)", wrk).group(1))

    def stop(self) -> None:
        if self.process:
            self.process.stop()
        self._nginx.stop()

class SluiceProxy(Proxy):
    name = "Sluice NAT"

    def __init__(self, lab: Lab, letter: str, build: Build) -> None:
        super().__init__(lab, letter)
        service = virtual_server(VIP, 80, servers=[real_server(each, 80) for each in SERVERS])
        self._director = Director(self.host, build, f"dataplane {{\n interfaces front back\n cores {DIRECTORS_CORE}\n"
                                                    f" xdp_mode native_copy\n}}\n{service}", f"sluice-{letter}")

    def start_director(self) -> None:
        self._director.start(cores=str(DIRECTORS_CORE))

    def requests(self, seconds: float) -> float:
        first_in_line(self._director.director_pid())
        return super().requests(seconds)

    def stop(self) -> None:
        if self._director.process:
            self._director.stop()
        super().stop()

class NftablesProxy(Proxy):
    name = "nftables DNAT"

    def start_director(self) -> None:
        if not shutil.which("nft"):
            raise Missing("nft is not installed (package nftables)")
        self.host.sysctl("net.ipv4.ip_forward=1")
        choices = ", ".join(f"{number} : {address}" for number, address in enumerate(SERVERS))
        rules = self.host.lab.directory / "dnat-tcp.nft"
        rules.write_text(f"table ip balancer {{\nchain before {{\ntype nat hook prerouting priority dstnat\n"
                         f"ip daddr {VIP} tcp dport 80 dnat to numgen inc mod {len(SERVERS)} map {{ {choices} }}\n}}\n}}\n")
        self.host.run("nft", "-f", rules)

class HAProxy(Proxy):
    name = "HAProxy, TCP mode"

    def start_director(self) -> None:
        if not (program := shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")):
            raise Missing("haproxy is not installed")
        config = self.host.lab.directory / "haproxy.cfg"
        config.write_text("global\n nbthread 1\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n"
                          f" timeout server 30s\nlisten web\n bind {VIP}:80\n balance roundrobin\n"
                          + "".join(f" server web{number} {each}:80\n" for number, each in enumerate(SERVERS)))
        self.process = self.host.start("taskset", "-c", DIRECTORS_CORE, program, "-db", "-f", config, name="haproxy")
        _listens(self, ":80 ")
        first_in_line(self.process.pid)

class NginxStream(Proxy):
    name = "nginx stream"

    def start_director(self) -> None:
        if not shutil.which("nginx") or not STREAM_MODULE.exists():
            raise Missing("nginx's stream module is not installed (package libnginx-mod-stream)")
        config = self.host.lab.directory / "stream.conf"
        servers = " ".join(f"server {each}:80;" for each in SERVERS)
        config.write_text(f"load_module {STREAM_MODULE};\ndaemon off;\nworker_processes 1;\npid {config}.pid;\nuser root;\n"
                          f"error_log stderr warn;\nevents {{ worker_connections 8192; }}\nstream {{\n upstream web {{ {servers} }}\n"
                          f" server {{ listen {VIP}:80 backlog=4096; proxy_pass web; }}\n}}\n")
        self.process = self.host.start("taskset", "-c", DIRECTORS_CORE, "nginx", "-c", config, "-e", "stderr", name="stream")
        _listens(self, ":80 ")
        for pid in _family(self.process.pid):
            first_in_line(pid)

def _listens(proxy: Proxy, what: str) -> None:
    def ready() -> bool:
        if not proxy.process.running():
            raise Missing(f"{proxy.name} ended: {proxy.process.output().strip().splitlines()[-1]}")
        return what in proxy.host.run("ss", "-Hnlt").stdout

    until(f"{proxy.name} listens", ready)

def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]

def _keep(pid: int, core: int) -> None:
    weigh(pid, -20)
    for each in _family(pid):
        os.sched_setaffinity(each, {core})

__all__ = ["HAProxy", "Missing", "NftablesProxy", "NginxStream", "Proxy", "SluiceProxy", "Failed"]
