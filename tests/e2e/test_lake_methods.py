# SPDX-License-Identifier: Apache-2.0
"""Handshakes by signatures and in every cipher suite, credentials of a fleet's authority, what is refused and how it is
named, devices without a clock, and sessions that are renewed near their limits and their end.

usage: test_lake_methods.py LARCH"""
import json
import os
import re
import subprocess
import sys
import time
import unittest
import zlib

from test_lake import LakeCase

SUITES = {"ml-kem-512": -24, "ml-kem-512-gcm": -23, "ml-kem-1024": -22, "x-wing": -21}
RENEW_S = 7 * 86400 - 12 * 3600
RENEW_MESSAGES = (1 << 20) // 8 * 7


class MethodsCase(LakeCase):
    def path(self, name):
        return f"{self.folder.name}/{name}"

    def methods(self, gateway):
        """Of each handshake: (device, began or renewed, method, suite)."""
        found = re.findall(rb"handshake: (\S+) (\w+) a session from \S+, method (\d), suite (-?\d+)", gateway.log())
        return [(name.decode(), what.decode(), int(method), int(suite)) for name, what, method, suite in found]

    def authority(self, *options):
        self.run_larch("ca", "init", self.path("ca"), *options)
        return self.path("ca") + "/ca.pub"

    def request(self, name, suite="ml-kem-512", *options):
        """An enrolment, whose key the device made; its request waits for the authority."""
        self.run_larch("device", "card", "--suite", suite, "--out", self.path(name + "-card"), "--state", self.state)
        self.run_larch("device", "request", name, "--suite", suite, "--card", self.path(name + "-card"), "--out",
                       self.path(name), *options)
        return self.path(name)

    def sign(self, path, *options):
        self.run_larch("ca", "sign", self.path("ca"), path + ".request", *options)

    def edit_state(self, path, messages=None, age_s=None):
        """What a device has stored of its session, as if it had used or kept it for longer."""
        with open(path, "r", encoding="ascii") as f:
            body = f.read().rpartition("check ")[0]
        if messages is not None:
            body = re.sub(r"messages \d+", f"messages {messages}", body)
        if age_s is not None:
            body = re.sub(r"(session .*) \d+\n", rf"\1 {int(time.time()) - age_s}\n", body)
        with open(path, "w", encoding="ascii") as f:
            body += "check "
            f.write(f"{body}{zlib.crc32(body.encode()):08x}\n")


class Signing(MethodsCase):
    def test_every_pair(self):
        g = self.gateway()
        expected = []
        for method in ("4", "0"):
            for suite, number in SUITES.items():
                name = f"{suite}-{method}"
                path, _ = self.add(name, "--method", method, "--suite", suite)
                self.assertIn("a session began", self.send(g, path, "1"))
                self.assertNotIn("session", self.send(g, path, "2"))
                self.assertIn("was renewed", self.send(g, path, "3", "--no-clock"))
                expected += [(name, "began", int(method), number), (name, "renewed", 4, number)]
        self.assertEqual(self.methods(g), expected)
        self.assertEqual(len(g.lines(24)), 24)

    def test_by_value(self):
        g = self.gateway()
        for suite in ("ml-kem-512", "ml-kem-1024"):
            path, _ = self.add("by-" + suite[-4:].strip("-"), "--method", "0", "--by", "ccs", "--suite", suite)
            self.assertIn("a session began", self.send(g, path))

    def test_pairs_that_cannot_be(self):
        g = self.gateway()
        self.assertIn("cannot be had", self.add("a", "--method", "0", "--suite", "p-256", code=2)[1].stderr)
        self.assertIn("ml-kem-512", self.add("a", "--suite", "rsa", code=2)[1].stderr)
        self.assertIn("--method 0", self.add("a", "--by", "ccs", code=2)[1].stderr)
        self.assertIn("does not allow", self.add("a", "--suite", "p-256", code=1)[1].stderr)
        self.assertFalse(os.path.exists(self.path("a")))
        self.run_larch("device", "send", "lamp", "led", "on", "--method", "0", "--state", self.state, code=2)
        self.assertEqual(g.stop(), 0)

    def test_without_a_gateway(self):
        self.gateway().stop()
        path, _ = self.add("lamp", "--method", "0")
        g = self.gateway()
        self.assertIn("a session began", self.send(g, path))
        self.assertEqual(self.methods(g), [("lamp", "began", 0, -24)])

    def test_classical_suites_are_opt_in(self):
        g = self.gateway("--suites", "p-256,ml-kem-512")
        path, _ = self.add("lamp", "--suite", "p-256")
        self.send(g, path)
        self.assertEqual(self.methods(g), [("lamp", "began", 4, 2)])
        g.stop()
        g = self.gateway()
        os.unlink(path + ".state")
        self.assertIn("does not allow the cipher suite p-256", self.send(g, path, code=3))
        self.run_larch("gateway", "--suites", "p-256,p-256", "--state", self.state, code=2)

    def test_another_gateway(self):
        self.gateway()
        path, _ = self.add("lamp", "--method", "0")
        other = self.gateway(state=self.path("other"))
        self.assertIn("could not prove that it is the gateway larch2:", self.send(other, path, code=3))
        self.assertEqual(other.lines(), [])

    def test_key_of_another_device(self):
        g = self.gateway()
        one, _ = self.add("one", "--method", "0")
        two, _ = self.add("two", "--method", "0")
        with open(one, "rb") as f:
            first = f.read()
        with open(two, "rb") as f:
            second = f.read()
        seed = first.index(b"\x04\x58\x20") + 3
        with open(one, "wb") as f:
            at = second.index(b"\x04\x58\x20") + 3
            f.write(first[:seed] + second[at:at + 32] + first[seed + 32:])
        self.assertIn("another key", self.send(g, one, code=3))
        self.assertEqual(g.lines(), [])

    def test_revoked(self):
        g = self.gateway()
        path, _ = self.add("lamp", "--method", "0")
        self.send(g, path)
        self.run_larch("device", "revoke", "lamp", "--state", self.state)
        self.assertIn("does not know the device 'lamp'", self.send(g, path, code=3))
        g.wait_for(b"no device is known by this kid")


