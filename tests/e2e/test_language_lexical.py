"""How a line becomes words: quotes, braces, comments, conditions, definitions, generators, includes, given to
`keepalived -t` and `sluiced -t`. Nearly all keywords here are unknown to both, so that each names the words it found;
the exit status and those words must be the same. Where they aren't, the row says how they differ, and why.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Row:
    name: str
    text: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Difference:
    """What sluiced and keepalived make of a row: the exit status and the words, unknown to them, that start lines."""
    ours: tuple[int, list[str]]
    theirs: tuple[int, list[str]]
    why: str


DEFINITION = "$A= \\\n  x1 \\\n  x2\n"
CHECKED = "global_defs {\n include_check %s\n}\n"

ROWS = [
    # Words
    Row("words", "a b\tc\nd\n"),
    Row("no final newline", "a b\nc"),
    Row("CRLF", "global_defs {\r\n router_id x\r\n}\r\nb\r\n"),
    Row("other blanks", "a\fb\vc d\n"),
    Row("longest line", "a" * 1022 + "\nb\n"),
    Row("longer line", "a" * 1500 + "\nb\n"),
    Row("NUL", "a\0b\nc\n"),
    Row("byte order mark", "\xef\xbb\xbfa\nb\n"),
    Row("other bytes", "a \xc3\xa4 b\n"),
    Row("backslash at the end", "a \\\nb\n"),
    # Braces
    Row("brace on the same line", "global_defs { router_id x }\nb\n"),
    Row("brace on the next line", "global_defs\n{\nrouter_id x\n}\nb\n"),
    Row("brace after blank lines", "global_defs\n\n# c\n{\nrouter_id x\n}\nb\n"),
    Row("word after a brace", "global_defs { router_id x } b\n"),
    Row("list in braces", "global_defs {\nnotification_email { a@b c@d }\nrouter_id x\n}\nb\n"),
    Row("list over lines", "global_defs {\nnotification_email { a@b\n c@d }\nrouter_id x\n}\nb\n"),
    Row("double braces", "global_defs {{ router_id x }}\nb\n"),
    Row("brace missing", "global_defs {\nrouter_id x\n"),
    Row("opening brace missing", "global_defs\nrouter_id x\n}\nb\n"),
    Row("stray braces", "{\n}\nb\n"),
    Row("extra closing brace", "global_defs {\nrouter_id x } }\nb\n"),
    Row("words before the brace", "global_defs x y {\nrouter_id x\n}\nb\n"),
    Row("brace after a backslash", "global_defs \\{\nrouter_id x\n}\nb\n"),
    Row("unknown block", "foo {\nbar {\nx\n}\n}\nglobal_defs {\nrouter_id x\n}\nb\n"),
    Row("unknown block in a block", "global_defs {\nfoo {\nbar\n}\nrouter_id x\n}\nb\n"),
    # Comments and quotes
    Row("comments", "a # b\n! c\nglobal_defs { # {\nrouter_id x#y\n} ! }\nd\n"),
    Row("single quotes protect nothing", "global_defs {\nrouter_id 'x # y'\n}\nb\n"),
    Row("escaped comment sign", "a\\#b\n"),
    Row("quotes", "\"a b\" c\n\"\" d\ne\"f g\"h\n"),
    Row("quotes around braces", "\"a {\" b\nglobal_defs { router_id \"{\" }\nc\n"),
    Row("quotes around comment signs", "\"a # b ! c\"\n"),
    Row("quote not closed", "a\"b c\nd\n"),
    Row("backslash in quotes", "a \"b\\\"c\"\n"),
    # Conditions
    Row("conditions", "@me a\n@you b\n@^me c\n@^you d\n@ e\n@^ f\n@\n"),
    Row("second condition", "@me @me a\n"),
    Row("condition before a brace", "@me{ a }\n@me global_defs { router_id x }\nb\n"),
    Row("condition in mid-line", "a @you b\n \t@you c\n\"@you\" d\n"),
    Row("condition from a definition", "$A=@you\n$A a\n${A} b\n"),
    Row("condition on a definition", "@me $A=1\n@you $A=2\na$A\n"),
    # Definitions
    Row("definition", "$A=1 2\na$A b\na${A}b\n"),
    Row("definition, other names", "$A=1\na$AB\na$A.b\na$A,$A)$A\na$A$A\na$$\n"),
    Row("definition that is none", "$A =1\n$1A=1\n$=1\na $A=1\nb$A\n"),
    Row("definition with a comment", "$A=1 # c\na$A b\n"),
    Row("definition in quotes", "$A=1\n\"a$A b\"\n\"a${A}\"\n"),
    Row("definition of a definition", "$A=$B\n$B=1\na$A\n"),
    Row("definition of braces", "$A={ router_id x }\nglobal_defs $A\nb\n"),
    Row("definition of an opening brace", "$A=global_defs {\n$A\nrouter_id x\n}\nb\n"),
    Row("definition of ours", "$_PWD=1\na${_PWD}\n$_A=2\nb$_A\n"),
    Row("undefined name", "a$A\n"),
    Row("lines", DEFINITION + "$A\ny\n"),
    Row("lines after a word", DEFINITION + "y${A}\n"),
    Row("lines with a word first", "$A= q \\\nx1\n$A\n"),
    Row("lines with comments", "$A= \\\nx1 # c \\\n# d \\\nx2\ny\n$A\n"),
    Row("lines with conditions", "$A= \\\nx1 \\\n@you x2 \\\n@me x3\n$A\n"),
    Row("lines with lines", "$B= \\\ny1 \\\ny2\n$A= \\\nx1 \\\n$B \\\nx2\n$A\n"),
    Row("lines with a definition", "$A= \\\nx1 \\\n$B=5 \\\nx$B\n$A\n"),
    Row("lines with a block", "$A= \\\nglobal_defs { \\\nrouter_id x \\\n}\n$A\nb\n"),
    Row("lines in mid-line", DEFINITION + "y $A z\n"),
    Row("random number", "a${_RANDOM 5 5}\na${_RANDOM 4294967295 4294967295}\n"),
    Row("two random numbers", "a${_RANDOM 5 5}${_RANDOM 6 6}\n"),
    Row("environment", "a${_ENV PATH_THAT_NOBODY_SETS}b\n"),
    Row("literal comment sign", "a${_HASH}b\n"),
    Row("instance", "a${_INSTANCE}b\na$_INSTANCE\n"),
    # Generators
    Row("sequences", "~SEQ(i,2) a$i b\n~SEQ(i,-2) b$i\n~SEQ(i,2,1) c$i\n~SEQ(i,0,5,12)d${i}\n~SEQ(i,0) e$i\n"),
    Row("sequences of other bases", "~SEQ(i,0x0a,0x0b) a$i\n~SEQ(i,07,010) b$i\n~SEQx(i,0xfe,0x100) c$i\n"),
    Row("blanks in sequences", "  ~SEQ (i , 1,\t2 )a$i\n~ SEQ(i,1,2)\n"),
    Row("nothing in sequences", "~SEQ(i,,1) a$i\n~SEQ(i,) b$i\n~SEQ(i,1,2)\n"),
    Row("wrong sequences", "".join(f"~SEQ{what} x\n" for what in
                                   ("(i)", "()", "(i,a)", "(i,1,2,3,4)", "(i,1,-1,3)", "(i,1,0,3)", "(i,5,10,3)",
                                    "(i,1,,3)", "(i,0x,2)", "(i,3x)", "(,1,2)", "X(i,1,2)", "x(i,-1,2)", "")) + "y\n"),
    Row("sequences in sequences", "~SEQ(i,1,2) ~SEQ(j,3,4) a${i}x$j\n~SEQ(i,1,2)~SEQ(j,$i,2) b${i}x$j\n"),
    Row("sequence with a defined bound", "$N=2\n~SEQ(i,1,$N) a$i\n~SEQ(i,1,${N}) b$i\n"),
    Row("sequence with a condition", "@me ~SEQ(i,1,2) a$i\n@you ~SEQ(i,1,2) b$i\n~SEQ(i,1,2) @you c$i\n"),
    Row("sequence from a definition", "$G=~SEQ(i,1,2)\n$G a$i\n$G b$i\nc$i\n"),
    Row("sequence of definitions", "~SEQ(i,1,2) $X=v$i\na $X\nb$X\n"),
    Row("sequence of blocks", "~SEQ(i,1,2) global_defs { router_id $i }\nb\n"),
    Row("sequence of includes", "~SEQ(i,1,2) include f$i\n", {"f1": "one\n", "f2": "two\n"}),
    Row("lists", "~LST(v,x,y) a$v\n~LST({a,b},{1,2},{3,4}) b${a}_$b\n~LST( v , x , y )c$v\n~LST(v,) d$v\n"),
    Row("lists with gaps", "~LST({a,b},{1,2},{3},{,5},6) a${a}_${b}_\n~LST(v,x,,y,) b${v}_\n"),
    Row("wrong lists", "".join(f"~LST{what} x\n" for what in
                               ("(v)", "()", "({a,b})", "({a,b},{1,2},{3,4)", "({a,b},{1,2,3})", "(a,{1,2})",
                                "(v,a b)", "({a b},{1})", "({a},{1}{2})", "x(v,a)", "(v,${L})", "")) + "y\n"),
    Row("lists and sequences", "~LST(v,x,y) ~SEQ(i,1,2) a${v}$i\n~SEQ(i,1,2)~LST(v,x,y)b${i}$v\n"),
    Row("other tildes", "~FOO(i,1,2) a\nb ~SEQ(i,1,2) c\n"),
    # Includes
    Row("include", "include f\nb\n", {"f": "one\n"}),
    Row("include in order", "include *.x\ninclude {c,a}.x\n", {"a.x": "one\n", "b.x": "two\n", "c.x": "three\n"}),
    Row("include in a block", "global_defs {\ninclude f\n}\nb\n", {"f": "router_id x\nfoo\n"}),
    Row("include from a folder", "include d/f\n", {"d/f": "one\ninclude g\n", "d/g": "two\n", "g": "three\n"}),
    Row("include a folder", "include d\nb\n", {"d/f": "one\n"}),
    Row("include nothing", "include none\ninclude none*\ninclude {none,f}\nb\n", {"f": "one\n"}),
    Row("include without a name", "include\nb\n"),
    Row("include of two words", "include f g\nb\n", {"f": "one\n", "g": "two\n", "f g": "three\n"}),
    Row("include in quotes", "include \"f g\"\nb\n", {"f g": "three\n"}),
    Row("include and a brace", "global_defs { include f }\n", {"f": "router_id x\n"}),
    Row("include of a replaced name", "$F=f\ninclude ${F}.x\n", {"f.x": "one\n"}),
    Row("another keyword", "includefoo x\n"),
    Row("checked includes that are there", "includer f\nincludem f\nincludew f*\nincludeb {f,f}\nincludea f\n",
        {"f": "! nothing\n"}),
    Row("includer of nothing", "includer none\nincludem none*\nincludeb none\n"),
    Row("includer of a folder", "includer d\n", {"d/f": "! nothing\n"}),
    Row("includem of nothing", "includem none\n"),
    Row("includew of nothing", "includew none*\n"),
    Row("includeb of one of two", "includeb {f,none}\n", {"f": "! nothing\n"}),
    Row("include_check", CHECKED % "" + "include none\n"),
    Row("include_check match", CHECKED % "match" + "include none\n"),
    Row("include_check without match", CHECKED % "wildcard_match" + "include none\n"),
    Row("include_check taken back", CHECKED % "\n include_check -match" + "include none\n"),
    Row("include_check of a file", "include f\ninclude none\n", {"f": CHECKED % "match"}),
    Row("include_check for a file", CHECKED % "match" + "include f\n", {"f": "include none\n"}),
    Row("include_check comes too late", "include none\n" + CHECKED % "match"),
    Row("include_check of two words", CHECKED % "match brace_match" + "include {f,none}\n", {"f": "! nothing\n"}),
    Row("include_check readable", CHECKED % "readable" + "include d\n", {"d/f": "one\n"}),
    Row("include_check of something else", CHECKED % "foo" + "include none\n"),
]

MISSING = "2.2.7 answers 6, the status of a security warning; here it is 4, as for a main file that is missing"
SKIPPED = "an unknown block is skipped whole; 2.2.7 reads what it encloses as if it stood around it"

DIFFERENT = {
    "longest line": Difference((5, ["a" * 80 + "...", "b"]), (5, ["a" * 1022, "b"]), "our message cuts the word"),
    "longer line": Difference((5, ["b"]), (5, ["a" * 1023, "a" * 477, "b"]),
                              "the line is left out; 2.2.7 reads it as several"),
    "NUL": Difference((5, ["c"]), (5, ["a", "c"]), "the line is left out; 2.2.7 reads it up to the NUL after all"),
    "byte order mark": Difference((5, ["a", "b"]), (5, ["\xef\xbb\xbfa", "b"]), "the mark is skipped, with a warning"),
    "backslash at the end": Difference((5, ["a", "b"]), (5, ["a\\", "b"]), "a word of its own, as written"),
    "opening brace missing": Difference((5, ["b"]), (5, ["b", "router_id"]), "some of keepalived's processes see none"),
    "unknown block": Difference((5, ["foo", "b"]), (5, ["foo", "bar", "x", "b"]), SKIPPED),
    "unknown block in a block": Difference((5, ["foo", "b"]), (5, ["foo", "bar", "router_id", "b"]), SKIPPED),
    "escaped comment sign": Difference((5, ["a#b"]), (5, ["a#b", "a"]),
                                       "2.2.7's processes take away the escape one after the other"),
    "literal comment sign": Difference((5, ["a#b"]), (5, ["a"]), "as above"),
    "lines in mid-line": Difference((5, []), (5, ["y"]), "the line is left out; 2.2.7 leaves the name in it"),
    "two random numbers": Difference((5, ["a56"]), None, "2.2.7 loses its place, and takes a number of its own"),
    "environment": Difference((5, ["ab"]), (5, ["a$", "_ENV", "b"]), "later versions of keepalived know it"),
    "include without a name": Difference((5, ["b"]), (5, ["include", "b"]), "said in other words"),
    "include in quotes": Difference((5, ["b", "three"]), (5, ["b"]), "quotes are taken off; 2.2.7 looks for them"),
    "include and a brace": Difference((0, []), (5, []), "the brace ends the name; 2.2.7 looks for 'f }'"),
    "includer of a folder": Difference((4, []), (6, []), MISSING),
    "includem of nothing": Difference((4, []), (6, []), MISSING),
    "includew of nothing": Difference((4, []), (6, []), MISSING),
    "includeb of one of two": Difference((4, []), (6, []), MISSING),
    "include_check": Difference((4, []), (6, []), MISSING),
    "include_check match": Difference((4, []), (6, []), MISSING),
    "include_check for a file": Difference((4, []), (6, []), MISSING),
    "include_check of two words": Difference((4, []), (5, []), "2.2.7 takes the second word for a repetition"),
    "include_check readable": Difference((4, []), (5, []), "the manual's word for what 2.2.7 calls read"),
}

# Runs both on the k.conf of every folder. keepalived reads itself to death on some input, hence the limits.
BOTH = """
for folder in "$1"/*/; do
    cd "$folder"
    timeout 10 keepalived -t -i me -f "$PWD/k.conf" > keepalived.log 2>&1 < /dev/null; echo $? > keepalived.status
    timeout 10 "$2" -t -i me -f "$PWD/k.conf" > sluiced.log 2>&1 < /dev/null; echo $? > sluiced.status
done
"""


def unknown_words(log: str) -> list[str]:
    """The words that are unknown, each once, in their order; a brace is only keepalived's idea of a word."""
    words = re.findall(r"nknown keyword '([^'\n]*)'", log)
    return [word for word in dict.fromkeys(words) if word != "}"]


@pytest.fixture(scope="module")
def verdicts(build, tmp_path_factory):
    if shutil.which("keepalived") is None:
        pytest.skip("keepalived is not installed, there is nothing to compare with")
    from netns import Lab
    root = tmp_path_factory.mktemp("lexical")
    with Lab(root) as lab:
        for number, row in enumerate(ROWS):
            folder = root / "rows" / f"{number:03}"
            folder.mkdir(parents=True)
            for name, text in {**row.files, "k.conf": row.text}.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(text.encode("latin-1"))
        lab.host("lexical").run("sh", "-c", BOTH, "both", root / "rows", build.sluiced, timeout=300)
        yield root / "rows"


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.name for row in ROWS])
def test_a_line_is_read_as_keepalived_reads_it(verdicts: Path, number: int):
    row = ROWS[number]
    folder = verdicts / f"{number:03}"

    def verdict(program: str) -> tuple[int, list[str], str]:
        log = (folder / f"{program}.log").read_bytes().decode("latin-1")
        words = unknown_words(log)
        # sluiced speaks of one file after the other, keepalived of all as it goes.
        return int((folder / f"{program}.status").read_text()), sorted(words) if row.files else words, log

    our_status, our_words, our_log = verdict("sluiced")
    status, words, log = verdict("keepalived")
    expected = DIFFERENT.get(row.name, Difference((status, words), (status, words), ""))
    shown = f"{row.text}\n--- keepalived: {status}\n{log[:2000]}\n--- sluiced: {our_status}\n{our_log[:2000]}"
    assert (our_status, our_words) == expected.ours, shown
    assert expected.theirs is None or (status, words) == expected.theirs, shown


def test_each_difference_is_one_of_a_row():
    assert set(DIFFERENT) <= {row.name for row in ROWS}
    assert len({row.name for row in ROWS}) == len(ROWS)
