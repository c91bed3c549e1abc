"""Runs the test suites one after the other and adds up their cases: what scripts/test does once all is installed.

A suite is a function that prints its progress and returns an Outcome. Cases come from JUnit XML, which GoogleTest and
pytest write; a program that died before it could write counts as one failed case. Everything started here is waited
for, also after Ctrl-C or TERM, so that it can clean up behind itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "build" / "test-results"
JOBS = str(os.cpu_count() or 2)
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "10")
# g++ 12's ThreadSanitizer doesn't know an address space as random as today's kernels make it.
LESS_RANDOM = ("setarch", "-R")
# What a sanitizer's report needs, and no more: all that -O2 -g adds is compile time, more than half of it.
LIGHT = ("-Doptimization=1", "-Ddebug=false", "-Dcpp_args=-g1")

# Of tests/e2e/test_checkers.py: who would keep, drown or confuse who asks.
HOSTILE = "malicious or ends or chunks or regex or certificate or dns or forks"

TTY = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
BOLD, RED, GREEN, PLAIN = ("\033[1m", "\033[31m", "\033[32m", "\033[0m") if TTY else ("",) * 4


def say(text: str) -> None:
    print(f"{BOLD}==> {text}{PLAIN}", flush=True)


@dataclass
class Outcome:
    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failures)} failed{skipped}"


# --- children -----------------------------------------------------------------------------------------------------

class Stopped(Exception):
    pass


def run(*argv: str | Path, **environment: str) -> int:
    """Runs a program to its end, its output being ours. On a signal it is told, waited for, and Stopped is raised."""
    child = subprocess.Popen([str(argument) for argument in argv], stdin=subprocess.DEVNULL,
                             env={**os.environ, **environment})
    try:
        return child.wait()
    except Stopped:
        child.terminate()
        child.wait()
        raise


def stop_on_signals() -> None:
    def stop(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


# --- reading results ----------------------------------------------------------------------------------------------

def read_junit(file: Path) -> Outcome:
    outcome = Outcome()
    for case in xml.parse(file).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failures.append(f"{case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            outcome.skipped += 1
        else:
            outcome.passed += 1
    return outcome


def read_meson(log: Path, directory: Path) -> Outcome:
    """GoogleTest's XML for each test program, and meson's verdict where that says more (a crash, a leak, a time-out)."""
    total = Outcome()
    for line in log.read_text().splitlines():
        test = json.loads(line)
        program = Path([word for word in test["command"] if "/" in word][0]).name
        cases = Outcome()
        for file in directory.glob(f"{program}.xml"):
            cases.add(read_junit(file))
        verdict = test["result"]
        if verdict in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT") and not cases.failures:
            cases.failures.append(f"{test['name']} ({verdict.lower()}, status {test['returncode']})")
        elif not (cases.passed or cases.skipped or cases.failures):
            cases.add(Outcome(skipped=1) if verdict == "SKIP" else Outcome(passed=1))
        total.add(cases)
    return total


# --- builds -------------------------------------------------------------------------------------------------------

def configure(build: str, *options: str, **environment: str) -> bool:
    if (REPOSITORY / build / "build.ninja").exists():
        return True
    return run("meson", "setup", build, *options, **environment) == 0


def compile_targets(build: str, *targets: str) -> bool:
    return run("ninja", "-C", build, "-j", JOBS, *targets) == 0


def introspect(build: str, what: str) -> list[dict]:
    return json.loads(subprocess.run(["meson", "introspect", build, f"--{what}"], check=True, capture_output=True,
                                     text=True).stdout)


def programs_of(build: str, tests: list[dict]) -> list[str]:
    """Ninja's names of the executables that some of meson's tests run, or need."""
    root = REPOSITORY / build
    wanted = {target for test in tests for target in test["depends"]}
    files = {target["filename"][0] for target in introspect(build, "targets")
             if target["type"] == "executable" and target["id"] in wanted}
    return sorted(str(Path(file).relative_to(root)) for file in files)


def meson_suite(name: str, build: str, tests: list[dict], *options: str, under: tuple[str, ...] = ()) -> Outcome:
    """Runs some of meson's tests, built already. under: a command that runs the command after it."""
    directory = RESULTS / name
    directory.mkdir(parents=True)
    log = REPOSITORY / build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    names = sorted({test["name"] for test in tests})
    run(*under, "meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS, *options, *names,
        GTEST_OUTPUT=f"xml:{directory}/", GTEST_BRIEF="1")
    return read_meson(log, directory) if log.exists() else Outcome(failures=[f"{name}: meson test did not run"])


def pytest_suite(name: str, *arguments: str | Path, **environment: str) -> Outcome:
    directory = RESULTS / name
    directory.mkdir(parents=True)
    results = directory / "pytest.xml"
    status = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", f"--junit-xml={results}",
                 *arguments, PYTHONDONTWRITEBYTECODE="1", **environment)
    if not results.exists():
        return Outcome(failures=[f"{name}: pytest ended with status {status}"])
    return read_junit(results)


# --- the suites ---------------------------------------------------------------------------------------------------

