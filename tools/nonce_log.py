#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Merges logs of builds with LARCH_NONCE_LOG: no nonce may protect two messages under one key.

usage: tools/nonce_log.py FILE...

Exits 1 if one does, if a line is cut or not a line of such a log, or if there is no line at all.
"""
import re
import sys

LINE = re.compile(r"([0-9a-f]{64}) ([0-9a-f]{24}|[0-9a-f]{26}) ([0-9a-f]{64})\n")


def check(files):
    """Complaints about the logs, and how many messages and keys they have."""
    message_of, complaints, lines = {}, [], 0
    for file in files:
        with open(file, encoding="ascii", errors="replace") as log:
            for number, line in enumerate(log, 1):
                match = LINE.fullmatch(line)
                if not match:
                    complaints.append(f"{file}:{number}: not a line of a nonce log")
                    continue
                key, nonce, message = match.groups()
                first, where = message_of.setdefault((key, nonce), (message, f"{file}:{number}"))
                if first != message:
                    complaints.append(f"{file}:{number}: nonce {nonce} protects another message than at {where}")
                lines += 1
    if lines == 0:
        complaints.append("no encryption was logged")
    return complaints, lines, len({key for key, _ in message_of})


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    complaints, lines, keys = check(sys.argv[1:])
    for complaint in complaints[:20]:
        print(complaint)
    print(f"nonces: {lines} encryptions under {keys} keys, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
