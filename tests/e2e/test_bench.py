#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch bench kem, kex, oscore and handshake: every row is there, and well formed. No figure is judged.

usage: test_bench.py LARCH PEERS
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

FAILED, USAGE = 1, 2
KEMS = {"ML-KEM-512": (800, 768), "ML-KEM-768": (1184, 1088), "ML-KEM-1024": (1568, 1568), "X-Wing": (1216, 1120)}
SIGNATURES = {"ML-DSA-44": (1312, 2420), "ML-DSA-65": (1952, 3309), "ML-DSA-87": (2592, 4627)}
CLASSICAL = {"X25519", "P-256 ECDH", "RSA-2048 OAEP", "P-256 ECDSA"}
OPERATIONS = {"ciphertext_bytes": ["keygen", "encaps", "decaps"], "signature_bytes": ["keygen", "sign", "verify"]}

# A helper with one scheme: "time" answers what the test wants.
HELPER = """#!/bin/sh
printf 'scheme\\t0\\t32\\t32\\tMbed TLS 0\\tX25519\\tfake\\n{hello}\\n'
while read -r word rest; do
    case $word in
    time) echo "{time}" ;;
    *) echo "stack 1000" ;;
    esac
done
"""


class Bench(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="larch-test-bench-")
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(LARCH, os.path.join(self.folder, "larch"))

    def helper(self, hello="ready", time="time 2000000 5200 3"):
        path = os.path.join(self.folder, "larch-bench-peers-of-the-test")
        with open(path, "w") as file:
            file.write(HELPER.format(hello=hello, time=time))
        os.chmod(path, 0o755)

    def run_larch(self, *arguments, code=0, seconds="0.01"):
        run = subprocess.run([os.path.join(self.folder, "larch"), "bench", *arguments, "--seconds", seconds],
                             capture_output=True, text=True, timeout=200)
        self.assertEqual(run.returncode, code, run.stderr)
        return run.stdout, run.stderr

    def rows(self, *arguments, **keywords):
        out, err = self.run_larch(*arguments, "--json", **keywords)
        rows = {}
        for line in out.splitlines():
            row = json.loads(line)
            self.assertTrue(0 < row["us_fastest_round"] <= row["us"] <= row["us_slowest_round"], line)
            self.assertTrue(0 < row["rounds"] <= row["runs"] and row["stack_bytes"] > 0, line)
            rows.setdefault((row["library"], row["how"], row["algorithm"]), []).append(row)
        for same in rows.values():  # each scheme has its three operations, in order
            kind = "ciphertext_bytes" if "ciphertext_bytes" in same[0] else "signature_bytes"
            self.assertEqual([row["operation"] for row in same], OPERATIONS[kind])
        return rows, err

    def check_ours(self, rows):
        for sizes, field in ((KEMS, "ciphertext_bytes"), (SIGNATURES, "signature_bytes")):
            for algorithm, wire in sizes.items():
                ours = [r for (library, _, a), r in rows.items() if library.startswith("larch ") and a == algorithm]
                self.assertTrue(ours, algorithm)
                for same in ours:
                    self.assertEqual((same[0]["public_key_bytes"], same[0][field]), wire)

    def test_kem_with_the_peers_of_this_machine(self):
        shutil.copy(PEERS, self.folder)
        rows, err = self.rows("kem", seconds="0.1")
        self.check_ours(rows)
        self.assertEqual(err, "")
        self.assertEqual({a for _, _, a in rows}, set(KEMS) | set(SIGNATURES))
        for (library, how, algorithm), same in rows.items():
            if "OpenSSL" in library and how == "key objects ready":
                self.assertEqual({row["times_as_fast"] for row in same}, {1.0})

    def test_kex_with_the_peers_of_this_machine(self):
        shutil.copy(PEERS, self.folder)
        rows, err = self.rows("kex", seconds="0.1")
        self.check_ours(rows)
        self.assertEqual(err, "")
        mbedtls = {a for library, _, a in rows if library.startswith("Mbed TLS ")}
        self.assertEqual(mbedtls, CLASSICAL)
        for (library, how, algorithm), same in rows.items():
            self.assertIn(same[1]["yardstick"].split(" ", 3)[3], ("X25519", "P-256 ECDSA"))
            self.assertEqual(same[1]["times_as_fast"], same[2]["times_as_fast"])
            if library.startswith("Mbed TLS ") and algorithm in ("X25519", "P-256 ECDSA"):
                self.assertEqual(same[1]["times_as_fast"], 1.0)

    def test_alone(self):
        rows, err = self.rows("kem")
        self.check_ours(rows)
        self.assertIn("ours alone", err)
        self.assertFalse([row for same in rows.values() for row in same if "yardstick" in row])

    def test_one_set(self):
        rows, _ = self.rows("kem", "--kem", "768")
        self.assertEqual({a for _, _, a in rows}, {"ML-KEM-768"})

    def test_tables(self):
        self.helper()
        for command, columns in (("kem", 12), ("kex", 9)):
            out, _ = self.run_larch(command, "--markdown")
            lines = [line for line in out.splitlines() if line.startswith("|")]
            self.assertEqual({line.count("|") for line in lines}, {columns})
            self.assertEqual(len([line for line in lines if line.startswith("|---")]), 2)
            for name in list(KEMS) + list(SIGNATURES):
                self.assertTrue([line for line in lines if line.startswith(f"| {name} | **larch ")], name)
            plain, _ = self.run_larch(command)
            self.assertNotIn("|", plain)
            self.assertIn("ML-KEM-512", plain)

    def test_the_figures_are_the_helpers(self):
        self.helper()
        rows, _ = self.rows("kex")
        for row in rows[("Mbed TLS 0", "fake", "X25519")]:
            self.assertEqual((row["us"], row["cycles"], row["stack_bytes"]), (2.0, 5200, 1000))
            if row["operation"] == "keygen":  # keys are made no more once they took their time: on a busy machine soon
                self.assertIn(row["runs"], range(3, 46, 3))
            else:
                self.assertEqual(row["runs"], 45)
        ours = next(same for (library, _, a), same in rows.items() if a == "ML-KEM-512")
        self.assertEqual(ours[1]["yardstick"], "Mbed TLS 0 X25519")
        self.assertAlmostEqual(ours[1]["times_as_fast"], 4.0 / ours[1]["exchange_us"], delta=0.01)

    def test_a_helper_that_does_not_start(self):
        for hello in ("scheme\\t0\\t32", "scheme\\t7\\t32\\t32\\ta\\tb\\tc", "scheme\\t0\\t0\\t32\\ta\\tb\\tc", "nonsense"):
            with self.subTest(hello):
                self.helper(hello=hello)
                rows, err = self.rows("kex")
                self.assertIn("rows are left out", err)
                self.assertFalse([library for library, _, _ in rows if library == "Mbed TLS 0"])

    def test_a_helper_that_fails(self):
        self.helper(time="failed")
        out, err = self.run_larch("kex", "--json", code=FAILED)
        self.assertEqual(out, "")
        self.assertIn("failed", err)

    def oscore(self, *arguments, **keywords):
        return self.run_larch("oscore", "--senders", "2", "--libcoap", os.path.join(self.folder, "none"), *arguments,
                              seconds="0.2", **keywords)

    def test_oscore(self):
        out, err = self.oscore("--json")
        self.assertEqual(err, "")
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({line["bench"] for line in lines}, {"oscore"})
        servers = {(line["server"], line["type"]): line for line in lines if "server" in line}
        names = ("bare UDP echo", "larch, without outbox", "larch, with outbox", "libcoap")
        self.assertEqual(set(servers), {(name, kind) for name in names for kind in ("NON", "CON")})
        for (name, _), line in servers.items():
            if name == "libcoap":
                self.assertIn("not installed", line["missing"])
            else:
                self.assertTrue(line["rounds"] > 0 and line["rate"] > 0 and line["cpu_us"] > 0, line)
                self.assertTrue(line["answered"] > 0 and line["refused"] == 0, line)
        ratios = [line for line in lines if "ratio" in line]
        self.assertEqual(len(ratios), 4)  # none to libcoap
        for line in ratios:
            self.assertTrue(line["by_rate"] > 0 and line["by_cpu"] > 0, line)
        tables = [line for line in lines if "contexts" in line]
        self.assertEqual([line["contexts"] for line in tables], [1, 1000, 100000])
        for line in tables:
            self.assertTrue(line["find_ns"] > 0 and line["context_bytes"] <= 256, line)
            self.assertTrue(line["contexts"] * line["context_bytes"] < line["table_bytes"], line)
        self.assertLess(tables[2]["resident_bytes"], 64_000_000)

    def test_oscore_tables(self):
        out, _ = self.oscore("--markdown")
        heads = [line for line in out.splitlines() if line.startswith("|---")]
        self.assertEqual([line.count("|") for line in heads], [5, 4, 5])
        self.assertIn("| libcoap, NON | - | - | - |", out)
        self.assertIn("libcoap: not installed", out)

    def test_oscore_ends_with_its_servers(self):
        before = set(os.listdir(tempfile.gettempdir()))
        self.oscore("--json")
        left = [name for name in set(os.listdir(tempfile.gettempdir())) - before if name.startswith("larch-bench-")]
        self.assertEqual(left, [])

    def handshake(self, *arguments, **keywords):
        return self.run_larch("handshake", "--senders", "4", *arguments, seconds="0.05", **keywords)

    def test_handshake(self):
        out, err = self.handshake("--json")
        self.assertEqual(err, "")
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({line["bench"] for line in lines}, {"handshake"})
        pairs = {(line["method"], line["suite"]): line for line in lines if "method" in line}
        kem, dh = (-24, -23, -22, -21), (2, 3)
        self.assertEqual(set(pairs), {(m, s) for m in (4, 0) for s in kem + dh} | {(3, s) for s in dh})
        for (method, _), line in pairs.items():
            for wire in line["wire"]:
                prefixed = [n + p for n, p in zip(line["messages"], (1, 0, 8, 0))]
                blocks = [-(-n // wire["block"]) for n in prefixed]
                self.assertTrue(all(abs(a - b) <= 1 for a, b in zip(blocks, wire["blocks"])), line)  # C_R may be shorter
                self.assertEqual(wire["datagrams"], 2 * wire["round_trips"])
                self.assertEqual(wire["round_trips"], 1 + sum(wire["blocks"]) - 2)
                self.assertEqual(wire["round_trips_without_echo"], wire["round_trips"] - 1)
                self.assertGreater(wire["bytes_up"] + wire["bytes_down"], sum(line["messages"]))
            for party in ("initiator", "responder"):
                self.assertGreater(line[party]["cpu_us"], 0)
                self.assertEqual(line[party]["sign"], 1 if method == 0 else 0)
            self.assertEqual(line["kept_bytes"], 256)
        self.assertLessEqual(sum(pairs[4, -24]["messages"]), 1650)
        (load,) = [line for line in lines if "load" in line]
        self.assertTrue(load["completed"] > 0 and load["rate"] > 0 and load["gateway_cpu_us"] > 0, load)
        self.assertEqual((load["refused"], load["lost"]), (0, 0))
        self.assertGreaterEqual(load["challenged"], load["completed"])
        self.assertGreaterEqual(load["datagrams"], 6 * load["completed"])

    def test_handshake_tables(self):
        out, _ = self.handshake("--markdown")
        heads = [line for line in out.splitlines() if line.startswith("|---")]
        self.assertEqual([line.count("|") for line in heads], [11, 6, 8])
        self.assertIn("| method 4, suite -24 (ML-KEM-512) | 813 | 779 | 28 | 30 | 1650 |", out)
        self.assertIn("not measured", out)

    def test_usage(self):
        for arguments in (["kexx"], [], ["kem", "kex"], ["kem", "--kem", "513"], ["oscore", "--senders", "65"],
                          ["handshake", "--senders", "129"], ["handshake", "4"]):
            _, err = self.run_larch(*arguments, code=USAGE)
            self.assertIn("larch bench --help", err)


if __name__ == "__main__":
    LARCH, PEERS = sys.argv[1:3]
    skips.main(argv=sys.argv[:1], verbosity=1)
