#!/usr/bin/env python3
"""include_rule.py must refuse a bad tree, each fault by its own complaint, and accept a good one."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import include_rule

GOOD = {
    "meson.build": "subdir('net')\nsubdir('dataplane')\nsubdir('control')\nsubdir('tests')\n",
    "net/meson.build": "x = static_library('net', 'a.cc')\n",
    "net/a.h": "// What it is for.\n#pragma once\n",
    "net/a.cc": '#include "net/a.h"\n#include <vector>\n// std::cout << "only talk"\n'
                'const char* s = "printf(";\nint n = snprintf(b, 1, "x");\nauto t = out.puts("x");\n',
    "dataplane/meson.build": "subdir('sched')\n",
    "dataplane/sched/meson.build": "y = static_library('sched',\n  'rr.cc',  # round robin\n)\n",
    "dataplane/sched/rr.cc": '#include "net/a.h"\n#include "steer_object.h"\n',
    "dataplane/w.h": "/* What\n   it is for. */\n#pragma once\n",
    "control/meson.build": "executable('sluicectl', 'sluicectl.cc')\n",
    "control/sluicectl.cc": '#include "dataplane/w.h"\nint main() { std::cout << 1; }\n',
    "tests/meson.build": "executable('t', 't.cc')\n",
    "tests/t.cc": '#include "control/c.h"\nint main() { printf("seed"); }\n',
    "control/c.h": "#pragma once\n",
}


def complaints(changes):
    """Of the good tree with some files changed, added, or (None) removed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return include_rule.check(root)


class IncludeRule(unittest.TestCase):
    def refused(self, changes, *parts):
        found = complaints(changes)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_accepts_a_good_tree(self):
        self.assertEqual(complaints({}), [])

    def test_refuses_an_include_upwards(self):
        self.refused({"dataplane/w.h": '#pragma once\n\n#include "control/c.h"\n'}, "dataplane/w.h:3:", "control/")

    def test_refuses_an_include_sideways(self):
        for here, there in (("dataplane", "health"), ("vrrp", "dataplane"), ("health", "vrrp")):
            self.refused({f"{there}/x.h": "#pragma once\n", f"{here}/y.h": f'#pragma once\n#include "{there}/x.h"\n'},
                         f"{here}/y.h:2:", "let control/ carry")

    def test_refuses_any_of_ours_in_net(self):
        self.refused({"net/a.h": '#pragma once\n#include "dataplane/w.h"\n'}, "net/a.h:2:", "vocabulary")

    def test_refuses_tests_in_product_code(self):
        self.refused({"tests/x.h": "#pragma once\n", "control/c.h": '#pragma once\n#include "tests/x.h"\n'},
                     "only bench/ and tests/")

    def test_refuses_a_path_that_does_not_begin_at_the_root(self):
        self.refused({"net/a.cc": '#include "a.h"\n'}, "net/a.cc:1:", "repository's root")
        self.refused({"net/a.cc": '#include "../net/a.h"\n'}, "repository's root")

    def test_refuses_an_include_of_nothing(self):
        self.refused({"net/a.cc": '#include "net/b.h"\n'}, "doesn't exist")

    def test_refuses_a_file_that_nothing_builds(self):
        self.refused({"net/lost.cc": ""}, "net/lost.cc:1:", "net/meson.build")
        self.refused({"dataplane/sched/meson.build": "# 'rr.cc'\n"}, "nothing builds")
        self.refused({"dataplane/meson.build": "# subdir('sched')\n"}, "dataplane/sched/rr.cc:1:", "subdir()")

    def test_refuses_a_name_that_only_looks_listed(self):
        self.refused({"dataplane/rr.cc": ""}, "dataplane/rr.cc:1:")

    def test_refuses_a_header_without_pragma_once(self):
        self.refused({"net/a.h": "#ifndef A\n#define A\n#endif\n"}, "net/a.h:1:", "#pragma once")
        self.refused({"net/a.h": "// #pragma once\n"}, "#pragma once")

    def test_refuses_other_suffixes(self):
        self.refused({"net/b.hpp": "#pragma once\n"}, "use .cc and .h")

    def test_refuses_debug_prints(self):
        for line, what in (('std::cerr << "here";', "std::cerr"), ('printf("%d", 1);', "printf("),
                           ('std::printf("x");', "printf("), ('fprintf(stderr, "x");', "fprintf("),
                           ('fmt::print("x");', "fmt::print("), ('bpf_printk("x");', "bpf_printk("),
                           ('perror("x");', "perror(")):
            self.refused({"net/a.cc": f"\nvoid f() {{ {line} }}\n"}, "net/a.cc:2:", what, "use ")

    def test_reads_past_raw_strings_and_thousands(self):
        self.assertEqual(complaints({"net/a.cc": 'auto a = R"(\nprintf("x")\n)";\nint b = 40\'000;  // don\'t puts()\n'}), [])
        self.refused({"net/a.cc": 'auto a = R"x(\n)\n)x"; int b = 1\'000\'000; puts("x"); // don\'t\n'}, "net/a.cc:3:")

    def test_the_program_prints_complaints_and_fails(self):
        program = Path(include_rule.__file__)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "net").mkdir()
            (Path(folder) / "net/lost.cc").write_text("")
            run = subprocess.run([sys.executable, program, folder], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertIn("net/lost.cc:1:", run.stdout)
            (Path(folder) / "net/lost.cc").unlink()
            run = subprocess.run([sys.executable, program, folder], capture_output=True, text=True, check=False)
            self.assertEqual((run.returncode, run.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
