# SPDX-License-Identifier: Apache-2.0
"""Devices that shake hands: added, first and later readings, restarts on both sides, a lost session, and what is refused.

usage: test_lake.py LARCH"""
import json
import os
import re
import subprocess
import sys
import time
import unittest

from gateway_process import GatewayCase


class LakeCase(GatewayCase):
    def run_larch(self, *arguments, code=0, **more):
        done = subprocess.run([self.larch, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90,
                              text=True, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def add(self, name="lamp", *options, code=0):
        path = f"{self.folder.name}/{name}"
        done = self.run_larch("device", "add", name, "--out", path, "--state", self.state, *options, code=code)
        return path, done

    def send(self, gateway, path, text="21.5", *options, code=0):
        done = self.run_larch("send", "--enrolment", path, gateway.uri + "/r/kitchen", text, "--timeout", "4", *options,
                              code=code)
        return done.stdout + done.stderr

    def handshakes(self, gateway):
        return re.findall(rb"handshake: (\w+) (\w+) a session", gateway.log())


class Adding(LakeCase):
    def test_added_once(self):
        g = self.gateway()
        path, done = self.add()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(path).st_size, 91 - 16 + len("lamp"))
        identity = g.wait_for(rb"identity (larch2:\w+)")[1].decode()
        self.assertIn(identity, done.stderr)
        with open(path, "rb") as f:
            before = f.read()
        self.assertIn("not written over", self.add(code=3)[1].stderr)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), before)
        other = self.folder.name + "/other"
        done = self.run_larch("device", "add", "lamp", "--out", other, "--state", self.state, code=1)
        self.assertIn("the device lamp is there already", done.stderr)
        self.assertFalse(os.path.exists(other))
        listed = self.run_larch("device", "list", "--state", self.state).stdout
        self.assertRegex(listed, r"lamp\s+added, no context yet")
        self.send(g, path)
        listed = self.run_larch("device", "list", "--state", self.state, "--json").stdout.splitlines()
        self.assertEqual([json.loads(line)["device"] for line in listed], ["lamp"])

    def test_without_a_gateway(self):
        """Under the folder's lock; but a folder without an identity gets no device."""
        path, _ = self.add(code=1)
        self.assertFalse(os.path.exists(path))
        self.gateway().stop()
        path, _ = self.add()
        self.assertIn("is there already", self.run_larch("device", "add", "lamp", "--out", path + "2", "--state",
                                                         self.state, code=1).stderr)
        other, _ = self.add("other")
        self.run_larch("device", "revoke", "other", "--state", self.state)
        self.run_larch("device", "revoke", "other", "--state", self.state, code=1)
        g = self.gateway()
        self.assertIn("a session began", self.send(g, path))
        self.send(g, other, code=3)

    def test_usage(self):
        self.assertIn("--out", self.run_larch("device", "add", "lamp", code=2).stderr)
        self.run_larch("device", "add", "a b", "--out", "/dev/null", code=2)
        self.run_larch("send", "--enrolment", "x", "--oscore", "y", "coap://127.0.0.1/r/a", "t", code=2)
        self.run_larch("send", "--enrolment", "x", "--direct", "coap://127.0.0.1/r/a", "t", code=2)


class Sending(LakeCase):
    def test_sessions(self):
        g = self.gateway()
        path, _ = self.add()
        shown = self.send(g, path, "21.5")
        self.assertIn("a session began", shown)
        self.assertEqual(self.handshakes(g), [(b"lamp", b"began")])
        self.assertEqual(os.stat(path + ".state").st_mode & 0o777, 0o600)
        for text in ("21.6", "21.7"):
            self.assertNotIn("session", self.send(g, path, text))
        g.stop()
        again = self.gateway()
        self.assertNotIn("session", self.send(again, path, "21.8"))
        self.assertEqual(self.handshakes(again), [])
        for gateway, texts in ((g, (b"21.5", b"21.6", b"21.7")), (again, (b"21.8",))):
            lines = gateway.lines(len(texts))
            self.assertEqual(len(lines), len(texts))
            for line, text in zip(lines, texts):
                self.assertIn(text, line)
                self.assertIn(b"lamp", line)

    def test_lost_session(self):
        """The gateway's contexts are deleted, and the keys of its devices are not: the device resumes."""
        g = self.gateway()
        path, _ = self.add()
        self.send(g, path)
        g.stop()
        self.run_larch("keys", "recover", "--state", self.state, "--yes")
        g = self.gateway()
        shown = self.send(g, path, "22")
        self.assertIn("the session was renewed", shown)
        self.assertEqual(self.handshakes(g), [(b"lamp", b"renewed")])
        self.assertEqual(len(g.lines(1)), 1)
        self.assertNotIn("session", self.send(g, path, "23"))

    def test_lost_state(self):
        """The device has lost its state: the key of its enrolment stays good."""
        g = self.gateway()
        path, _ = self.add()
        self.send(g, path)
        os.unlink(path + ".state")
        time.sleep(1.1)  # the numbers of its readings begin with the second
        self.assertIn("a session began", self.send(g, path))
        self.assertEqual(self.handshakes(g), [(b"lamp", b"began")] * 2)
        self.assertEqual(len(g.lines(2)), 2)  # the same text, but another reading

    def test_json(self):
        g = self.gateway("--json")
        path, _ = self.add()
        self.send(g, path, "1", "--json")
        event = json.loads(g.wait_for(rb'(\{[^\n]*"event":"handshake"[^\n]*\})\n')[1])
        self.assertEqual((event["device"], event["method"], event["resumed"]), ("lamp", 4, False))


