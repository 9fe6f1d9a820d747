#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods with forged sources against a real gateway, in network namespaces: each at half the rate that the gateway is
measured to drain, while ten real senders report once a second.

usage: real_floods.py LARCH SEALER PROTO_CRYPTO [--long]
"""
import os
import re
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(here), "e2e"))
import forger  # noqa: E402
import network  # noqa: E402
from gateway_process import Gateway  # noqa: E402
from real_senders import Senders  # noqa: E402

ENOUGH, ENOUGH_EACH = 0.95, 0.9  # of all messages; of each kind of sender
RATE_MAX = 20000  # of a short run: more takes the machine from the senders, and strains nothing else
MEASURE_S, FLOOD_S = 1, 120
BUDGET_ONCE, BUDGET_S = 64 << 10, 16 << 10
MESSAGES = 4096
TRIES = 3

# attack, request, source, rate (None: half of what the gateway drains), parameter set of the senders
ROWS = [
    ("key requests from anywhere", "key", "anywhere", None, "512"),
    ("key requests from the senders' networks", "key", "senders", None, "512"),
    ("key requests from neighbours that are not there", "key", "dead", None, "512"),
    ("prototype's key requests from anywhere", "prototype-key", "anywhere", None, "512"),
    ("false messages from anywhere", "false-message", "anywhere", None, "512"),
    ("good messages from anywhere", "message", "anywhere", None, "512"),
    ("first blocks of 16 bytes, 16 a second", "block", "anywhere", 16, "1024"),
]


class Forger:
    """Begins at once; stop() returns what it sent, and the rate."""

    def __init__(self, net, request, source, rate, seconds, messages):
        arguments = [sys.executable, os.path.join(here, "forger.py"), network.THERE, net.their_mac, net.our_mac,
                     request, source, str(rate), str(seconds)]
        with net.outside():
            self.child = subprocess.Popen(arguments + ([messages] if request == "message" else []),
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout.readline() == "ready\n"
        self.child.stdin.write("\n")
        self.child.stdin.flush()

    def wait(self):
        sent, rate = self.child.communicate()[0].split()
        return int(sent), float(rate)

    def stop(self):
        self.child.kill()
        self.child.communicate()


class Floods:
    def __init__(self, net, larch, sealer, proto_crypto, folder, is_long):
        self.net, self.is_long, self.sealer, self.folder = net, is_long, sealer, folder
        self.gateway = Gateway(larch, folder + "/state", "--durability", "process", listen="0.0.0.0:5683", config="",
                               folder=folder)
        pin = re.search(rb"larch2:\w+", self.gateway.log())[0].decode()
        self.senders = Senders(net, larch, proto_crypto, folder, pin)
        self.senders.port = 5683
        self.failed = self.row = self.lines = 0
        net.answer_for(forger.NEIGHBOURS)

    def close(self):
        self.senders.close()
        self.gateway.close()

    def make_messages(self):
        path = f"{self.folder}/messages"
        with open(self.folder + "/ek", "wb") as f:
            f.write(self.gateway.key())
        with open(path, "wb") as f:
            subprocess.run([self.sealer, self.folder + "/ek", str(MESSAGES)], stdout=f, check=True)
        return path

    def measure_drain(self, request, source, messages):
        """Datagrams a second that the gateway takes when more arrive; and the bytes of it."""
        counters = network.Counters()
        forger = Forger(self.net, request, source, 0, MEASURE_S, messages)
        forger.wait()
        got = counters.since()
        return got["taken"] / MEASURE_S, got

    def stored(self, at_least):
        """How often each text was printed, among the lines of this row."""
        lines = self.gateway.lines(at_least)
        texts = [line.split(b" ", 3)[3].decode() for line in lines[self.lines:]]
        return texts, len(lines)

    def run_row(self, attack, request, source, rate, kem):
        self.row += 1
        kinds = ("known", "new", "prototype") if kem == "512" else ("known", "new")
        messages = self.make_messages() if request == "message" else None
        for place in range(5, 8):
            self.net.move_sender(place, 2 + self.row)
        wrong, factor = [], None
        if rate is None:
            drain, got = self.measure_drain(request, source, messages)
            rate = int(drain / 2) if self.is_long else min(int(drain / 2), RATE_MAX)
            factor = got["out"] / got["in"]
            if got["out"] >= 3 * got["in"] + BUDGET_ONCE + BUDGET_S * (MEASURE_S + 1):
                wrong.append(f"{got['out']} bytes out for {got['in']} in {MEASURE_S} s")
        counters = network.Counters()
        forger = Forger(self.net, request, source, rate, FLOOD_S, messages)
        through = self.senders.run(f"row{self.row}", 20 if self.is_long else 4, kem, kinds)
        forger.stop()
        got = counters.since()
        for kind, (count, offered) in through.items():
            if count < ENOUGH_EACH * offered:
                wrong.append(f"{count} of {offered} messages of {kind} senders through")
        count, offered = (sum(column) for column in zip(*through.values()))
        if count < ENOUGH * offered:
            wrong.append(f"{count} of {offered} messages through")
        time.sleep(0.3)
        texts, total = self.stored(0)
        good = self.senders.texts(True)
        lost = [text for text in good if text not in texts]
        twice = [text for text in set(good + self.senders.texts(False)) if texts.count(text) > 1]
        self.lines = total
        if lost or twice:
            wrong.append(f"{len(lost)} messages lost, {len(twice)} stored twice")
        return rate, through, factor, wrong, got

    def show(self, attack, rate, through, factor, wrong):
        shown = [f"{through[kind][0]:4}/{through[kind][1]:3}" if kind in through else "       -"
                 for kind in ("known", "new", "prototype")]
        print(f"{attack:42} {rate:7} {' '.join(shown)} {'-' if factor is None else format(factor, '.2f'):>7}  "
              f"{'FAILED' if wrong else 'ok'}")
        for what in wrong:
            print("    FAILED:", what)

    def run(self):
        print(f"{'attack':42} {'rate/s':>7} {'known':>8} {'new':>8} {'prototype':>8} {'out/in':>7}")
        warm = self.senders.run("warm", 3, kinds=("known", "prototype"))
        self.lines = len(self.gateway.lines(sum(good for good, _ in warm.values())))
        for row in ROWS:
            for left in reversed(range(TRIES)):
                rate, through, factor, wrong, got = self.run_row(*row)
                # Another load of this machine got the processor: the rate was more than half.
                if not (wrong and got["overrun"] and left):
                    break
                print(f"    again: the gateway's socket overran {got['overrun']} times")
            self.show(row[0], rate, through, factor, wrong)
            for reason in self.senders.reasons()[:3] if wrong else ():
                print("   ", reason)
            sys.stdout.flush()
            self.failed += bool(wrong)
        print(f"{len(ROWS)} attacks, {self.failed} failed")
        return self.failed


def main():
    larch, sealer, proto_crypto = (os.path.abspath(a) for a in sys.argv[1:4])
    net = network.Network()
    try:
        with tempfile.TemporaryDirectory(prefix="larch-attacks-") as folder:
            floods = Floods(net, larch, sealer, proto_crypto, folder, "--long" in sys.argv)
            try:
                return 1 if floods.run() else 0
            finally:
                floods.close()
    finally:
        net.close()


if __name__ == "__main__":
    sys.exit(main() if network.INSIDE in os.environ else network.enter("attacks.real_floods"))
