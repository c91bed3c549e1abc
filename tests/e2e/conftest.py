"""Fixtures of the end-to-end tests. Each test has a network of its own (see topology.py), made in about a second."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from capture import Capture  # noqa: E402
from director import Build, Director  # noqa: E402
from netns import Lab, stop_on_signals  # noqa: E402
from routers import Router, Wire, make_router  # noqa: E402
from topology import Topology  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("the end-to-end tests make network namespaces: run them as root (sudo scripts/test e2e)")
    stop_on_signals()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """A failure shows the daemon's log and where it stands."""
    report = (yield).get_result()
    director = item.stash.get(_director, None)
    # At teardown the lab may be gone already, with all its files.
    if report.failed and director is not None and director.process is not None and director.config.exists():
        report.sections.append(("sluiced: configuration", director.config.read_text()))
        report.sections.append(("sluiced: log", director.log()[-20000:]))


_director = pytest.StashKey[Director]()


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()


@pytest.fixture
def lab():
    # Not pytest's tmp_path: root's is closed to nobody, as whom one test runs the daemon.
    directory = Path(tempfile.mkdtemp(prefix="sluice-e2e-"))
    directory.chmod(0o755)
    try:
        with Lab(directory) as lab:
            yield lab
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def net(request: pytest.FixtureRequest, lab: Lab, build: Build) -> Topology:
    """The network of topology.py with three servers that answer. Parametrize it for more queues on the director."""
    topology = Topology(lab, build.decapsulator, queues=getattr(request, "param", 1))
    topology.start_servers()
    return topology


@pytest.fixture
def sluiced(request: pytest.FixtureRequest, net: Topology, build: Build):
    """sluiced(config) starts the daemon on the director and waits until it answers."""
    started: list[Director] = []

    def start(config: str, wait: bool = True) -> Director:
        director = Director(net.director, build, config)
        started.append(director)
        request.node.stash[_director] = director
        return director.start() if wait else director

    yield start
    for director in started:
        director.check_end()


@pytest.fixture
def wire(lab: Lab) -> Wire:
    """The wire of routers.py: two routers and a client."""
    return Wire(lab)


@pytest.fixture
def prepare():
    """prepare(kind, host): what a router of that kind needs of its host. For tests to replace."""
    return lambda kind, host: None


@pytest.fixture
def router(wire: Wire, build: Build, prepare):
    """router(kind, host, config): not started. kind: sluice, keepalived or frr."""
    made: list[Router] = []

    def make(kind: str, host: str, config: str) -> Router:
        prepare(kind, wire.hosts[host])
        made.append(make_router(kind, wire.hosts[host], config, build))
        return made[-1]

    yield make
    for each in made:
        if each.running():
            each.stop()


@pytest.fixture
def capture(wire: Wire):
    """capture(host): what its eth0 sees from now on."""
    made = []

    def make(host: str = "client") -> Capture:
        made.append(Capture(wire.hosts[host]))
        return made[-1]

    yield make
    for each in made:
        each.close()
