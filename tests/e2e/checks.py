# SPDX-License-Identifier: Apache-2.0
"""What a test finds wrong is printed and counted, and the test goes on."""
failures = 0


def check(condition, what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", what)
