#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a gateway at random moments under load, again and again. Afterwards whatever was answered OK
must be a REPLAY, nothing may have been printed twice, and the keys must be the same.

usage: kill9.py LARCH SEALER [KILLS [SEED]]
"""
import atexit
import json
import random
import subprocess
import sys
import tempfile
import time

from gateway_process import OK, REPLAY, SEALED_LEN, Gateway

PER_RUN = 320  # messages offered to each gateway; all of them have message IDs of their own


def read_texts(gateway, printed):
    """Adds what a gateway printed; a last line may be cut by its end."""
    for line in gateway.lines():
        try:
            text = json.loads(line)["text"]
        except ValueError:
            assert line == gateway.lines()[-1], line
            continue
        assert text not in printed, f"{text} was accepted twice"
        printed.add(text)


def main(larch, sealer, kills=200, seed=None):
    assert kills * PER_RUN <= 1 << 16, "a message ID used again would be a duplicate"
    seed = seed if seed is not None else random.randrange(1 << 32)
    random.seed(seed)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="larch-kill9-") as folder:
        gateway = Gateway(larch, folder + "/state", "--json", folder=folder)
        atexit.register(lambda: gateway.kill())
        pins = gateway.pins()
        with open(folder + "/ek", "wb") as f:
            f.write(gateway.key())
        sealed = subprocess.run([sealer, folder + "/ek", str(kills * PER_RUN)], stdout=subprocess.PIPE, check=True).stdout
        payloads = {n: sealed[n * SEALED_LEN:(n + 1) * SEALED_LEN] for n in range(kills * PER_RUN)}
        assert len(sealed) == len(payloads) * SEALED_LEN

        accepted, printed, unknown, torn = set(), set(), set(), 0
        for run in range(kills):
            offered = {n: payloads[n] for n in range(run * PER_RUN, (run + 1) * PER_RUN)}
            answers = gateway.post_all(offered, until=time.monotonic() + random.uniform(0, 0.02))
            gateway.kill()
            assert all(a == OK for a in answers.values()), (seed, answers)
            read_texts(gateway, printed)
            gateway.close()
            assert {f"m{n:09}" for n in answers} <= printed, f"seed {seed}: answered, but not printed"

            gateway = Gateway(larch, folder + "/state", "--json", folder=folder)
            assert gateway.pins() == pins, f"seed {seed}: the keys changed"
            again = gateway.post_all({n: payloads[n] for n in answers})
            twice = [n for n, answer in again.items() if answer != REPLAY]
            assert len(again) == len(answers) and not twice, f"seed {seed}, run {run}: accepted twice: {twice[:5]}"
            accepted |= set(answers)
            # Those in flight when it died: accepted or not, but never a third time.
            flying = dict(sorted((n, p) for n, p in offered.items() if n not in answers)[:64])
            torn += sum(a == REPLAY for a in gateway.post_all(flying).values())
            unknown |= set(flying)
        again = gateway.post_all({n: payloads[n] for n in accepted | unknown})
        assert len(again) == len(accepted | unknown) and set(again.values()) == {REPLAY}, f"seed {seed}: at the end"
        assert gateway.stop() == 0
        read_texts(gateway, printed)
    print(f"{kills} kills, seed {seed}: {len(accepted)} messages answered before one, all of them replays after it; "
          f"{torn} in flight were kept without an answer; {len(printed)} printed, each once; "
          f"{time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(a) for a in sys.argv[3:]))
