# SPDX-License-Identifier: Apache-2.0
"""What was skipped is told: by test programs, by test scripts, and by the summary at the end of a run.

usage: test_skips.py PROBE
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(TESTS))
import skips  # noqa: E402

PROBE = ""

SCRIPT = """
import sys, unittest
sys.path.insert(1, {folder!r})
import skips
{body}
skips.main()
"""
PASSES = "class A(unittest.TestCase):\n    def test_a(self): pass\n"
SKIPS = "class B(unittest.TestCase):\n    def test_b(self): self.skipTest('no tool')\n"
CLASS_SKIPS = "@unittest.skip('no machine')\nclass C(unittest.TestCase):\n    def test_c(self): pass\n"
SET_UP_SKIPS = ("class D(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): raise unittest.SkipTest('no net')\n"
                "    def test_d(self): pass\n")
FAILS = "class E(unittest.TestCase):\n    def test_e(self): self.fail()\n"

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite>
<testcase name="unit.a" classname="unit.a" time="3.5" status="run"><system-out>fine</system-out></testcase>
<testcase name="unit.b" classname="unit.b" time="1" status="run"><system-out>skipped: one part: needs root
fine</system-out></testcase>
<testcase name="ct.c" classname="ct.c" time="0" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>skipped: avx512: this processor has none</system-out></testcase>
<testcase name="e2e.d" classname="e2e.d" time="0" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>left out
for a reason
</system-out></testcase>
{more}</testsuite>
"""
FAILED = ('<testcase name="unit.e" classname="unit.e" time="300" status="fail"><failure message="Timeout"/>'
          '<system-out></system-out></testcase>\n')
NOT_STARTED = ('<testcase name="unit.f" classname="unit.f" time="0" status="notrun">'
               '<skipped message="Unable to find executable"/></testcase>\n')


class Programs(unittest.TestCase):
    def test_exit_status(self):
        for tests, status in (("ppp", 0), ("sss", 77), ("sps", 0), ("ssf", 1), ("fff", 3)):
            with self.subTest(tests):
                done = subprocess.run([PROBE, tests], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, status)
                said = done.stdout.count("skipped: is_skipped: the probe was asked to\n") + done.stderr.count("skipped: ")
                self.assertEqual(said, tests.count("s"))


class Scripts(unittest.TestCase):
    def test_exit_status(self):
        for body, status, said in ((PASSES, 0, []), (SKIPS, 77, ["skipped: B.test_b: no tool"]),
                                   (CLASS_SKIPS, 77, ["skipped: C.test_c: no machine"]),
                                   (SET_UP_SKIPS, 77, ["skipped: setUpClass (__main__.D): no net"]),
                                   (PASSES + SKIPS, 0, ["skipped: B.test_b: no tool"]),
                                   (PASSES + SET_UP_SKIPS, 0, ["skipped: setUpClass (__main__.D): no net"]),
                                   (SKIPS + FAILS, 1, ["skipped: B.test_b: no tool"]), ("", 1, [])):
            with self.subTest(body):
                done = subprocess.run([sys.executable, "-B", "-c", SCRIPT.format(folder=str(TESTS), body=body)],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout.splitlines()), (status, said))


class Summary(unittest.TestCase):
    def run_summary(self, more, parts):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "release.xml").write_text(JUNIT.format(more=more))
            (Path(folder) / "parts").write_text(parts)
            done = subprocess.run([TESTS.parent / "tools/test_summary.py", folder], capture_output=True, text=True,
                                  check=False)
        return done.returncode, done.stdout.splitlines()

    def test_all_passed(self):
        status, lines = self.run_summary("", "house.format\tskipped\tno clang-format 14\nboards.images\tpassed\t\n")
        self.assertEqual((status, lines[-1]), (0, "3 passed, 0 failed, 3 skipped"))
        for line in ("skipped: house.format: no clang-format 14", "skipped in part: release: unit.b: one part: needs root",
                     "skipped: release: ct.c: avx512: this processor has none", "skipped: release: e2e.d: for a reason"):
            self.assertIn(line, lines)
        self.assertEqual(lines[0], "slow: release: unit.a: 4 s")

    def test_some_failed(self):
        for more, parts, line in ((FAILED, "", "FAILED: release: unit.e: Timeout"),
                                  (NOT_STARTED, "", "FAILED: release: unit.f: Unable to find executable"),
                                  ("", "boards.images\tfailed\tstatus 1\n", "FAILED: boards.images: status 1")):
            with self.subTest(line):
                status, lines = self.run_summary(more, parts)
                self.assertEqual((status, lines[-1]), (1, "2 passed, 1 failed, 2 skipped"))
                self.assertIn(line, lines)

    def test_nothing_ran(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([TESTS.parent / "tools/test_summary.py", folder], capture_output=True, text=True,
                                  check=False)
        self.assertEqual((done.returncode, done.stdout), (1, "0 passed, 0 failed, 0 skipped\n"))


if __name__ == "__main__":
    PROBE = sys.argv[1]
    skips.main(argv=sys.argv[:1])
