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
        self.g = self.gateway("--suites", "ml-kem-512,p-256", env=self.environment)
        self.tap = Tap(self.g.address)
        self.enrolment = self.add("lamp")

    def add(self, name, *options):
        path = f"{self.folder.name}/{name}"
        self.run_larch("device", "add", name, "--out", path, "--state", self.state, *options)
        return path

    def send(self, text, enrolment=None):
        self.run_larch("send", "--enrolment", enrolment or self.enrolment, self.tap.uri + "/r/kitchen", text, "--timeout", "4")

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
        self.assertEqual([m["length"] for m in lake], [813, 813, 779, 28, 30])  # IDs of 7 bytes, and the time
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
        self.assertIn("LAKE message_4, 30 bytes, post-quantum", text)

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
        self.assertEqual(lake[4]["inner"]["eads"], [65535])
        self.assertAlmostEqual(lake[4]["inner"]["time"], time.time(), delta=120)
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

    def test_signatures(self):
        """Method 0: messages 2 and 3 come in blocks, with a credential of the device by value."""
        self.send("21.5", self.add("pump", "--method", "0", "--by", "ccs"))
        packets, summary = self.packets("--keylog", self.log)
        lake = [p["lake"] for p in packets if "lake" in p]
        self.assertEqual([m["message"] for m in lake], HANDSHAKE)
        self.assertTrue(all(m["method"] == 0 and m["post_quantum"] == "yes" for m in lake))
        self.assertEqual([m.get("outcome") for m in lake], [None, None] + ["opened"] * 3)
        self.assertGreater(lake[2]["length"], 3000)
        self.assertEqual([m["inner"]["proof_length"] for m in lake[2:4]], [2420, 2420])
        self.assertEqual(len(lake[2]["inner"]["kid"]), 16)
        self.assertTrue(lake[3]["inner"]["id_cred"].startswith("a10e"))  # { 14: CCS }
        self.assertIn("completed 1; sessions: 1 post-quantum, 0 not, 0 unknown\n", summary)
        self.assertIn("no alerts", summary)

    def test_downgrade(self):
        """A host that shook hands over ML-KEM does so over P-256."""
        old = self.add("old", "--suite", "p-256")
        self.send("21.5", old)
        self.assertIn("no alerts", self.packets()[1])
        self.tap.passed.clear()
        self.send("21.5")
        self.send("21.5", self.add("older", "--suite", "p-256"))
        packets, summary = self.packets()
        alerts = [p for p in packets if p["event"] == "alert"]
        self.assertEqual([(a["alert"], a["severity"]) for a in alerts], [("downgrade", "alarm")])
        self.assertIn("sessions: 1 post-quantum, 1 not, 0 unknown\n", summary)

    def test_fallback(self):
        self.send("21.5")
        done = self.run_larch("send", "--trust-first-use", "--known", self.folder.name + "/known", self.tap.uri, "hello",
                              "--timeout", "4")
        self.assertEqual(done.stderr.count("larch send"), 0)
        found = [json.loads(line) for line in self.sniff("--json", "--alerts").stdout.splitlines()]
        self.assertEqual([(a["alert"], a["severity"]) for a in found], [("fallback", "warning")])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
