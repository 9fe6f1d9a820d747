# SPDX-License-Identifier: Apache-2.0
"""What a demonstration needs, brought up to date with one line of progress instead of a hundred lines of builds."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PERCENT = re.compile(r"^\[ *(\d+)%\]")


class Failed(Exception):
    """A step did not end well; the text is the end of what it said."""


class Line:
    """One line that changes in place on a terminal; elsewhere it is written once, when it is complete."""

    def __init__(self, out, prefix):
        self.out, self.prefix, self.text = out, prefix, ""
        self.show("")

    def show(self, text):
        self.text = text
        if self.out.isatty():
            self.out.write(f"\r{self.prefix} {text}\x1b[K")
            self.out.flush()

    def end(self, text):
        self.show(text)
        self.out.write("\n" if self.out.isatty() else f"{self.prefix} {text}\n")
        self.out.flush()


def run(steps, out=sys.stdout, environment=None):
    """steps: (name, command). Runs them in their order, and shows which one runs and how far it is."""
    began = time.monotonic()
    line = Line(out, "preparing (some minutes the first time):")
    for number, (name, command) in enumerate(steps, 1):
        where = f"{number} of {len(steps)}, {name}"
        line.show(where)
        said = []
        with subprocess.Popen([str(part) for part in command], cwd=ROOT, env={**os.environ, **(environment or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
            for text in process.stdout:
                said = said[-40:] + [text]
                percent = PERCENT.match(text)
                if percent:
                    line.show(f"{where}: {percent[1]} %")
        if process.returncode:
            line.end(f"{where}: failed")
            raise Failed("".join(said))
    line.end(f"done after {time.monotonic() - began:.0f} s")


def demo_steps(machines, jobs):
    """The program, what the firmware stands on, and the images of these machines."""
    yield "program", ["bash", "-c", "test -f build/CMakeCache.txt || cmake --preset release -DLARCH_TESTS=OFF -DLARCH_WERROR=OFF && "
                      f"MAKEFLAGS= cmake --build --preset release -j {jobs} --target larch_program"]
    yield "works of others", ["tools/board_sources.sh"]
    for machine in sorted(set(machines)):
        yield f"images of {machine}", ["tools/boards/build.sh", "--progress", machine]
