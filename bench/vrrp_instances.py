#!/usr/bin/python3
"""What many virtual routers cost: 255 of them with 10 ms between advertisements, on a master and on its backup, while
another core is saturated by forwarding. Prints what each daemon's VRRP takes of a core, and what must be none:
transitions. Both hosts are this machine, and a veth pair is the wire: the master's system call that sends runs the
backup's kernel as well, as far as the backup's socket. So the mean of both is what one host has to do.

usage: sudo bench/vrrp_instances.py [--build DIR] [--seconds N] [--instances N] [--interval SECONDS]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from netns import Failed, Host, Lab, until  # noqa: E402
from routers import KEEPALIVED, Keepalived, Router, Sluice, instance  # noqa: E402

HERTZ = os.sysconf("SC_CLK_TCK")


def config(priority: int, instances: int, interval: float) -> str:
    return "".join(instance(f"VI_{vrid}", "version 3", f"advert_int {interval}", vrid=vrid, priority=priority,
                            vips=(f"10.99.1.{vrid}/32",)) for vrid in range(1, instances + 1))


def forwarding(core: int) -> str:
    """A service on another interface, whose worker never sleeps."""
    return (f"dataplane {{\n interfaces fwd\n cores {core}\n poll always\n}}\n"
            "virtual_server 10.97.0.100 7 {\n lb_algo rr\n lb_kind DR\n protocol UDP\n"
            " real_server 10.97.0.9 7 {\n }\n}\n")


FLOOD = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.97.0.100", 7))
end = time.monotonic() + %f
while time.monotonic() < end:
    for _ in range(64):
        try: s.send(b"x" * 64)
        except OSError: pass
"""


def spent(router: Router) -> float:
    """Seconds of a core's time that its VRRP has had."""
    total = 0
    for pid in router.host.processes_alive():
        for task in Path(f"/proc/{pid}/task").iterdir():
            if isinstance(router, Sluice) and (task / "comm").read_text().strip() != "vrrp":
                continue
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
    return total / HERTZ


def masters(router: Router) -> int:
    return router.host.show("address", "show", "dev", "eth0").count(" 10.99.1.")


def transitions(router: Router) -> int:
    if isinstance(router, Sluice):
        shown = json.loads(router.ctl("vrrp", "--json").stdout)["vrrp_instances"]
        return sum(each["counters"]["become_master"] + each["counters"]["release_master"] for each in shown)
    return router.log().count("Entering ")


def one(kind: str, build, options: argparse.Namespace) -> str:
    directory = Path(tempfile.mkdtemp(prefix="sluice-instances-"))
    try:
        with Lab(directory) as lab:
            master, backup, load = (lab.host(name) for name in ("alpha", "beta", "load"))
            lab.wire(master, "eth0", backup, "eth0")
            for host, address in ((master, "10.99.0.1/16"), (backup, "10.99.0.2/16")):
                host.ip(f"address add {address} dev eth0")
            lab.wire(load, "eth0", backup, "fwd")
            load.ip("address add 10.97.0.9/24 dev eth0", "route add 10.97.0.100/32 dev eth0")
            load.ip(f"neigh add 10.97.0.100 lladdr {backup.mac('fwd')} dev eth0")
            backup.ip("address add 10.97.0.1/24 dev fwd", "address add 10.97.0.100/32 dev lo")

            def router(host: Host, priority: int) -> Router:
                text = config(priority, options.instances, options.interval)
                if kind == "keepalived":
                    return Keepalived(host, "global_defs {\n router_id x\n}\n" + text)
                return Sluice(host, text + (forwarding(1) if host is backup else ""), build)

            alpha, beta = router(master, 150).start(), router(backup, 100).start()
            try:
                until("one has all addresses", lambda: masters(alpha) == options.instances and masters(beta) == 0, 60)
                time.sleep(2)
                flood = load.start("taskset", "-c", "1", "python3", "-c", FLOOD % (options.seconds + 2), name="flood")
                time.sleep(1)
                before = {each: (spent(each), transitions(each)) for each in (alpha, beta)}
                began = time.monotonic()
                time.sleep(options.seconds)
                took = time.monotonic() - began
                shares, moves = [], 0
                for each in (alpha, beta):
                    shares.append((spent(each) - before[each][0]) / took)
                    moves += transitions(each) - before[each][1]
                flood.stop()
                return f"| {kind} | {shares[0]:.1%} | {shares[1]:.1%} | {sum(shares) / 2:.1%} | {moves} |"
            finally:
                for each in (alpha, beta):
                    each.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default=str(REPOSITORY / "build"))
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--instances", type=int, default=255)
    arguments.add_argument("--interval", type=float, default=0.01)
    options = arguments.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    from director import Build
    build = Build()
    subprocess.run(["taskset", "-cp", "0", str(os.getpid())], check=True, stdout=subprocess.DEVNULL)
    print("| | master, of a core | backup, of a core | mean of both | transitions |\n|---|---|---|---|---|")
    for kind in ["sluice"] + (["keepalived"] if KEEPALIVED else []):
        try:
            print(one(kind, build, options), flush=True)
        except Failed as error:
            print(f"| {kind} | never settles: {str(error).splitlines()[0]} | | | |", flush=True)


if __name__ == "__main__":
    main()
