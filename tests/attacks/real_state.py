#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on what a gateway has stored, and a gateway that is none: copies, shared folders, deleted files, and an answer
from somebody who has the public key alone.

usage: real_state.py LARCH SEALER PROTO_CRYPTO [unittest arguments]
"""
import os
import shutil
import socket
import subprocess
import sys
import threading
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(here), "e2e"))
sys.path.insert(1, os.path.dirname(here))
import prototype  # noqa: E402
import skips  # noqa: E402
from gateway_process import OK, UNLIMITED, GatewayCase  # noqa: E402

BEFORE, AFTER = 50, 100
DONE, FAILED, USAGE, REFUSED = range(4)


class Case(GatewayCase):
    def accept(self, gateway, payloads, first):
        """How many of these messages are answered OK."""
        answers = gateway.post_all(dict(enumerate(payloads, first)))
        return sum(answer == OK for answer in answers.values())

    def refuses_to_start(self):
        """Whether a gateway over the folder ends by itself, and says why."""
        try:
            g = self.gateway(config=UNLIMITED)
        except AssertionError as e:
            self.assertIn("exit 1", str(e))
            return True
        self.addCleanup(g.kill)
        self.running = g
        return False


class Copies(Case):
    def prepare(self):
        """A folder, a copy of it, and the messages that were accepted after the copy was made."""
        g = self.gateway(config=UNLIMITED)
        sealed = self.seal(g, BEFORE + AFTER)
        self.assertEqual(self.accept(g, sealed[:BEFORE], 1), BEFORE)
        self.assertEqual(g.stop(), DONE)
        shutil.copytree(self.state, self.folder.name + "/backup")
        g = self.gateway(config=UNLIMITED)
        self.assertEqual(self.accept(g, sealed[BEFORE:], 1000), AFTER)
        self.assertEqual(g.stop(), DONE)
        return sealed[BEFORE:]

    def restore(self, name):
        """This file alone, or all."""
        if name is None:
            shutil.rmtree(self.state)
            shutil.copytree(self.folder.name + "/backup", self.state)
        else:
            shutil.copy2(f"{self.folder.name}/backup/{name}", self.state)

    def check(self, sealed, what):
        if self.refuses_to_start():
            return
        again = self.accept(self.running, sealed, 5000)
        self.running.kill()
        self.assertEqual(again, 0, f"{what}: {again} of {len(sealed)} messages accepted again")

    def test_a_restored_folder_is_recovered_and_accepts_no_message_again(self):
        sealed = self.prepare()
        self.restore(None)
        subprocess.run([self.larch, "keys", "recover", "--yes", "--state", self.state], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        self.check(sealed, "recovered")

    def test_a_restored_folder_is_refused(self):
        sealed = self.prepare()
        self.restore(None)
        self.check(sealed, "restored")

    def test_one_file_that_goes_back_is_refused(self):
        sealed = self.prepare()
        shutil.copytree(self.state, self.folder.name + "/newest")
        for name in sorted(os.listdir(self.folder.name + "/backup")):
            if not name.startswith("replay"):
                continue
            with self.subTest(name=name):
                self.restore(name)
                self.check(sealed, name)
                shutil.rmtree(self.state)
                shutil.copytree(self.folder.name + "/newest", self.state)


class Folders(Case):
    def test_two_gateways_on_one_folder(self):
        g = self.gateway(config=UNLIMITED)
        self.assertTrue(self.refuses_to_start())
        for name in os.listdir(self.state):
            if "lock" in name:
                os.unlink(f"{self.state}/{name}")
        self.assertTrue(self.refuses_to_start(), "a file that was removed was the lock")
        self.assertEqual(g.stop(), DONE)

    def test_nothing_is_answered_into_deleted_files(self):
        g = self.gateway(config=UNLIMITED)
        sealed = self.seal(g, 3)
        self.assertEqual(self.accept(g, sealed[:1], 1), 1)
        for name in os.listdir(self.state):
            if name.startswith("replay"):
                os.unlink(f"{self.state}/{name}")
        answers = [self.try_post(g, payload, 100 + i) for i, payload in enumerate(sealed[1:])]
        self.assertNotIn(OK, answers)

    def try_post(self, gateway, payload, number):
        try:
            return gateway.post(payload, number)
        except (TimeoutError, ConnectionRefusedError):
            return None


class Relay(threading.Thread):
    """Hands everything on to the gateway and back, but answers sealed messages itself: it has no private key."""

    def __init__(self, port, tail=b""):
        super().__init__(daemon=True)
        self.gateway, self.tail, self.swallowed = ("127.0.0.1", port), tail, 0
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.back.settimeout(5)
        self.start()

    def run(self):
        while True:
            datagram, peer = self.front.recvfrom(4096)
            if not datagram:
                return
            m = prototype.parse(datagram)
            if prototype.path_of(m) == "pqkem-data":
                self.swallowed += 1
                kind = prototype.ACK if m.type == prototype.CON else prototype.NON
                self.front.sendto(prototype.build(kind, prototype.CHANGED, m.mid, m.token, (), b"OK" + self.tail), peer)
                continue
            self.back.sendto(datagram, self.gateway)
            self.front.sendto(self.back.recv(4096), peer)

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))
        self.join()
        self.front.close()
        self.back.close()


class NoGateway(Case):
    """An OK from somebody who has the public key alone."""

    def send(self, relay, pin):
        return subprocess.run([self.larch, "send", f"coap://127.0.0.1:{relay.port}", "secret", "--pin", pin, "--known",
                               self.folder.name + "/known"], capture_output=True, text=True, timeout=60)

    def relay(self, tail=b""):
        g = self.gateway(config=UNLIMITED)
        relay = Relay(g.address[1], tail)
        self.addCleanup(relay.stop)
        return g, relay

    def identity(self, gateway):
        shown = subprocess.run([self.larch, "keys", "fingerprint", "--state", self.state], capture_output=True,
                               text=True, check=True).stdout
        found = [word for word in shown.split() if word.startswith("larch2:")]
        self.assertTrue(found, shown)
        return found[0]

    def test_under_a_key_pin_it_is_answered_and_not_proven(self):
        g, relay = self.relay()
        result = self.send(relay, g.pins()[0])
        self.assertEqual(relay.swallowed, 1)
        self.assertIn("answered, not proven", result.stdout + result.stderr)
        self.assertEqual(result.returncode, DONE)

    def test_under_an_identity_it_is_refused(self):
        for tail in b"", bytes(16):
            with self.subTest(tail=tail):
                g, relay = self.relay(tail)
                result = self.send(relay, self.identity(g))
                g.kill()
                self.assertGreaterEqual(relay.swallowed, 1, result.stderr)
                self.assertEqual(result.returncode, REFUSED, result.stderr)
                self.assertNotIn("accepted", result.stdout)


if __name__ == "__main__":
    GatewayCase.larch, GatewayCase.sealer, Case.proto_crypto = (os.path.abspath(a) for a in sys.argv[1:4])
    skips.main(argv=[sys.argv[0], *sys.argv[4:]])
