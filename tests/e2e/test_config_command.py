"""sluicectl config: what is printed means the same."""

from __future__ import annotations

import json

from director import real_server, virtual_server
from routers import instance
from topology import VIP


def config_of(net) -> str:
    servers = [real_server("10.0.2.11", 80, "weight 2"), real_server("10.0.2.12", 80)]
    return ("global_defs {\n router_id here\n}\n$PRIORITY=120\n"
            + instance("VI_1", "version 3", "advert_int 0.5", priority=90, vips=("10.0.1.200/24",), interface="front")
            .replace("priority 90", "priority $PRIORITY")
            + virtual_server(VIP, 80, servers=servers))


def test_what_runs_is_printed_whole_and_means_the_same(net, sluiced):
    director = sluiced(config_of(net))
    printed = director.sluicectl("config").stdout
    for line in ("router_id here", "priority 120", "advert_int 0.5", "garp_master_delay 5", "weight 2", "delay_loop"):
        assert line in printed, printed
    again = director.directory / "printed.conf"
    again.write_text(printed)
    assert director.sluicectl("config", str(again)).stdout == printed
    assert director.sluicectl("diff", str(again)).stdout.strip() == "no changes"
    model = json.loads(director.sluicectl("config", "--json").stdout)
    assert model["vrrp_instance"][0]["priority"] == 120
    assert model == json.loads(director.sluicectl("config", str(again), "--json").stdout)


def test_a_file_s_mistakes_are_shown_beside_what_it_means(net, sluiced):
    director = sluiced(config_of(net))
    file = director.directory / "wrong.conf"
    file.write_text("virtual_server 10.0.0.1 80 {\n delay_lop 3\n real_server 10.0.1.1 80 {\n }\n}\n")
    done = director.sluicectl("config", str(file))
    assert "did you mean 'delay_loop'" in done.stderr and "^~~" in done.stderr
    assert "virtual_server 10.0.0.1 80" in done.stdout
    missing = director.sluicectl("config", "/no/such/file", check=False)
    assert missing.returncode == 1 and "/no/such/file" in missing.stderr
