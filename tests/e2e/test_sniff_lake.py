#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch sniff reads the handshakes of an enrolled device with a gateway, without keys and with their key log.

usage: test_sniff_lake.py LARCH LARCH_WITH_KEYLOG
"""
import json
import os
import subprocess
import sys
import time
import unittest

from gateway_process import GatewayCase
from tap import Tap

LARCH, WITH_KEYLOG = (os.path.abspath(a) for a in sys.argv[1:3])
HANDSHAKE = ["message_1", "message_1", "message_2", "message_3", "message_4"]


class SniffLake(GatewayCase):
    larch = WITH_KEYLOG

    def run_larch(self, *arguments, code=0):
        done = subprocess.run([WITH_KEYLOG, *arguments], capture_output=True, timeout=90, text=True, check=False,
                              env=self.environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def setUp(self):
        super().setUp()
        self.log = self.folder.name + "/keys"
        self.environment = os.environ | {"HOME": self.folder.name, "LARCH_KEYLOGFILE": self.log}
        self.g = self.gateway(env=self.environment)
        self.tap = Tap(self.g.address)
        self.enrolment = self.folder.name + "/lamp"
        self.run_larch("device", "add", "lamp", "--out", self.enrolment, "--state", self.state)

    def send(self, text):
        self.run_larch("send", "--enrolment", self.enrolment, self.tap.uri + "/r/kitchen", text, "--timeout", "4")

    def sniff(self, *options):
        done = subprocess.run([LARCH, "sniff", "-r", self.tap.capture(self.folder.name), *options], capture_output=True,
                              timeout=60, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def packets(self, *options):
        done = self.sniff("--json", *options)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_without_keys(self):
        self.send("21.5")
        self.send("21.6")
        packets, summary = self.packets()
        lake = [p["lake"] for p in packets if "lake" in p]
        self.assertEqual([m["message"] for m in lake], HANDSHAKE)
        self.assertEqual([m["length"] for m in lake], [813, 813, 779, 28, 17])  # IDs of 7 bytes
        for m in lake:
            self.assertEqual((m["method"], m["suite"], m["post_quantum"]), (4, -24, "yes"))
            self.assertNotIn("inner", m)
            self.assertNotIn("outcome", m)
        first = lake[0]
        self.assertEqual((first["method_name"], first["suites_i"], first["g_x_length"], len(first["c_i"])),
                         ("PSK", [-24], 800, 14))
        self.assertIn("ML-KEM-512", first["suite_name"])
        self.assertEqual((lake[2]["g_y_length"], lake[2]["ciphertext_length"]), (768, 8))
        oscore = [p["oscore"] for p in packets if "oscore" in p]
        self.assertGreaterEqual(len(oscore), 4)
        self.assertEqual({m["post_quantum"] for m in oscore}, {"yes"})
        self.assertIn("handshakes begun 1, completed 1; sessions: 1 post-quantum, 0 not, 0 unknown\n",
                      summary)
        self.assertIn("no alerts", summary)
        text = self.sniff().stdout
        self.assertIn("LAKE message_1, 813 bytes, method PSK, suite -24 (ML-KEM-512, ML-DSA-44, AES-CCM, SHAKE256), "
                      "G_X 800 bytes, C_I " + first["c_i"] + ", post-quantum", text)
        self.assertIn("LAKE message_4, 17 bytes, post-quantum", text)

    def test_with_a_key_log(self):
        self.send("21.5")
        packets, _ = self.packets("--keylog", self.log)
        lake = [p["lake"] for p in packets if "lake" in p]
        self.assertEqual([m["message"] for m in lake], HANDSHAKE)
        self.assertEqual([m.get("outcome") for m in lake], [None, None] + ["opened"] * 3)
        with open(self.enrolment, "rb") as f:
            enrolment = f.read()
        kid = lake[3]["inner"]["kid"]
        self.assertEqual(len(kid), 16)
        self.assertIn(bytes.fromhex(kid), enrolment)
        self.assertEqual(lake[2]["inner"]["c_r"], lake[3]["c_r"])
        inner = [p["oscore"].get("inner", {}) for p in packets if "oscore" in p]
        self.assertIn("21.5", "".join(i.get("payload", "") for i in inner))
        self.assertIn(f"; C_R {lake[3]['c_r']}", self.sniff("--keylog", self.log).stdout)

    def test_begun_before(self):
        """Whether a session is post-quantum is not guessed, if its handshake was not seen; and other secrets open nothing."""
        self.send("21.5")
        self.tap.passed.clear()
        self.send("21.6")
        packets, summary = self.packets()
        self.assertEqual({p["oscore"]["post_quantum"] for p in packets if "oscore" in p}, {"unknown"})
        self.assertIn("sessions: 0 post-quantum, 0 not, 1 unknown\n", summary)
        with open(self.log) as f:
            kept = f.read()
        os.unlink(self.enrolment + ".state")
        os.unlink(self.log)
        self.tap.passed.clear()
        time.sleep(1.1)  # the numbers of readings begin with the second
        self.send("21.7")
        with open(self.log, "w") as f:
            f.write(kept)
        packets, _ = self.packets("--keylog", self.log)
        self.assertEqual([p["lake"].get("outcome") for p in packets if "lake" in p], [None, None] + ["no secrets"] * 3)

    def test_fallback(self):
        self.send("21.5")
        done = self.run_larch("send", "--trust-first-use", "--known", self.folder.name + "/known", self.tap.uri, "hello",
                              "--timeout", "4")
        self.assertEqual(done.stderr.count("larch send"), 0)
        found = [json.loads(line) for line in self.sniff("--json", "--alerts").stdout.splitlines()]
        self.assertEqual([(a["alert"], a["severity"]) for a in found], [("fallback", "warning")])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