class Refused(LakeCase):
    def test_revoked(self):
        g = self.gateway()
        path, _ = self.add()
        self.send(g, path)
        self.run_larch("device", "revoke", "lamp", "--state", self.state)
        self.assertEqual(self.run_larch("device", "list", "--state", self.state).stdout, "")
        shown = self.send(g, path, code=3)
        self.assertIn("does not know the device 'lamp'", shown)
        self.run_larch("device", "revoke", "lamp", "--state", self.state, code=1)
        self.assertEqual(len(g.lines()), 1)

    def test_another_gateway(self):
        self.gateway()
        path, _ = self.add()
        other = self.gateway(state=self.folder.name + "/other")
        self.assertIn("is not the gateway larch2:", self.send(other, path, code=3))
        self.assertEqual(other.lines(), [])
        other.wait_for(rb"auth: [^\n]*handshake")

    def test_no_gateway(self):
        g = self.gateway()
        path, _ = self.add()
        g.stop()
        self.assertIn("no answer to the handshake", self.send(g, path, code=1))

    def test_damaged_files(self):
        g = self.gateway()
        path, _ = self.add()
        with open(path, "rb") as f:
            sound = f.read()
        for damaged, why in ((sound[:50], "cut short"), (b"", "cut short"), (sound.replace(b"lamp", b"l:mp"), "a name"),
                             (sound[:2] + b"\x02" + sound[3:], "a version")):
            with open(path, "wb") as f:
                f.write(damaged)
            self.assertIn(why, self.send(g, path, code=2))
        with open(path, "wb") as f:
            f.write(sound)
        os.chmod(path, 0o644)
        self.assertIn("others can read", self.send(g, path, code=3))
        os.chmod(path, 0o600)
        self.send(g, path)
        with open(path + ".state", "r+b") as f:
            f.seek(60)
            f.write(b"?")
        self.assertIn("is damaged", self.send(g, path, code=3))

    def test_required(self):
        g = self.gateway("--require", "lake")
        path, _ = self.add()
        self.send(g, path)
        done = self.run_larch("send", "--trust-first-use", "--known", self.folder.name + "/known", g.uri, "hello",
                              "--timeout", "4", code=1)
        self.assertIn("4.03", done.stdout + done.stderr)
        self.assertIn("requires handshakes", done.stdout + done.stderr)
        self.assertEqual(len(g.lines(1)), 1)


class Running(LakeCase):
    def test_device(self):
        g = self.gateway()
        path, _ = self.add("pump", "--authority", f"127.0.0.1:{g.address[1]}")
        for text in ("1\n2\n", "3\n"):
            done = self.run_larch("device", "run", "--enrolment", path, "--lines", "--json", input=text)
            reported = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertTrue(any("handshake" == line["event"] for line in reported) == (text != "3\n"), done.stdout)
        self.assertEqual(self.handshakes(g), [(b"pump", b"began")])
        self.assertEqual(len(g.lines(3)), 3)

    def test_rotation(self):
        """The gateway asks for new keys while the device reports: each reading is stored once, and the old keys go."""
        g = self.gateway()
        path, _ = self.add("pump", "--authority", f"127.0.0.1:{g.address[1]}")
        out = self.folder.name + "/out"
        with open(out, "wb") as f:
            device = subprocess.Popen([self.larch, "device", "run", "--enrolment", path, "--interval", "0.1", "--count", "40"],
                                      stdout=f, stderr=subprocess.STDOUT)
        self.addCleanup(device.kill)
        g.lines(2)
        kids = [self.kids()]
        for n in range(2):
            self.run_larch("device", "rotate", "pump", "--state", self.state)
            deadline = time.monotonic() + 30
            while len(self.handshakes(g)) < 2 + n and time.monotonic() < deadline:
                time.sleep(0.05)
            g.lines(len(g.lines()) + 2)  # the second one in the new session ends the one before
            kids.append(self.kids())
        self.assertEqual(device.wait(60), 0)
        self.assertEqual(self.handshakes(g), [(b"pump", b"began"), (b"pump", b"renewed"), (b"pump", b"renewed")])
        self.assertEqual(len({kid for kid in kids}), 3, kids)
        with open(out, "rb") as f:
            accepted = re.findall(rb"accepted +(\d+)", f.read())
        self.assertEqual(len(set(accepted)), 40)
        self.assertEqual(len(g.lines(40)), 40)
        self.run_larch("device", "rotate", "nobody", "--state", self.state, code=1)

    def kids(self):
        listed = self.run_larch("device", "list", "--state", self.state, "--json").stdout.splitlines()
        return tuple(sorted(json.loads(line)["kid"] for line in listed))

    def test_rotation_refused(self):
        """A device with a fixed context has no other keys to go to."""
        g = self.gateway()
        for name, ids in (("own", ("03", "67")), ("theirs", ("67", "03"))):
            with open(f"{self.folder.name}/{name}", "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write('master_secret,hex,"0102030405060708090a0b0c0d0e0f10"\nsender_id,hex,"%s"\nrecipient_id,hex,"%s"\n'
                        % ids)
        self.run_larch("keys", "add-context", "fixed", self.folder.name + "/theirs", "--state", self.state)
        device = subprocess.Popen([self.larch, "device", "run", "--oscore", self.folder.name + "/own", g.uri, "--interval",
                                   "0.2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(device.wait)
        self.addCleanup(device.terminate)
        g.lines(1)
        self.assertIn("4.00", self.run_larch("device", "rotate", "fixed", "--state", self.state, code=1).stderr)


if __name__ == "__main__":
    LakeCase.larch = sys.argv.pop(1)
    unittest.main()
