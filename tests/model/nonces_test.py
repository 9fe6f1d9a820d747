#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs programs that log their nonces, and checks the merged logs. First it sees the check fail where it must.

usage: nonces_test.py TOOLS-FOLDER PROGRAM[,ARGUMENT...]...
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from nonce_log import check  # noqa: E402

A, B, NONCE = "a" * 64, "b" * 64, "0" * 26
SELF_TEST = [  # logs, whether they are sound
    (["{0} {2} {0}\n"], True),
    (["{0} {2} {0}\n{0} {2} {0}\n"], True),  # the same bytes again
    (["{0} {2} {0}\n{1} {2} {1}\n"], True),  # another key
    (["{0} {2} {0}\n{0} {2} {1}\n"], False),
    (["{0} {2} {0}\n", "{0} {2} {1}\n"], False),  # in two files
    (["{0} {2} {0}"], False),  # cut
    (["{0} {2}\n"], False),
    ([""], False),
]


def self_test(folder):
    for number, (logs, is_sound) in enumerate(SELF_TEST):
        files = []
        for index, log in enumerate(logs):
            files.append(folder / f"self-{number}-{index}")
            files[-1].write_text(log.format(A, B, NONCE))
        complaints, _, _ = check(files)
        assert (not complaints) == is_sound, (logs, complaints)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        self_test(folder)
        files = []
        for index, program in enumerate(sys.argv[2:]):
            files.append(folder / f"log-{index}")
            subprocess.run(program.split(","), check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, "LARCH_NONCE_LOG_FILE": str(files[-1])})
            assert files[-1].exists() and files[-1].stat().st_size > 0, f"{program} logged nothing"
        complaints, lines, keys = check(files)
        print(*complaints[:20], f"{lines} encryptions under {keys} keys", sep="\n")
        return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