class Suites:
    """names: what the user asked for; empty: everything."""

    def __init__(self, names: list[str]) -> None:
        self.all = {"unit": self.unit, "asan": self.asan, "tsan": self.tsan, "fuzz": self.fuzz,
                    "e2e": self.e2e}
        self.names = names

    def chosen(self) -> dict[str, Callable[[], Outcome]]:
        """The suites to run; SystemExit for a name that nothing has."""
        if not self.names:
            return self.all
        tests = {test["name"] for test in introspect("build", "tests")}
        files = {file.stem.removeprefix("test_") for file in (REPOSITORY / "tests/e2e").glob("test_*.py")}
        wanted = set()
        for name in self.names:
            if name in self.all:
                wanted.add(name)
            if name in tests:
                wanted |= {"unit", "asan"}
            if name in files:
                wanted.add("e2e")
            if name not in tests | files | set(self.all):
                raise SystemExit(f"nothing is called '{name}'. There are\n  suites: {' '.join(self.all)}\n"
                                 f"  unit tests: {' '.join(sorted(tests))}\n  e2e: {' '.join(sorted(files))}")
        return {name: run for name, run in self.all.items() if name in wanted}

    def _tests(self, suite: str, build: str) -> list[dict]:
        """Meson's tests that are meant: all, unless some are named without naming the suite. Under a sanitizer only
        those with a program of ours: scripts wouldn't behave differently."""
        tests = [test for test in introspect(build, "tests") if suite == "unit" or test["depends"]]
        if not self.names or suite in self.names:
            return tests
        return [test for test in tests if test["name"] in self.names]

    def unit(self) -> Outcome:
        return meson_suite("unit", "build", self._tests("unit", "build"))

    def asan(self) -> Outcome:
        build = "build-address"
        if not configure(build, *LIGHT, "-Dsanitize=address,undefined", "-Dbench=false"):
            return Outcome(failures=["asan: meson setup"])
        tests = self._tests("asan", build)
        if not compile_targets(build, *programs_of(build, tests)):
            return Outcome(failures=["asan: build"])
        outcome = meson_suite("asan", build, tests, "--timeout-multiplier", "5")
        if not self.names or "asan" in self.names:
            outcome.add(self._hostile_servers(build))
        return outcome

    @staticmethod
    def _hostile_servers(build: str) -> Outcome:
        """The daemon under sanitizers asks servers and scripts that misbehave. What a sanitizer says counts, also where
        the daemon was started again so fast that the test went on."""
        if not compile_targets(build, "control/daemon/sluiced", "control/api/sluicectl", "bpf/decap.bpf.o"):
            return Outcome(failures=["asan: build of the daemon"])
        reports = RESULTS / "asan-reports"
        reports.mkdir(parents=True)
        options = f"log_path={reports}/report"
        outcome = pytest_suite("asan-e2e", "-q", "--timeout", "240", "-k", HOSTILE, "tests/e2e/test_checkers.py",
                               SLUICE_BUILD=str(REPOSITORY / build), ASAN_OPTIONS=options,
                               UBSAN_OPTIONS=f"{options}:print_stacktrace=1")
        for report in sorted(reports.iterdir()):
            print(report.read_text(errors="replace"), flush=True)
            outcome.failures.append(f"asan-e2e: {report.name}")
        return outcome

    def tsan(self) -> Outcome:
        build = "build-thread"
        if not configure(build, *LIGHT, "-Dsanitize=thread", "-Dbench=false"):
            return Outcome(failures=["tsan: meson setup"])
        tests = [test for test in introspect(build, "tests") if any(s.endswith("threads") for s in test["suite"])]
        if not tests:
            return Outcome()
        if not compile_targets(build, *programs_of(build, tests)):
            return Outcome(failures=["tsan: build"])
        return meson_suite("tsan", build, tests, "--timeout-multiplier", "5", under=LESS_RANDOM)

    def fuzz(self) -> Outcome:
        listed = subprocess.run(["scripts/fuzz"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                check=False)
        if listed.returncode != 0:
            return Outcome(failures=["fuzz: build"])
        outcome = Outcome()
        for target in listed.stdout.split():
            say(f"fuzz {target}, {FUZZ_SECONDS} s")
            if run("scripts/fuzz", target, FUZZ_SECONDS) == 0:
                outcome.passed += 1
            else:
                outcome.failures.append(target)
        return outcome

    def e2e(self) -> Outcome:
        files = sorted((REPOSITORY / "tests/e2e").glob("test_*.py"))
        if self.names and "e2e" not in self.names:
            files = [file for file in files if file.stem.removeprefix("test_") in self.names]
        return pytest_suite("e2e", "-v", "--durations=5", *files)


def main() -> int:
    os.chdir(REPOSITORY)
    stop_on_signals()
    began = time.monotonic()
    say("build")
    if not (configure("build") and compile_targets("build")):
        print("the build failed\n\n0 passed, 1 failed")
        return 1

    shutil.rmtree(RESULTS, ignore_errors=True)
    total = Outcome()
    summaries = []
    for name, suite in Suites(sys.argv[1:]).chosen().items():
        say(name)
        since = time.monotonic()
        outcome = suite()
        total.add(outcome)
        summaries.append(f"  {name:6} {outcome} ({time.monotonic() - since:.0f} s)")
        print(summaries[-1], flush=True)

    print(f"\n{BOLD}all suites, {time.monotonic() - began:.0f} s{PLAIN}")
    print("\n".join(summaries))
    for failure in total.failures:
        print(f"  {RED}failed: {failure}{PLAIN}")
    print(f"\n{total}", flush=True)
    return 1 if total.failures or not total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped:
        print(f"\n{RED}stopped{PLAIN}", file=sys.stderr)
        sys.exit(130)
