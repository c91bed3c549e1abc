"""Track scripts that misbehave hurt nobody: the master goes on, its rhythm with it, and the log doesn't fill."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

import vrrp_frames as frames
from capture import is_advert
from netns import until
from routers import ADDRESS, instance

SCRIPTS = {
    # It doesn't end, and doesn't listen to TERM: killed two seconds after its time, with the child it waits for.
    "hangs": ("trap '' TERM\nsleep 600", "timed_out"),
    "floods its output": ("exec yes 'a line of it'", "timed_out"),
    "dies by a signal": ("kill -SEGV $$", "failed"),
    "can't be run": (None, "failed"),
}


def running(script: Path) -> int:
    """Processes whose command line names it."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            count += str(script).encode() in (process / "cmdline").read_bytes()
    return count


@pytest.mark.parametrize("how", SCRIPTS)
def test_a_script_that_misbehaves_counts_as_failed_and_no_more(wire, router, capture, how):
    body, word = SCRIPTS[how]
    script = wire.lab.directory / "check.sh"
    script.write_text(f"#!/bin/sh\n{body}\n" if body else "\x7fELF is what it is not\n")
    script.chmod(0o755)
    config = (f'global_defs {{\n script_user root\n}}\nvrrp_script chk {{\n script "{script}"\n interval 1\n timeout 1\n'
              " weight 20\n}\n"
              + instance("VI_1", "version 3", "advert_int 0.1", "track_script {\n chk\n }", priority=150))
    alpha = router("sluice", "alpha", config).start()
    alpha.wait_master()
    seen = capture()
    began = time.monotonic()
    until("it counts as failed", lambda: f"VRRP_Script(chk) {word}" in alpha.log(), 6)
    time.sleep(max(0.0, began + 4 - time.monotonic()))
    status = alpha.status()
    assert status["state"] == "MASTER" and status["effective_priority"] == 150
    assert status["counters"]["release_master"] == 0
    adverts = sum(is_advert(frame) and frame[26:30] == frames.packed(ADDRESS["alpha"]) for frame in seen.frames())
    assert adverts >= (time.monotonic() - began) * 10 - 5
    # One of it at a time, and nothing of its output kept.
    assert running(script) <= 1
    assert len(alpha.log()) < 20000
    alpha.stop()
    until("nothing of it is left", lambda: not alpha.host.processes_alive())
