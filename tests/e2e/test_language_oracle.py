"""Sluice's reading of the language beside keepalived's own: every line of control/config/testdata/keywords, every file
of the corpus, and the samples that Debian ships, given to `keepalived -t` and `sluiced -t`. Same file, same verdict;
where not, the row or the list here says why.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from director import REPOSITORY
from netns import Failed

TESTDATA = REPOSITORY / "control/config/testdata"
SAMPLES = Path("/usr/share/doc/keepalived/samples")

# Verdicts that differ on purpose, by file: ours, keepalived's, and why.
DIFFERENT_FILES: dict[str, tuple[int, int, str]] = {
    "sluice-dataplane.conf": (0, 5, "the dataplane block is Sluice's own"),
}

# Runs both on the files it is given; statuses end up beside the files. A shell for many files: their processes are
# what takes the time.
BOTH = """
sluiced=$1; shift
for file; do
    timeout 20 keepalived -t -f "$file" > "$file.keepalived" 2>&1 < /dev/null; echo $? > "$file.keepalived.status"
    timeout 20 "$sluiced" -t -f "$file" > "$file.sluiced" 2>&1 < /dev/null; echo $? > "$file.sluiced.status"
done
"""
ALL = """
cd "$1" && printf '%s\\0' *.conf | xargs -0 -n 100 -P "$(nproc)" sh -c "$2" both "$3"
"""
# Two processes for each of more than two thousand files.
pytestmark = pytest.mark.timeout(400)


@dataclass
class Verdict:
    ours: int
    theirs: int
    text: str


@pytest.fixture
def judge(lab, build):
    """judge(directory): both verdicts on every file of it, in a network with the interfaces that the files name."""
    if shutil.which("keepalived") is None:
        pytest.skip("keepalived is not installed, there is nothing to compare with")
    host = lab.host("oracle")
    host.ip("link add eth0 type veth peer name eth1", "link set eth0 up", "link set eth1 up",
            "link add eth2 type veth peer name eth3", "link set eth2 up", "link set eth3 up",
            "addr add 192.0.2.250/24 dev eth0", "addr add 198.51.100.250/24 dev eth1")

    def run(directory: Path) -> dict[str, Verdict]:
        host.run("sh", "-c", ALL, "all", directory, BOTH, build.sluiced, timeout=400)
        verdicts = {}
        for file in sorted(directory.glob("*.conf")):
            def output(program: str, what: str = "") -> str:
                return Path(f"{file}.{program}{what}").read_text(errors="replace")
            verdicts[file.name] = Verdict(
                int(output("sluiced", ".status")), int(output("keepalived", ".status")),
                f"keepalived:\n{output('keepalived')}\nsluiced:\n{output('sluiced')}")
        return verdicts

    return run


def templates() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((TESTDATA / "keywords").glob("*.templates")):
        for part in re.split(r"^== ", file.read_text(), flags=re.MULTILINE)[1:]:
            name, _, text = part.partition("\n")
            found[name.strip()] = text
    return found


@dataclass
class KeywordRow:
    name: str  # of the file that it becomes
    path: str
    text: str
    difference: str  # why keepalived's verdict is another one; empty: it is the same


def keyword_rows() -> list[KeywordRow]:
    rows = []
    for file in sorted((TESTDATA / "keywords").glob("*.txt")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            line, _, difference = line.partition(" !oracle")
            path, _, rest = line.partition("|")
            text, _, _ = rest.rpartition(" | ")
            rows.append(KeywordRow(f"{file.stem}-{number:04}.conf", path.strip(), text.strip(), difference.strip()))
    return rows


def test_every_keyword_gets_keepalived_s_verdict(judge, lab):
    forms = templates()
    directory = lab.directory / "rows"
    directory.mkdir()
    rows = {row.name: row for row in keyword_rows()}
    compared = [row for row in rows.values() if not row.difference]
    for row in compared:
        (directory / row.name).write_text(forms[row.path].replace("@@", row.text))
    verdicts = judge(directory)
    different = [f"{name}: {rows[name].path} | {rows[name].text}: "
                 f"sluiced -t {verdict.ours}, keepalived -t {verdict.theirs}\n{verdict.text}"
                 for name, verdict in verdicts.items() if verdict.ours != verdict.theirs]
    print(f"{len(compared)} lines compared, {len(rows) - len(compared)} listed as different")
    if different:
        raise Failed(f"{len(different)} of {len(compared)} verdicts differ\n" + "\n".join(different[:40]))


def compare_files(judge, directory: Path) -> None:
    verdicts = judge(directory)
    assert verdicts
    different = []
    for name, verdict in verdicts.items():
        expected = DIFFERENT_FILES.get(name, (verdict.theirs, verdict.theirs, ""))[:2]
        if (verdict.ours, verdict.theirs) != expected:
            different.append(f"{name}: sluiced -t {verdict.ours}, keepalived -t {verdict.theirs}\n{verdict.text}")
    if different:
        raise Failed(f"{len(different)} of {len(verdicts)} verdicts differ\n" + "\n".join(different))


def test_the_corpus_gets_keepalived_s_verdict(judge, lab):
    directory = lab.directory / "corpus"
    shutil.copytree(TESTDATA, directory, ignore=shutil.ignore_patterns("keywords"))
    compare_files(judge, directory)


def test_debian_s_samples_load(judge, lab):
    """Files that users start from. They include each other by absolute names nowhere, so a copy does."""
    if not SAMPLES.is_dir():
        pytest.skip(f"{SAMPLES} is not there: this Debian leaves documentation out")
    directory = lab.directory / "samples"
    directory.mkdir()
    for sample in SAMPLES.glob("keepalived.conf.*"):
        shutil.copyfile(sample, directory / f"{sample.name}.conf")
    compare_files(judge, directory)
