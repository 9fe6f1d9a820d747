#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a gateway at random moments under load, again and again, with readers of its stdout that are fast, slow,
stopped or gone, and with both durabilities. Over all runs the messages that were answered OK or REPLAY are those
that were printed; what is printed twice is marked as a repeat; and the keys stay the same.

usage: kill9.py LARCH SEALER [KILLS [SEED]]
"""
import atexit
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

from gateway_process import OK, REPLAY, SEALED_LEN, Gateway

MESSAGES = 60000  # over all runs; each has a message ID of its own
PER_RUN_MAX = 320


class Reader(threading.Thread):
    """Takes what a gateway prints, in its own way; finish() after the gateway's end returns the whole lines."""
    KINDS = ["fast", "slow", "stopped", "deaf", "closed", "socket"]

    def __init__(self, kind, dice):
        super().__init__(daemon=True)
        self.kind, self.content = kind, b""
        if kind == "socket":
            pair = socket.socketpair()
            self.end, self.write = (s.detach() for s in pair)
        else:
            self.end, self.write = os.pipe()
        self.delay, self.size = (dice.uniform(0.001, 0.01), dice.choice([1, 100, 512])) if kind == "slow" else (0, 1 << 16)
        self.resume = threading.Event()  # stopped: reads what the pipe holds when the gateway has gone
        self.goes_at = time.monotonic() + dice.uniform(0, 0.06)
        self.start()

    def run(self):
        if self.kind == "stopped":
            self.resume.wait()
        while self.kind != "deaf":
            if self.kind == "closed" and time.monotonic() > self.goes_at:
                break
            taken = os.read(self.end, self.size)
            if not taken:
                break
            self.content += taken
            if self.delay > 0 and not self.resume.is_set():
                time.sleep(self.delay)
        if self.kind != "deaf":
            os.close(self.end)

    def finish(self):
        self.resume.set()
        if self.kind == "slow":
            self.size = 1 << 16
        self.join()
        if self.kind == "deaf":  # what the pipe holds is lost with it
            os.close(self.end)
        return self.content.split(b"\n")[:-1]


class Run:
    """One gateway from start to kill."""

    def __init__(self, larch, folder, dice):
        self.kind = dice.choice(["file", *Reader.KINDS])
        self.durability = dice.choice(["medium", "process"])
        self.reader = Reader(self.kind, dice) if self.kind != "file" else None
        self.gateway = Gateway(larch, folder + "/state", "--json", "--durability", self.durability, folder=folder,
                               stdout=self.reader.write if self.reader else None)
        if self.reader:
            os.close(self.reader.write)

    def kill(self):
        self.gateway.kill()
        lines = self.reader.finish() if self.reader else self.gateway.lines()
        self.gateway.close()
        return lines


def take_lines(lines, printed, what):
    """Adds what a run printed; returns how many lines were marked. A line that a kill cut in two is none; it comes
    again."""
    repeats = 0
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        marked = message.get("repeat", False)
        assert marked or message["text"] not in printed, f"{what}: {message} was printed before"
        assert printed.setdefault(message["text"], message["id"]) == message["id"], f"{what}: {message} has two identities"
        repeats += marked
    return repeats


def false_start(larch, folder, dice):
    """A gateway that is killed while it starts; what it printed by then."""
    with tempfile.TemporaryFile("w+b", dir=folder) as out:
        child = subprocess.Popen([larch, "gateway", "--listen", "127.0.0.1:0", "--state", folder + "/state", "--json"],
                                 stdout=out, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, 0.03))
        child.kill()
        child.wait()
        return os.pread(out.fileno(), 1 << 26, 0).splitlines()


def text_of(number):
    return f"m{number:09}"


def main(larch, sealer, kills=100, seed=None):
    seed = seed if seed is not None else random.randrange(1 << 32)
    print(f"{kills} kills, seed {seed}", flush=True)
    dice = random.Random(seed)
    begun = time.monotonic()
    per_run = min(PER_RUN_MAX, MESSAGES // kills)
    with tempfile.TemporaryDirectory(prefix="larch-kill9-") as folder:
        gateway = Gateway(larch, folder + "/state", folder=folder)
        pins = gateway.pins()
        with open(folder + "/ek", "wb") as f:
            f.write(gateway.key())
        gateway.stop()
        gateway.close()
        sealed = subprocess.run([sealer, folder + "/ek", str(kills * per_run)], stdout=subprocess.PIPE, check=True).stdout
        payloads = {n: sealed[n * SEALED_LEN:(n + 1) * SEALED_LEN] for n in range(kills * per_run)}
        assert len(sealed) == len(payloads) * SEALED_LEN

        ok, replays, flying, printed, repeats, torn, kinds = set(), set(), set(), {}, 0, 0, set()
        for number in range(kills):
            if dice.random() < 0.25:
                repeats += take_lines(false_start(larch, folder, dice), printed, f"seed {seed}, before run {number}")
            run = Run(larch, folder, dice)
            atexit.register(run.gateway.child.kill)
            what = f"seed {seed}, run {number}, {run.kind}, {run.durability}"
            kinds.add((run.kind, run.durability))
            assert run.gateway.pins() == pins, f"{what}: the keys changed"
            # Some that were answered before a kill, and those that were on their way: as new requests.
            known = set(dice.sample(sorted(ok), min(len(ok), 20)))
            again = run.gateway.post_all({n: payloads[n] for n in known | flying})
            assert set(again) == known | flying, f"{what}: no answer"
            assert all(again[n] == REPLAY for n in known), f"{what}: accepted twice"
            torn += sum(again[n] == REPLAY for n in flying)
            for n in flying:
                assert again[n] in (OK, REPLAY), f"{what}: {again[n]}"
                (ok if again[n] == OK else replays).add(n)
            offered = {n: payloads[n] for n in range(number * per_run, (number + 1) * per_run)}
            answers = run.gateway.post_all(offered, until=time.monotonic() + dice.uniform(0, 0.03))
            assert all(a == OK for a in answers.values()), f"{what}: {answers}"
            repeats += take_lines(run.kill(), printed, what)
            ok |= set(answers)
            # Those that were sent and not answered: accepted or not. post_all has at most 48 open, in order.
            flying = set(sorted(set(offered) - set(answers))[:64])

        gateway = Gateway(larch, folder + "/state", "--json", folder=folder)
        atexit.register(gateway.child.kill)
        again = gateway.post_all({n: payloads[n] for n in ok | replays | flying})
        assert set(again) == ok | replays | flying, f"seed {seed}: no answer at the end"
        assert all(again[n] == REPLAY for n in ok | replays), f"seed {seed}: accepted twice, found at the end"
        assert gateway.stop() == 0
        repeats += take_lines(gateway.lines(), printed, f"seed {seed}, the end")
        gateway.close()
        answered = {text_of(n) for n in again}
        assert set(printed) == answered, (f"seed {seed}: answered and not printed: {sorted(answered - set(printed))[:5]}, "
                                          f"printed and not answered: {sorted(set(printed) - answered)[:5]}")
    print(f"{len(ok)} messages answered OK, all of them replays after it; {torn} in flight were kept without an answer; "
          f"{len(printed)} printed, each once, and {repeats} repeats, all marked; {len(kinds)} kinds of runs; "
          f"{time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(a) for a in sys.argv[3:]))
