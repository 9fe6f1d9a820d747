# SPDX-License-Identifier: Apache-2.0
"""Test scripts say what they did not run: in lines "skipped: what: why", which the end of a test run lists, and
with exit status 77 where nothing of them ran."""
import sys
import unittest

SKIPPED = 77


def skip(what, why):
    """Reports a part that does not run here; the rest of the script goes on."""
    print(f"skipped: {what}: {why}", flush=True)


def main(**options):
    """unittest.main, but a run in which every test was skipped exits with 77, and one without tests fails."""
    result = unittest.main(exit=False, **options).result
    for test, why in result.skipped:
        skip(test.id().removeprefix("__main__."), why)
    # A class that is skipped while it is set up appears among the skipped, but its tests were never started.
    ran = result.testsRun - sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)
    if not result.wasSuccessful() or not (ran or result.skipped):
        sys.exit(1)
    sys.exit(0 if ran else SKIPPED)