NOBODY = 65534


@unittest.skipUnless(os.geteuid() == 0, "needs root, to be other users")
class Owners(MethodsCase):
    def test_root_adds_for_the_owner(self):
        """What root writes in the gateway's folder is its owner's, as if that had written it; the enrolment is root's."""
        os.chmod(self.folder.name, 0o755)
        os.mkdir(self.state, 0o700)
        os.chown(self.state, NOBODY, NOBODY)
        nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.gateway(**nobody).stop()
        for method in ("4", "0"):
            path, _ = self.add("lamp" + method, "--method", method)
            self.assertEqual(os.stat(path).st_uid, 0)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.run_larch("device", "revoke", "lamp4", "--state", self.state)
        for name in os.listdir(self.state):
            st = os.lstat(f"{self.state}/{name}")
            self.assertEqual((st.st_uid, st.st_gid), (NOBODY, NOBODY), name)
        self.send(self.gateway(**nobody), path)


class Authority(MethodsCase):
    def test_without_a_credential(self):
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertIn("have the authority sign", self.send(g, path, code=1))
        done = self.run_larch("ca", "sign", self.path("ca"), path + ".request")
        self.assertIn("signed for 'pump', valid until", done.stderr)
        self.send(g, path)
        os.rename(path + ".request", path + ".cwt")  # signed by the device itself
        os.unlink(path + ".state")
        self.send(g, path, code=3)
        g.wait_for(b"was not signed by the authority")

    def test_signature_too_long_by_value(self):
        g = self.gateway("--ca", self.authority("--algorithm", "ml-dsa-87"))
        path = self.request("pump")
        self.sign(path)
        self.assertIn("--by hash", self.send(g, path, code=3))

    def test_by_value_and_resumed(self):
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.sign(path)
        self.assertIn("a session began", self.send(g, path))
        self.assertIn("was renewed", self.send(g, path, "2", "--no-clock"))
        self.assertEqual(self.methods(g), [("pump", "began", 0, -24), ("pump", "renewed", 4, -24)])
        g.wait_for(b"pump was added")
        g.stop()
        g = self.gateway()  # without --ca: it is on record, and its session goes on
        self.send(g, path, "3")

    def test_by_hash(self):
        g = self.gateway("--ca", self.authority("--algorithm", "ml-dsa-87"))
        path = self.request("pump", "ml-kem-1024", "--by", "hash")
        self.sign(path)
        self.assertIn("does not know the device", self.send(g, path, code=3))
        self.assertIn("pump is on record",
                      self.run_larch("device", "accept", path + ".cwt", "--state", self.state).stderr)
        self.assertIn("a session began", self.send(g, path))
        self.assertEqual(self.methods(g), [("pump", "began", 0, -22)])

    def test_too_long_by_value(self):
        self.gateway("--ca", self.authority())
        self.run_larch("device", "card", "--suite", "ml-kem-1024", "--out", self.path("c"), "--state", self.state)
        done = self.run_larch("device", "request", "pump", "--suite", "ml-kem-1024", "--card", self.path("c"), "--out",
                              self.path("p"), code=2)
        self.assertIn("--by hash", done.stderr)
        self.assertFalse(os.path.exists(self.path("p")))

    def test_revoked_for_good(self):
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.sign(path)
        self.send(g, path)
        self.run_larch("device", "revoke", "pump", "--state", self.state)
        os.unlink(path + ".cwt")
        self.sign(path)  # a new credential for the old key
        self.assertIn("its credential is not valid there", self.send(g, path, code=3))
        g.wait_for(b"was revoked")
        self.assertEqual(len(g.lines(1)), 1)

    def test_another_key_under_a_name(self):
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.sign(path)
        self.send(g, path)
        for name in ("", ".cwt", ".request", ".state"):
            os.rename(path + name, self.path("old") + name)
        os.unlink(path + "-card")
        path = self.request("pump")
        self.sign(path)
        self.send(g, path, code=3)
        g.wait_for(b"on record with another key: revoke it first")

    def test_foreign_authority(self):
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.run_larch("ca", "init", self.path("other-ca"))
        self.run_larch("ca", "sign", self.path("other-ca"), path + ".request")
        self.send(g, path, code=3)
        g.wait_for(b"was not signed by the authority of --ca")
        self.assertEqual(g.lines(), [])
        g.stop()
        g = self.gateway(state=self.state)
        self.send(g, path, code=3)
        g.wait_for(b"this gateway has no --ca")

    def test_expired(self):
        """The device names it before it sends anything; the gateway names it too."""
        g = self.gateway("--ca", self.authority())
        path = self.request("pump")
        self.sign(path, "--days", "1")
        with open(path + ".cwt", "rb") as f:
            cwt = f.read()
        # exp is claim 4 in the signed payload; a device that lies about it breaks the signature
        at = cwt.index(b"\x04\x1a")
        with open(path + ".cwt", "wb") as f:
            f.write(cwt[:at + 2] + (int(time.time()) - 5).to_bytes(4, "big") + cwt[at + 6:])
        self.assertRegex(self.send(g, path, code=3), r"pump\.cwt expired \d+ s ago; have the authority sign another")
        self.send(g, path, "1", "--no-clock", code=3)
        g.wait_for(b"was not signed by the authority")
        at = cwt.index(b"\x05\x1a")
        with open(path + ".cwt", "wb") as f:
            f.write(cwt[:at + 2] + (int(time.time()) + 900).to_bytes(4, "big") + cwt[at + 6:])
        self.assertIn("is this host's clock right?", self.send(g, path, code=3))

    def test_files(self):
        ca = self.authority()
        self.assertEqual(os.stat(self.path("ca") + "/ca.key").st_mode & 0o777, 0o600)
        self.assertIn("not written over", self.run_larch("ca", "init", self.path("ca"), code=3).stderr)
        self.run_larch("gateway", "--ca", self.path("ca") + "/ca.key", "--state", self.state, code=3)
        self.run_larch("gateway", "--ca", __file__, "--state", self.state, code=3)
        self.run_larch("ca", "sign", self.path("ca"), ca, "--out", self.path("x"), code=3)
        self.run_larch("ca", code=2)
        self.run_larch("ca", "sign", self.path("ca"), code=2)
        os.chmod(self.path("ca") + "/ca.key", 0o644)
        self.run_larch("ca", "sign", self.path("ca"), ca, "--out", self.path("x"), code=3)


