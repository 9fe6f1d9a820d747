#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs spin over the models of the handshake (lake.pml) and of the keys' life (lake_keys.pml). "short": each model
without an error; then with each broken rule and each witness that it lists, where spin must find the property violated
that stands beside it. "long": larger bounds, without an error.

usage: lake_test.py short|long C-COMPILER
       lake_test.py MODEL NUMBER        the shortest way to the error that LARCH_BREAK=NUMBER brings about
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
RULE = re.compile(r"^#define ((?:BREAK|WITNESS)_\w+) +(\d+) +// (end state|\w+): ", re.M)
LISTED = re.compile(r"^#define (?:BREAK|WITNESS)_\w+ ", re.M)
DEPTH = 200000
# Model, its settings, whether its rules are broken too.
SHORT = [
    ("lake.pml", [], True),
    ("lake.pml", ["-DLEAKED"], False),
    ("lake_keys.pml", [], True),
]
LONG = [
    ("lake.pml", ["-DRESPONDERS=3"], False),
    ("lake.pml", ["-DINITIATORS=3"], False),
    ("lake.pml", ["-DINITIATORS=3", "-DLEAKED"], False),
    ("lake_keys.pml", ["-DSESSIONS=4", "-DCRASHES=2", "-DLOSSES=2"], False),
]


def build(model, settings, compiler, flags, folder):
    """The checker that spin writes for a model."""
    shutil.copy(HERE / model, folder)
    subprocess.run(["spin", "-a", *settings, model], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([compiler, "-std=gnu89", "-w", *flags, "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"],
                   cwd=folder, check=True)


def run(folder, rule, ignore_end_states):
    """What the first error is, or None; and how many states there were."""
    flags = ["-E"] if ignore_end_states else []
    out = subprocess.run(["./pan", f"-m{DEPTH}", "-w20", "-n", *flags], cwd=folder, check=True, text=True,
                         stdout=subprocess.PIPE, env={**os.environ, "LARCH_BREAK": str(rule)}).stdout
    count = re.search(r"errors: (\d+)\n +(\d+) states, stored", out)
    assert count and "max search depth too small" not in out, out
    if count[1] == "0":
        assert "Search not completed" not in out, out
        return None, int(count[2])
    error = re.search(r"^pan:1: (?:assertion violated \((\w+)\|\||invalid (end state))", out, re.M)
    assert error, out
    return error[1] or error[2], int(count[2])


def check(model, settings, with_rules, is_long, compiler):
    """Complaints about one model."""
    complaints = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Compiling takes longer than a short search, so that is not optimised.
        build(model, settings, compiler, ["-DCOLLAPSE", "-O2" if is_long else "-O0"], folder)
        error, states = run(folder, 0, False)
        print(f"{model} {' '.join(settings)}: {states} states, {error or 'no error'}", flush=True)
        if error:
            complaints.append(f"{model}: {error} does not hold")
        text = (HERE / model).read_text()
        rules = RULE.findall(text)
        assert rules and len(rules) == len(LISTED.findall(text)), "a rule without the name of its property"
        for rule, number, wanted in rules if with_rules else []:
            error, _ = run(folder, number, wanted != "end state")
            print(f"  {rule}: {error}", flush=True)
            if error != wanted:
                complaints.append(f"{model}, {rule}: the first error is {error}, not {wanted}")
    return complaints


def show(model, rule):
    """Prints the steps to an error."""
    with tempfile.TemporaryDirectory() as name:
        build(model, [], "cc", ["-DBFS"], Path(name))
        environment = {**os.environ, "LARCH_BREAK": rule}
        subprocess.run(["./pan", f"-m{DEPTH}"], cwd=name, check=True, env=environment, stdout=subprocess.DEVNULL)
        subprocess.run(["./pan", "-r"], cwd=name, check=False, env=environment)


def main():
    which, second = sys.argv[1:]
    if not shutil.which("spin"):
        print("skipped: model.lake: spin is not installed")
        sys.exit(SKIPPED)
    if which not in ("short", "long"):
        show(which, second)
        return
    complaints = []
    for model, settings, with_rules in SHORT if which == "short" else LONG:
        complaints += check(model, settings, with_rules, which == "long", second)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
