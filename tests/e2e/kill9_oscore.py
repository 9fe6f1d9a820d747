#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a gateway at random moments while devices report readings under OSCORE, each with its number n, and kills
devices too. Over all runs each reading that a device saw accepted was printed by the gateway, under one identity and
once; a reading that was cut off and sent again is none that comes twice; what is printed again is marked as a repeat.

usage: kill9_oscore.py LARCH [KILLS [SEED]]
"""
import atexit
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

from gateway_process import Gateway
from kill9 import take_lines

DEVICES = 5
LINES = 4000  # that a start of a device could report: more than it has time for


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Home:
    """A folder, with nothing of the user's."""

    def __init__(self, larch, folder):
        self.larch, self.folder, self.state = larch, folder, folder + "/state"
        self.environment = os.environ | {"HOME": folder, "XDG_STATE_HOME": folder, "XDG_DATA_HOME": folder}

    def start(self, *arguments, **more):
        return subprocess.Popen([self.larch, *arguments], env=self.environment, **more)

    def context(self, number):
        """The file of a context that the gateway holds too."""
        secret = hashlib.sha256(bytes([number])).hexdigest()[:32]
        path = f"{self.folder}/device-{number}"
        for name, sender, recipient in ((path + ".gateway", "6777", f"{number:02x}"), (path, f"{number:02x}", "6777")):
            with open(name, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
                file.write(f'master_secret,hex,"{secret}"\nsender_id,hex,"{sender}"\nrecipient_id,hex,"{recipient}"\n')
        child = self.start("keys", "add-context", f"device-{number}", path + ".gateway", "--state", self.state)
        assert child.wait(20) == 0, "keys add-context"
        return path


class Device:
    """Runs again and again with one context; accepted: what it saw accepted, {text: n}."""

    def __init__(self, home, number, uri):
        self.home, self.number, self.uri = home, number, uri
        self.path = home.context(number)
        self.starts, self.accepted, self.child, self.out = 0, {}, None, None

    def start(self, lines=LINES):
        self.starts += 1
        with tempfile.TemporaryFile("w+", dir=self.home.folder) as texts:
            texts.writelines(f"device {self.number} start {self.starts} line {n}\n" for n in range(lines))
            texts.seek(0)
            self.out = tempfile.TemporaryFile("w+b", dir=self.home.folder)
            self.child = self.home.start("device", "run", "--oscore", self.path, self.uri, "--lines", "--json",
                                         stdin=texts, stdout=self.out, stderr=subprocess.PIPE)
        atexit.register(self.child.kill)

    def end(self, kill=True):
        """By a kill, or when it has reported all that it had to."""
        if kill:
            self.child.kill()
        _, err = self.child.communicate(timeout=120)
        assert kill or self.child.returncode == 0, f"device {self.number}: {self.child.returncode} {err}"
        for line in os.pread(self.out.fileno(), 1 << 26, 0).split(b"\n")[:-1]:
            event = json.loads(line)
            assert event["event"] in ("accepted", "retry"), f"device {self.number}: {event}"
            if event["event"] == "accepted":
                assert event["text"] not in self.accepted, f"device {self.number}: {event}, a second time"
                self.accepted[event["text"]] = event["n"]
        self.out.close()
        atexit.unregister(self.child.kill)
        self.child = None


class Sender(threading.Thread):
    """"larch send", a reading a process, until it is stopped. A reading that failed is not sent again."""

    def __init__(self, home, number, uri):
        super().__init__(daemon=True)
        self.home, self.uri, self.path = home, uri, home.context(number)
        self.accepted, self.stopped = set(), threading.Event()

    def run(self):
        number = 0
        while not self.stopped.is_set():
            number += 1
            text = f"sent {number}"
            child = self.home.start("send", "--oscore", self.path, "--timeout", "0.5", f"{self.uri}/r/sent", text,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if child.wait(60) == 0:
                self.accepted.add(text)


def check_printed(printed, identities, devices, sender):
    """Each accepted reading under one identity, which holds its n; no identity has two texts."""
    accepted = {text: n for device in devices for text, n in device.accepted.items()}
    lost = [text for text in (*accepted, *sender.accepted) if text not in printed]
    assert not lost, f"accepted and not printed: {lost[:5]}"
    assert len(identities) == len(printed), "two texts have one identity"
    for text, n in accepted.items():
        identity = printed[text]
        assert identity[0] == "N" and int(identity[17:], 16) == n, f"{text}: {identity}, not n {n}"
    assert len({printed[text][:17] for text in accepted}) == len(devices), "devices share a number"
    return len(accepted)


def main(larch, kills=20, seed=None):
    seed = seed if seed is not None else random.randrange(1 << 32)
    print(f"{kills} kills, seed {seed}", flush=True)
    dice, begun, printed, repeats = random.Random(seed), time.monotonic(), {}, 0
    with tempfile.TemporaryDirectory(prefix="larch-kill9-") as folder:
        home, port = Home(larch, folder), free_port()
        uri = f"coap://127.0.0.1:{port}"
        devices = [Device(home, number, uri) for number in range(1, DEVICES + 1)]
        sender = Sender(home, DEVICES + 1, uri)
        sender.start()
        for number in range(kills + 1):
            durability = dice.choice(["medium", "process"])
            gateway = Gateway(larch, home.state, "--json", "--durability", durability, listen=f"127.0.0.1:{port}",
                              folder=folder, env=home.environment)
            atexit.register(gateway.child.kill)
            is_last = number == kills
            if is_last:
                sender.stopped.set()
                sender.join()
            for device in devices:
                if device.child is not None and is_last:
                    device.end()
                if device.child is None:
                    device.start(lines=3 if is_last else LINES)
            if is_last:  # what was under way goes first, then these
                for device in devices:
                    device.end(kill=False)
                assert gateway.stop() == 0, gateway.log()
            else:
                time.sleep(dice.uniform(0.05, 0.5))
                gateway.kill()
            repeats += take_lines(gateway.lines(), printed, f"seed {seed}, run {number}, {durability}")
            gateway.close()
            atexit.unregister(gateway.child.kill)
            for device in devices:  # the others go on with the next gateway, when their retransmission comes
                if device.child is not None and dice.random() < 0.7:
                    device.end()
        identities = set(printed.values())
        count = check_printed(printed, identities, devices, sender)
    assert count >= 10 * kills, f"seed {seed}: only {count} readings in {kills} runs"
    print(f"{count} readings of {DEVICES} devices and {len(sender.accepted)} of larch send accepted; {len(printed)} "
          f"printed, each once, and {repeats} repeats, all marked; {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], *(int(a) for a in sys.argv[2:]))
