#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A state folder that goes back, is shared, or vanishes: the gateway refuses or stops, and nothing is accepted twice.

usage: test_backup.py LARCH SEALER [unittest arguments]
"""
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import OK, POST, REPLAY, UNLIMITED, GatewayCase, request  # noqa: E402

LARCH, SEALER = (os.path.abspath(a) for a in sys.argv[1:3])
SMALL = "[gateway]\nreplay_slots = 1024\n" + UNLIMITED
RECOVER = "'larch keys recover' replaces every direct key"


class Case(GatewayCase):
    larch, sealer = LARCH, SEALER

    def refused(self, *words):
        """A start that is refused with these words in one line, and changes nothing."""
        before = self.content()
        p = subprocess.run([LARCH, "gateway", "--listen", "127.0.0.1:0", "--state", self.state], capture_output=True,
                           timeout=60)
        err = p.stderr.decode()
        self.assertEqual((p.returncode, p.stdout, err.count("\n")), (1, b"", 1), err)
        for word in words:
            self.assertIn(word, err)
        self.assertNotIn("estore", err)
        self.assertTrue(self.content() == before)

    def content(self):
        content = {}
        for name in sorted(os.listdir(self.state)):
            if name.endswith((".key", ".log")):
                with open(f"{self.state}/{name}", "rb") as f:
                    content[name] = f.read()
        return content

    def post_all_ok(self, gateway, payloads):
        self.assertEqual(set(gateway.post_all(dict(enumerate(payloads))).values()), {OK})

    def put_back(self, name):
        subprocess.run(["cp", "-a", f"{self.state}.backup/{name}", self.state + "/"], check=True)

    def set_aside(self, name):
        """Moves a file, so that it keeps its time of birth; the function moves it back."""
        os.rename(f"{self.state}/{name}", self.folder.name + "/aside")
        return lambda: os.rename(self.folder.name + "/aside", f"{self.state}/{name}")


class Backup(Case):
    def setUp(self):
        super().setUp()
        g = self.gateway(config=SMALL)
        self.payloads = self.seal(g, 100)
        self.assertEqual(g.stop(), 0)
        subprocess.run(["cp", "-a", self.state, self.state + ".backup"], check=True)
        g = self.gateway(config=SMALL)
        self.post_all_ok(g, self.payloads)
        self.assertEqual(g.stop(), 0)

    def test_each_old_file_is_refused(self):
        files = [*self.content(), "outbox.db"]
        self.assertGreaterEqual(len(files), 9)
        for name in files:
            back = self.set_aside(name)
            self.put_back(name)
            self.refused(name, "is older than the last start", RECOVER)
            back()
        back = self.set_aside("state.head")
        self.put_back("state.head")
        self.refused("was written after state.head was", RECOVER)
        back()
        g = self.gateway(config=SMALL)
        self.assertEqual(set(g.post_all(dict(enumerate(self.payloads))).values()), {REPLAY})
        self.assertEqual(g.stop(), 0)

    def test_old_folder_is_refused(self):
        born = subprocess.run(["stat", "-c", "%W", self.state + "/state.head"], stdout=subprocess.PIPE, check=True)
        if int(born.stdout) == 0:
            self.skipTest("the file system keeps no times of birth")
        os.rename(self.state, self.state + ".present")
        subprocess.run(["cp", "-a", self.state + ".backup", self.state], check=True)
        self.refused("state.head is a copy", RECOVER)
        shutil.rmtree(self.state)  # and what was there in the first place still starts
        os.rename(self.state + ".present", self.state)
        g = self.gateway(config=SMALL)
        self.assertEqual(g.post(self.payloads[0], 1), REPLAY)
        self.assertEqual(g.stop(), 0)
        for name in os.listdir(self.state + ".backup"):  # written over the files
            self.put_back(name)
        self.refused("state.head is a copy", RECOVER)

    def test_many_restarts(self):
        """More than a journal has places for, and then an old one is still found."""
        for _ in range(31):
            self.assertEqual(self.gateway(config=SMALL).stop(), 0)
        g = self.gateway(config=SMALL)
        self.assertEqual(set(g.post_all(dict(enumerate(self.payloads))).values()), {REPLAY})
        self.assertEqual(g.stop(), 0)
        self.put_back("replay-512-1.log")
        self.refused("replay-512-1.log", "is older than the last start")


class Access(Case):
    def test_key_open_to_others(self):
        self.assertEqual(self.gateway().stop(), 0)
        for name in ("direct-512.key", "replay-768-1.log", "state.head"):
            path = f"{self.state}/{name}"
            for mode in (0o666, 0o640):
                os.chmod(path, mode)
                self.refused(f"{path}: is open to other users (mode {mode:04o})", f"'chmod 600 {path}' mends it")
            os.chmod(path, 0o600)
        if os.geteuid() == 0:
            os.chown(path, 12345, -1)
            self.refused(f"{path}: belongs to another user (12345)", f"'chown 0 {path}' mends it")
            os.chown(path, 0, -1)
        else:
            skips.skip("a key of another user", "needs root")
        self.assertEqual(self.gateway().stop(), 0)

    def test_missing_key(self):
        self.assertEqual(self.gateway().stop(), 0)
        for set_ in (512, 25722):
            name = f"direct-{set_}.key"
            back = self.set_aside(name)
            self.refused(f"{name} is not there", RECOVER)
            self.assertFalse(os.path.exists(f"{self.state}/{name}"))
            back()
        self.assertEqual(self.gateway().stop(), 0)

    def test_missing_identity(self):
        """No new identity takes the place of one that senders have pinned."""
        self.assertEqual(self.gateway().stop(), 0)
        back = self.set_aside("identity.key")
        self.refused("identity.key is not there", "Put it back from a backup")
        self.assertFalse(os.path.exists(f"{self.state}/identity.key"))
        back()
        self.assertEqual(self.gateway().stop(), 0)


class Running(Case):
    def test_lock_cannot_be_removed(self):
        g = self.gateway()
        for name in os.listdir(self.state):
            if not name.startswith("outbox"):
                os.unlink(f"{self.state}/{name}")
        p = subprocess.run([LARCH, "gateway", "--listen", "127.0.0.1:0", "--state", self.state], capture_output=True,
                           timeout=60)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"is in use by process", p.stderr)
        g.kill()

    def test_deleted_files(self):
        deeds = {"replay-512-1.log": os.unlink, "outbox.db": os.unlink, "outbox.db-wal": os.unlink,
                 "": lambda path: os.rename(path.rstrip("/"), self.folder.name + "/moved")}
        for durability in ("medium", "process"):
            for name, deed in deeds.items():
                with self.subTest(durability=durability, name=name):
                    g = self.gateway("--durability", durability)
                    payloads = self.seal(g, 2)
                    self.assertEqual(g.post(payloads[0], 1), OK)
                    deed(f"{self.state}/{name}")
                    with self.assertRaises(socket.timeout):
                        g.ask_raw(request(POST, "pqkem-data", 2, payload=payloads[1]), 1)
                    self.assertEqual(g.child.wait(20), 1)
                    self.assertRegex(g.log().decode(), f"{self.state}/?{name.removesuffix('-wal')}.* was moved")
                    shutil.rmtree(self.state, ignore_errors=True)
                    shutil.rmtree(self.folder.name + "/moved", ignore_errors=True)

    def test_grace_goes_on_over_restarts(self):
        config = "[gateway]\ngrace = 4\n" + UNLIMITED
        g = self.gateway(config=config)
        rotated_at = time.monotonic()
        subprocess.run([LARCH, "keys", "rotate", "--state", self.state], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for _ in range(3):
            self.assertEqual(g.stop(), 0)
            self.assertNotIn(b"forgotten", g.log())
            time.sleep(0.8)
            g = self.gateway(config=config)
        g.wait_for(rb"forgotten: an old key was wiped: ML-KEM-512 generation 1")
        self.assertLess(time.monotonic() - rotated_at, 7.5)
        self.assertEqual(g.stop(), 0)


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[3:]])