class Keeping(MethodsCase):
    def test_refused_while_it_runs(self):
        """A refusal is not authenticated: the run goes on with the session that it has."""
        g = self.gateway("--json")
        path, _ = self.add("lamp")
        self.send(g, path, "first")
        self.edit_state(path + ".state", messages=RENEW_MESSAGES - 10)
        g.stop()
        g = self.gateway("--json", "--suites", "x-wing", listen=f"127.0.0.1:{g.address[1]}")
        texts = [str(n) for n in range(20)]
        done = self.run_larch("device", "run", "--enrolment", path, g.uri, "--json", "--lines",
                              input="".join(t + "\n" for t in texts))
        self.assertIn("does not allow the cipher suite ml-kem-512", done.stderr)
        self.assertEqual([json.loads(line)["text"] for line in g.lines(len(texts))], texts)

    def test_state_folder(self):
        g = self.gateway()
        path, _ = self.add("lamp")
        states = self.path("states")
        self.assertIn("a session began", self.send(g, path, "1", "--state", states))
        self.assertEqual(os.stat(states).st_mode & 0o777, 0o700)
        self.assertEqual(os.listdir(states), ["lamp.state"])
        self.assertFalse(os.path.exists(path + ".state"))
        self.assertNotIn("session", self.send(g, path, "2", "--state", states))
        self.run_larch("device", "run", "--enrolment", path, g.uri, "--state", states, "--lines", input="3\n")
        self.assertEqual(self.handshakes(g), [(b"lamp", b"began")])
        self.assertEqual(len(g.lines(3)), 3)
        self.run_larch("send", g.uri, "x", "--state", states, code=2)

    def run_device(self, gateway, path, *options, **more):
        done = self.run_larch("device", "run", "--enrolment", path, gateway.uri, "--json", *options, **more)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def assert_renewed(self, gateway, events, texts):
        """One handshake in the midst, and no reading lost or doubled."""
        self.assertEqual([e["text"] for e in events if e["event"] == "accepted"], texts)
        kinds = [e["event"] for e in events]
        self.assertEqual(kinds.count("handshake"), 1, kinds)
        at = kinds.index("handshake")
        self.assertTrue("accepted" in kinds[:at] and "accepted" in kinds[at:], kinds)
        printed = [json.loads(line)["text"] for line in gateway.lines(1 + len(texts))]
        self.assertEqual(printed[1:], texts)
        self.assertEqual([what for _, what, *_ in self.methods_json(gateway)], ["began", "renewed"])

    def methods_json(self, gateway):
        events = [json.loads(line) for line in re.findall(rb'\{[^\n]*"event":"handshake"[^\n]*\}', gateway.log())]
        return [(e["device"], "renewed" if e["resumed"] else "began", e["method"]) for e in events]

    def test_near_the_limit(self):
        for method in ("4", "0"):
            with self.subTest(method):
                self.state = self.path("state" + method)
                g = self.gateway("--json")
                path, _ = self.add("lamp" + method, "--method", method)
                self.send(g, path, "first")
                self.edit_state(path + ".state", messages=RENEW_MESSAGES - 30)
                texts = [str(n) for n in range(60)]
                events = self.run_device(g, path, "--lines", input="".join(t + "\n" for t in texts))
                self.assert_renewed(g, events, texts)
                g.stop()

    def test_near_the_end(self):
        g = self.gateway("--json")
        path, _ = self.add("lamp")
        self.send(g, path, "first")
        self.edit_state(path + ".state", age_s=RENEW_S - 2)
        child = subprocess.Popen([self.larch, "device", "run", "--enrolment", path, g.uri, "--json", "--lines"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        texts = [str(n) for n in range(40)]
        for text in texts:
            child.stdin.write(text + "\n")
            child.stdin.flush()
            time.sleep(0.1)
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, err)
        self.assert_renewed(g, [json.loads(line) for line in out.splitlines()], texts)

    def test_no_clock(self):
        """Whatever the host's clock says: the session's age is that of the gateway's clock."""
        g = self.gateway()
        path, _ = self.add("lamp")
        self.send(g, path, "1")
        self.edit_state(path + ".state", age_s=-10 * 86400)  # made in ten days, by a clock that was wrong
        self.assertNotIn("session", self.send(g, path, "2"))
        self.assertIn("was renewed", self.send(g, path, "3", "--no-clock"))
        with open(path + ".state", "r", encoding="ascii") as f:
            made_s = int(re.search(r"session .* (\d+)\n", f.read())[1])
        self.assertLess(abs(made_s - time.time()), 60)
        self.run_larch("device", "run", "--oscore", path, g.uri, "--no-clock", code=2)


if __name__ == "__main__":
    MethodsCase.larch = sys.argv.pop(1)
    LakeCase.larch = MethodsCase.larch
    unittest.main()
