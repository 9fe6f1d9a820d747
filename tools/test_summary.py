#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a test run did: counts of tests that passed, failed and were skipped, and why each of the latter was.

usage: tools/test_summary.py FOLDER, with a JUnit file of CTest's for each build, and parts: lines of
NAME <tab> passed|failed|skipped <tab> WHY. Exits with 1 if something failed or nothing passed.
"""
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

SLOWEST = 5
SAID = "skipped: "


def reason_of(output):
    """The reason that a skipped test gave, or else the last thing it said."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line.removeprefix(SAID) for line in lines if line.startswith(SAID)]
    return "; ".join(dict.fromkeys(said)) or (lines[-1] if lines else "it says no reason")


def results_of(path):
    """(name, outcome, reason, seconds) of each test of a JUnit file; outcome: passed, failed, skipped, or part for
    what a test that passed did not do."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name, seconds = f"{path.stem}: {case.get('name')}", float(case.get("time", 0))
        output = case.findtext("system-out") or ""
        if case.get("status") == "run":
            yield name, "passed", "", seconds
            if any(line.startswith(SAID) for line in output.splitlines()):
                yield name, "part", reason_of(output), 0
        elif case.find("skipped") is not None and "SKIP" in case.find("skipped").get("message", ""):
            yield name, "skipped", reason_of(output), seconds
        else:  # a test that CTest could not start too
            problem = case.find("failure") if case.find("failure") is not None else case.find("skipped")
            yield name, "failed", problem.get("message", "") if problem is not None else "", seconds


def parts_of(path):
    for line in path.read_text().splitlines() if path.exists() else []:
        name, outcome, why = line.split("\t")
        yield name, outcome, why, 0


def main(folder):
    results = list(parts_of(folder / "parts"))
    for path in sorted(folder.glob("*.xml")):
        results += results_of(path)
    by = {outcome: [r for r in results if r[1] == outcome] for outcome in ("passed", "failed", "skipped", "part")}
    for name, _, _, seconds in sorted(results, key=lambda r: -r[3])[:SLOWEST]:
        print(f"slow: {name}: {seconds:.0f} s")
    for title, outcome in (("skipped", "skipped"), ("skipped in part", "part"), ("FAILED", "failed")):
        for name, _, why, _ in by[outcome]:
            print(f"{title}: {name}{': ' if why else ''}{why}")
    print(f"{len(by['passed'])} passed, {len(by['failed'])} failed, {len(by['skipped'])} skipped")
    return 1 if by["failed"] or not by["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
