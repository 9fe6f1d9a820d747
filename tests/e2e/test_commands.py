#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that wait for their devices: what is delivered, how often, and what a gateway that is cut off knows of it.

usage: test_commands.py LARCH [unittest arguments]
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from test_device import DONE, FAILED, LARCH, USAGE, WAIT_S, Case  # noqa: E402


class Commands(Case):
    def setUp(self):
        super().setUp()
        self.context = self.add("valve")
        self.g = self.gateway()

    def restart(self, number=signal.SIGKILL):
        self.g.stop(number)
        self.g = self.gateway(listen="%s:%d" % self.g.address)

    def awake(self):
        d = self.device(self.context, self.g, "--interval", "60")
        d.wait_for("^accepted")
        return d

    def commands(self, name="valve"):
        return [json.loads(line) for line in self.ask("commands", name, "--json")[0].splitlines()]

    def states(self):
        return [c["state"] for c in self.commands()]

    def wait_for(self, *states):
        end = time.monotonic() + WAIT_S
        while self.states() != list(states):
            self.assertLess(time.monotonic(), end, self.commands())
            time.sleep(0.05)

    def queue(self, *words):
        """A command for a device that sleeps."""
        out, err = self.ask("send", "valve", *words)
        self.assertEqual(out, "")
        self.assertRegex(err, r"^larch device: valve sleeps: command \d+ is queued; 'larch device commands valve' shows")

    def carried_out(self, d):
        return [line.split(None, 1)[1].strip() for line in d.lines() if line.startswith("command") and "GET" not in line]

    def test_sleeping(self):
        """Queued for a device that was never heard, kept by a gateway that is cut off, and delivered once, in order."""
        self.queue("led", "on")
        self.queue("interval", "7", "--method", "put")
        self.assertEqual(self.states(), ["queued", "queued"])
        self.restart()
        self.assertEqual(self.states(), ["queued", "queued"])
        d = self.awake()
        self.wait_for("done", "done")
        self.assertEqual(self.carried_out(d), ["POST /led 2.04  on", "PUT /interval 2.04  7"])
        first = self.commands()[0]
        self.assertEqual((first["command"], first["method"], first["path"], first["code"], first["text"], first["sends"]),
                         (1, "post", "led", "2.04", "", 1))
        self.restart()
        self.assertEqual(self.states(), ["done", "done"])
        d.end()
        self.awake()
        self.assertEqual(self.states(), ["done", "done"])
        self.assertRegex(self.ask("commands", "valve")[0],
                         r"^1 +done +post led  ended \d{4}-\S+Z  2\.04 \n2 +done +put +interval  ended ")

    def test_wait(self):
        waiting = subprocess.Popen([LARCH, "device", "send", "valve", "led", "on", "--wait", "--json", "--state",
                                    self.state], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(waiting.kill)
        end = time.monotonic() + WAIT_S
        while not self.commands():
            self.assertLess(time.monotonic(), end)
        self.awake()
        out, err = waiting.communicate(timeout=WAIT_S)
        self.assertEqual((json.loads(out), err), ({"device": "valve", "command": 1, "state": "done", "code": "2.04",
                                                   "text": ""}, b""))
        self.assertEqual(waiting.returncode, DONE)

    def test_cut_off_while_sent(self):
        """A POST that was sent is unknown after a restart and never goes again; a PUT goes again."""
        d = self.awake()
        d.child.send_signal(signal.SIGSTOP)
        out, err = self.ask("send", "valve", "led", "on", "--timeout", "0.5")
        self.assertEqual(out, "")
        self.assertIn("valve has not answered yet: command 1 is queued", err)
        self.assertEqual(self.states(), ["sent"])
        self.restart()
        self.assertEqual(self.states(), ["unknown"])
        d.end(signal.SIGKILL)  # it never took the datagram
        d = self.awake()
        d.child.send_signal(signal.SIGSTOP)
        self.ask("send", "valve", "interval", "9", "--method", "put", "--timeout", "0.5")
        self.assertEqual(self.states(), ["unknown", "sent"])
        self.restart()
        self.assertEqual(self.states(), ["unknown", "queued"])
        d.end(signal.SIGKILL)
        d = self.awake()
        self.wait_for("unknown", "done")
        self.assertEqual(self.carried_out(d), ["PUT /interval 2.04  9"])
        self.assertEqual(self.commands()[1]["sends"], 2)

    def test_refused_by_the_device(self):
        d = self.awake()
        self.assertEqual(self.complaint("send", "valve", "led", "perhaps"), "valve answered 4.00\n")
        out, err = self.ask("send", "valve", "nothing", "x", "--json", code=FAILED)
        self.assertEqual((json.loads(out)["state"], json.loads(out)["code"]), ("failed", "4.04"))
        self.assertEqual(err, "larch device: valve answered 4.04\n")
        self.assertEqual(self.states(), ["failed", "failed"])
        d.end()

    def test_expires(self):
        self.queue("led", "on", "--expires", "1")
        self.wait_for("expired")
        d = self.awake()
        self.ask("send", "valve", "led", "off")
        self.assertEqual(self.carried_out(d), ["POST /led 2.04  off"])
        for seconds in ("0.2", "2592001"):
            self.assertIn("--expires: 1 to 2592000 seconds",
                          self.ask("send", "valve", "led", "on", "--expires", seconds, code=USAGE)[1])

    def test_bounds(self):
        for i in range(16):
            self.queue("led", str(i))
        self.assertIn("16 commands wait for this device, or 4096 in all", self.complaint("send", "valve", "led", "on"))
        self.restart()
        self.assertIn("16 commands wait for this device", self.complaint("send", "valve", "led", "on"))
        self.assertEqual(self.states(), ["queued"] * 16)

    def test_revoked(self):
        """The commands go with the device; one who waits for them hears of it, and no other is taken."""
        waiting = subprocess.Popen([LARCH, "device", "send", "valve", "led", "on", "--wait", "--state", self.state],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(waiting.kill)
        end = time.monotonic() + WAIT_S
        while not self.commands():
            self.assertLess(time.monotonic(), end)
        self.ask("revoke", "valve")
        self.assertIn(b"the device was revoked, and its commands with it", waiting.communicate(timeout=WAIT_S)[1])
        self.assertEqual(waiting.returncode, FAILED)
        self.assertEqual(self.complaint("send", "valve", "led", "on"), "there is no device 'valve'\n")
        self.assertEqual(self.complaint("commands", "valve"), "there is no device 'valve'\n")
        self.assertEqual(self.g.stop(), DONE)
        with sqlite3.connect(f"{self.state}/sessions.db") as db:
            self.assertEqual(db.execute("SELECT count(*) FROM command").fetchone(), (0,))

    def test_quiet_device_is_asked_first(self):
        """A device that was not heard for a minute is asked whether it is awake, and costs no command its only try."""
        d = self.awake()
        self.restart()  # nobody was heard in this run
        self.queue("led", "on")
        d.end()
        d = self.awake()
        self.wait_for("done")
        self.assertEqual(self.carried_out(d), ["POST /led 2.04  on"])

    def test_older_file(self):
        """A file of the schema before gets the new tables in one step, and a copy of it stays until keys are rotated."""
        self.awake().end()
        self.assertEqual(self.g.stop(), DONE)
        with sqlite3.connect(f"{self.state}/sessions.db") as db:
            for table in ("command", "heard", "policy"):
                db.execute(f"DROP TABLE {table}")
            db.execute("PRAGMA user_version=1")
            devices = db.execute("SELECT * FROM device").fetchall()
        db.close()
        open(f"{self.state}/sessions.db.v1", "w").close()  # what a cut left of a copy
        self.g = self.gateway(listen="%s:%d" % self.g.address)
        self.queue("led", "on")
        copy = f"{self.state}/sessions.db.v1"
        self.assertEqual(os.stat(copy).st_mode & 0o777, 0o600)
        with sqlite3.connect(f"file:{copy}?mode=ro", uri=True) as db:
            self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (1,))
            self.assertEqual(db.execute("SELECT * FROM device").fetchall(), devices)
        db.close()
        self.run_larch("keys", "rotate", "--state", self.state)
        self.assertFalse(os.path.exists(copy))
        d = self.awake()
        self.wait_for("done")
        self.assertEqual(self.carried_out(d), ["POST /led 2.04  on"])


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[2:]])
