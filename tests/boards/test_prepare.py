# SPDX-License-Identifier: Apache-2.0
"""What is prepared for a demonstration takes one line, says that it takes minutes, and shows what failed."""
import io
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("tools/boards", "tests")]
import prepare  # noqa: E402

import skips  # noqa: E402

BUILD = "for i in 10 55 100; do printf '[%3d%%] Building C object x.o\\n' $i; done"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Prepare(unittest.TestCase):
    STEPS = [("program", ["bash", "-c", BUILD]), ("images", ["bash", "-c", BUILD])]

    def test_one_line(self):
        out = io.StringIO()
        prepare.run(self.STEPS, out)
        self.assertRegex(out.getvalue(), r"^preparing \(some minutes the first time\): done after \d+ s\n$")

    def test_terminal(self):
        out = Terminal()
        prepare.run(self.STEPS, out)
        self.assertEqual(out.getvalue().count("\n"), 1)
        for shown in ("1 of 2, program: 55 %", "2 of 2, images: 100 %", "done after"):
            self.assertIn(shown, out.getvalue())

    def test_failure(self):
        out = io.StringIO()
        with self.assertRaisesRegex(prepare.Failed, "no such header"):
            prepare.run([("program", ["bash", "-c", "echo no such header; exit 2"]), *self.STEPS], out)
        self.assertIn("1 of 3, program: failed", out.getvalue())

    def test_steps(self):
        names = [name for name, _ in prepare.demo_steps(["qemu_virt", "mps2_an385", "qemu_virt"], "2")]
        self.assertEqual(names, ["program", "works of others", "images of mps2_an385", "images of qemu_virt"])


if __name__ == "__main__":
    skips.main(verbosity=2)
