#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Faults that trials found, and the tests that hold each right value: faults.txt, printed as a table.

Each row names a test of this build, and the function, class or row in its source that has the case. A name that is not
there any more fails, so that no fault loses its test unnoticed.

Usage: test_faults.py ROOT BUILD
"""
import os
import re
import subprocess
import sys

ROOT, BUILD = sys.argv[1:3]


def rows():
    with open(os.path.join(ROOT, "tests", "house", "faults.txt")) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                number, what, tests = (part.strip() for part in line.split("|"))
                yield number, what, [t.split(":") for t in tests.split()]


def known_tests():
    out = subprocess.run(["ctest", "--test-dir", BUILD, "-N"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"Test +#\d+: (\S+)", out))


def sources():
    """All that a test may name, in one text."""
    text = []
    for folder, _, names in os.walk(os.path.join(ROOT, "tests")):
        for name in names:
            if name.endswith((".c", ".h", ".py", ".sh", ".txt", ".cmake")) and name != "faults.txt":
                with open(os.path.join(folder, name), errors="replace") as f:
                    text.append(f.read())
    return "\n".join(text)


def main():
    names, text, wrong, numbers = known_tests(), sources(), [], []
    for number, what, tests in rows():
        numbers.append(number)
        print(f"{number:>4}  {what:<72.72}  {' '.join(':'.join(t) for t in tests)}")
        for name, *cases in tests:
            if not any(re.fullmatch(name.replace(".", r"\.").replace("*", ".*"), n) for n in names):
                wrong.append(f"{number}: there is no test {name}")
            wrong += [f"{number}: {name} has no {case}" for case in cases if not re.search(rf"\b{case}\b", text)]
    print(f"{len(numbers)} rows")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or not numbers else 0


if __name__ == "__main__":
    sys.exit(main())
