#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A build with LARCH_KEYLOG logs the contexts that it loads, makes or is given; with its lines larch sniff and tshark open
what the programs sent. The ordinary program logs nothing.

usage: test_keylog.py LARCH LARCH_WITH_KEYLOG [unittest arguments]
"""
import json
import os
import shutil
import stat
import subprocess
import sys
import unittest

import somebody
from tap import Tap

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import GatewayCase  # noqa: E402

LARCH, WITH_KEYLOG = (os.path.abspath(a) for a in sys.argv[1:3])
SECRET = "000102030405060708090a0b0c0d0e0f"
LINES = [f'"{a.hex()}","{b.hex()}","{SECRET}","","","AES-CCM-16-64-128 (CCM*)"'
         for a, b in ((b"gw", b"k"), (b"k", b"gw"))]
DONE, FAILED = 0, 1


class KeyLog(GatewayCase):
    larch = WITH_KEYLOG

    def setUp(self):
        super().setUp()
        self.log = self.folder.name + "/oscore_contexts"
        self.environment = os.environ | {"HOME": self.folder.name, "LARCH_KEYLOGFILE": self.log}
        self.ours, self.theirs = (self.write(name, me, peer) for name, me, peer in (("ours", "gw", "k"), ("theirs", "k", "gw")))

    def write(self, name, me, peer):
        path = f"{self.folder.name}/{name}.conf"
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(f'master_secret,hex,"{SECRET}"\nsender_id,ascii,"{me}"\nrecipient_id,ascii,"{peer}"\n')
        return path

    def run_with(self, larch, *arguments, code=DONE, **more):
        done = subprocess.run([larch, *arguments], capture_output=True, timeout=60, check=False, env=self.environment, **more)
        self.assertEqual(done.returncode, code, (arguments, done.stdout, done.stderr))
        return done.stderr.decode()

    def logged(self):
        """The lines of the log, which is then removed."""
        self.assertEqual(stat.S_IMODE(os.stat(self.log).st_mode), 0o600)
        with open(self.log) as f:
            lines = f.read().splitlines()
        os.unlink(self.log)
        return lines

    def add(self, larch=WITH_KEYLOG):
        self.run_with(larch, "keys", "add-context", "--state", self.state, "kitchen", self.ours)

    def test_who_logs(self):
        g = self.gateway(env=self.environment)
        self.assertFalse(os.path.exists(self.log))
        self.add()
        self.assertEqual(self.logged(), LINES)  # the gateway got it
        g.stop()
        g = self.gateway(env=self.environment)
        self.assertEqual(self.logged(), LINES)  # and loads it
        self.run_with(WITH_KEYLOG, "send", "--oscore", self.theirs, g.uri + "/r/x", "1")
        self.assertEqual(self.logged(), LINES[::-1])
        self.run_with(WITH_KEYLOG, "device", "run", "--oscore", self.theirs, g.uri, "--lines", input=b"2\n")
        self.assertEqual(self.logged(), LINES[::-1])
        g.lines(2)

    def test_an_ordinary_build_logs_nothing(self):
        self.add(LARCH)
        KeyLog.larch = LARCH
        try:
            g = self.gateway(env=self.environment)
        finally:
            KeyLog.larch = WITH_KEYLOG
        self.run_with(LARCH, "send", "--oscore", self.theirs, g.uri + "/r/x", "1")
        self.assertFalse(os.path.exists(self.log))

    def test_a_log_that_cannot_be_written(self):
        """A client refuses to begin, and a gateway goes on: both say why."""
        os.mkdir(self.log)
        self.add(LARCH)
        g = self.gateway(env=self.environment)
        self.assertIn(f"{self.log}: Is a directory", g.log().decode())
        err = self.run_with(WITH_KEYLOG, "send", "--oscore", self.theirs, g.uri + "/r/x", "1", code=FAILED)
        self.assertEqual(err, f"larch send: {self.log}: Is a directory\n")
        self.run_with(LARCH, "send", "--oscore", self.theirs, g.uri + "/r/x", "2")
        g.lines(1)

    def capture(self):
        """A conversation in both directions, as a capture."""
        self.add()
        g = self.gateway(env=self.environment)
        os.unlink(self.log)
        tap = Tap(g.address)
        d = subprocess.Popen([LARCH, "device", "run", "--oscore", self.theirs, tap.uri, "--lines"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=self.environment)
        self.addCleanup(lambda: (d.kill(), d.wait(20), d.stdin.close(), d.stdout.close()))
        d.stdin.write(b"a reading\n")
        d.stdin.flush()
        while not d.stdout.readline().startswith(b"accepted"):
            pass
        self.run_with(LARCH, "device", "get", "kitchen", "led", "--state", self.state)
        g.stop()
        self.gateway(env=self.environment)
        return tap.capture(self.folder.name)

    def test_the_log_opens_what_was_sent(self):
        path = self.capture()
        done = subprocess.run([LARCH, "sniff", "-r", path, "--json", "--keylog", self.log], capture_output=True, timeout=60,
                              check=True)
        inner = [json.loads(line).get("oscore", {}).get("inner", {}) for line in done.stdout.splitlines()]
        self.assertIn(("0.02", "/r/temperature?n=1", "a reading"),
                      [(i.get("code"), i.get("path"), i.get("payload")) for i in inner])
        self.assertIn(("0.01", "/led"), [(i.get("code"), i.get("path")) for i in inner])
        self.assertIn(("2.05", "off"), [(i.get("code"), i.get("payload")) for i in inner])
        if shutil.which("tshark") is None:
            skips.skip("opening by tshark", "tshark is not installed")
            return
        found = self.ask_tshark(path)
        self.assertTrue(any("r,temperature" in line and "a reading" in line for line in found), found)
        self.assertTrue(any("led" in line for line in found), found)
        self.assertTrue(any("off" in line for line in found), found)

    def ask_tshark(self, path):
        home = self.folder.name + "/home"
        os.mkdir(home)
        contexts = shutil.copy(self.log, home)
        done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|", "-e", "oscore.opt.uri_path",
                               "-e", "text"], capture_output=True, timeout=120, check=False,
                              env=somebody.environment(home), **somebody.arguments(self.folder.name, path, contexts))
        self.assertEqual((done.returncode, b"oscore" in done.stderr), (DONE, False), done.stderr)
        return done.stdout.decode().splitlines()


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[3:]])
