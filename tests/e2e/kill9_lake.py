#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a gateway and its devices at random moments while they shake hands. Every start of a device begins with a handshake,
because it has no clock. At the end everything recovers by itself: each reading that a device saw accepted was printed once,
under one identity, and each device can report again.

usage: kill9_lake.py LARCH [KILLS [SEED]]
"""
import atexit
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from gateway_process import Gateway
from kill9 import take_lines
from kill9_oscore import Home, free_port

KINDS = (("4", "ml-kem-512"), ("0", "ml-kem-512"), ("0", "ml-kem-1024"))
LINES = 4000


class Device:
    """Runs again and again with one enrolment; accepted: what it saw accepted, {text: n}."""

    def __init__(self, home, number, uri):
        self.home, self.number, self.uri, self.path = home, number, uri, f"{home.folder}/device-{number}"
        method, suite = KINDS[number % len(KINDS)]
        child = home.start("device", "add", f"device-{number}", "--method", method, "--suite", suite, "--out", self.path,
                           "--state", home.state, stderr=subprocess.DEVNULL)
        assert child.wait(20) == 0, "device add"
        self.starts, self.accepted, self.handshakes, self.child, self.out = 0, {}, 0, None, None

    def start(self, lines=LINES):
        self.starts += 1
        with tempfile.TemporaryFile("w+", dir=self.home.folder) as texts:
            texts.writelines(f"device {self.number} start {self.starts} line {n}\n" for n in range(lines))
            texts.seek(0)
            self.out = tempfile.TemporaryFile("w+b", dir=self.home.folder)
            self.child = self.home.start("device", "run", "--enrolment", self.path, self.uri, "--no-clock", "--lines",
                                         "--json", stdin=texts, stdout=self.out, stderr=subprocess.PIPE)
        atexit.register(self.child.kill)

    def end(self, kill=True):
        """By a kill, or when it has reported all that it had to."""
        if kill:
            self.child.kill()
        _, err = self.child.communicate(timeout=120)
        assert kill or self.child.returncode == 0, f"device {self.number}: {self.child.returncode} {err}"
        for line in os.pread(self.out.fileno(), 1 << 26, 0).split(b"\n")[:-1]:
            event = json.loads(line)
            assert event["event"] in ("accepted", "retry", "handshake"), f"device {self.number}: {event}"
            self.handshakes += event["event"] == "handshake"
            if event["event"] == "accepted":
                assert event["text"] not in self.accepted, f"device {self.number}: {event}, a second time"
                self.accepted[event["text"]] = event["n"]
        self.out.close()
        atexit.unregister(self.child.kill)
        self.child = None


def check_printed(printed, devices):
    """Each accepted reading under one identity, which holds its n; no identity has two texts."""
    accepted = {text: n for device in devices for text, n in device.accepted.items()}
    lost = [text for text in accepted if text not in printed]
    assert not lost, f"accepted and not printed: {lost[:5]}"
    assert len(set(printed.values())) == len(printed), "two texts have one identity"
    for text, n in accepted.items():
        identity = printed[text]
        assert identity[0] == "N" and int(identity[17:], 16) == n, f"{text}: {identity}, not n {n}"
    for device in devices:
        assert any(text.startswith(f"device {device.number} start {device.starts} ") for text in device.accepted)
    return len(accepted)


def main(larch, kills=15, seed=None):
    seed = seed if seed is not None else random.randrange(1 << 32)
    print(f"{kills} kills, seed {seed}", flush=True)
    dice, begun, printed, repeats, devices = random.Random(seed), time.monotonic(), {}, 0, []
    with tempfile.TemporaryDirectory(prefix="larch-kill9-") as folder:
        home, port = Home(larch, folder), free_port()
        uri = f"coap://127.0.0.1:{port}"
        for number in range(kills + 1):
            gateway = Gateway(larch, home.state, "--json", listen=f"127.0.0.1:{port}", folder=folder,
                              env=home.environment)
            atexit.register(gateway.child.kill)
            devices = devices or [Device(home, n, uri) for n in range(len(KINDS))]
            is_last = number == kills
            for device in devices:
                if device.child is not None and (is_last or device.child.poll() is not None):
                    device.end()  # killed, or refused by a gateway that had forgotten its half of a handshake
                if device.child is None:
                    device.start(lines=3 if is_last else LINES)
            if is_last:
                for device in devices:
                    device.end(kill=False)
                assert gateway.stop() == 0, gateway.log()
            else:
                time.sleep(dice.uniform(0, 0.08))  # a handshake takes some 10 ms
                if dice.random() < 0.7:
                    gateway.kill()
                for device in devices:
                    if dice.random() < 0.5:
                        device.end()
                        device.start()
                time.sleep(dice.uniform(0, 0.05))
                gateway.kill()
            repeats += take_lines(gateway.lines(), printed, f"seed {seed}, run {number}")
            gateway.close()
            atexit.unregister(gateway.child.kill)
            for device in devices:
                if device.child is not None and dice.random() < 0.6:
                    device.end()
        count = check_printed(printed, devices)
    handshakes = sum(device.handshakes for device in devices)
    assert handshakes >= kills, f"seed {seed}: only {handshakes} handshakes in {kills} runs"
    print(f"{handshakes} handshakes and {count} readings of {len(devices)} devices; {len(printed)} printed, each once, and "
          f"{repeats} repeats, all marked; {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) for a in sys.argv[2:]))
