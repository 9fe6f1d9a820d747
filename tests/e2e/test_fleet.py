#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway's devices, for its operator: many at once from a list, what each may use, the list of them, and their end.

usage: test_fleet.py LARCH [unittest arguments]
"""
import csv
import datetime
import fcntl
import io
import json
import os
import pty
import shutil
import sqlite3
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from test_device import DONE, FAILED, LARCH, REFUSED, USAGE, WAIT_S, Case  # noqa: E402


class Fleet(Case):
    def post(self, enrolment, gateway, name, text, code=DONE, timeout="5"):
        return self.run_larch("send", "--enrolment", enrolment, f"{gateway.uri}/r/{name}", text, "--timeout", timeout,
                              code=code)

    def enrol(self, name, *options):
        path = f"{self.folder.name}/{name}.enrolment"
        self.ask("add", name, "--out", path, *options)
        return path

    def rows(self, text, *options, code=DONE):
        """[(line, name, result, detail)] of an import of that text."""
        path = self.write("list.csv", text)
        out, err = self.ask("import", path, *options, code=code)
        return [(int(line), name, result, detail) for line, name, result, detail in csv.reader(io.StringIO(out))], err

    def devices(self):
        return sorted({json.loads(line)["device"] for line in self.ask("list", "--json")[0].splitlines()})


class Policies(Fleet):
    def test_enforced(self):
        g = self.gateway("--json")
        one = self.enrol("one", "--allow", "r/level", "--allow", "read:/r/plan")
        two = self.enrol("two", "--allow", "report:r/plan")
        three = self.enrol("three")
        self.post(one, g, "level", "1")
        for device, name in ((one, "plan"), (one, "levels"), (two, "level"), (two, "*")):
            self.assertIn("4.03", self.post(device, g, name, "x", code=FAILED)[1])
        self.post(two, g, "plan", "2")
        self.post(three, g, "anything", "3")
        self.assertEqual(self.readings(g, 3), [("level", "1"), ("plan", "2"), ("anything", "3")])
        g.wait_for(rb'"event":"denied"')
        self.assertEqual(g.stop(), DONE)
        g = self.gateway("--json")
        self.assertIn("4.03", self.post(one, g, "plan", "x", code=FAILED)[1])
        self.post(one, g, "level", "4")

    def test_reading_and_observing(self):
        g = self.gateway()
        may = self.enrol("may", "--allow", "r/m", "--allow", "read:r/plan")
        not_ = self.enrol("not", "--allow", "r/n", "--allow", "report:r/plan")
        self.post(not_, g, "plan", "later")
        for path, name, pattern in ((may, "m", r"^observed +r/plan  later"), (not_, "n", r"^unobserved +r/plan: .*4\.03")):
            out, _ = self.run_larch("device", "run", "--enrolment", path, g.uri, "--name", name, "--observe", "r/plan",
                                    "--interval", "0.1", "--count", "4")
            self.assertRegex(out, f"(?m){pattern}")

    def test_alone(self):
        """Without a gateway that runs, add and import take the folder's lock."""
        self.gateway().stop()
        path = self.enrol("one", "--allow", "r/level")
        self.assertEqual(self.rows("name,allow\ntwo,r/a report:r/b\n", "--out", f"{self.folder.name}/out")[0][0][:3],
                         (2, "two", "added"))
        g = self.gateway()
        self.post(path, g, "level", "1")
        self.assertIn("4.03", self.post(path, g, "other", "1", code=FAILED)[1])
        two = f"{self.folder.name}/out/two.enrolment"
        self.post(two, g, "b", "1")
        self.assertIn("4.03", self.post(two, g, "c", "1", code=FAILED)[1])

    def test_usage(self):
        self.gateway()
        for allow in ("level", "r/", "r/a/b", "write:r/a", "r/" + 33 * "a", "r/a b", ""):
            out, err = self.ask("add", "x", "--out", f"{self.folder.name}/x", "--allow", allow, code=USAGE)
            self.assertEqual(out, "")
            self.assertIn("--allow", err)
        self.assertFalse(os.path.exists(f"{self.folder.name}/x"))
        many = [word for i in range(17) for word in ("--allow", f"r/{i}")]
        self.ask("add", "x", "--out", f"{self.folder.name}/x", *many, code=USAGE)


class Import(Fleet):
    def setUp(self):
        super().setUp()
        self.out = f"{self.folder.name}/out"
        self.g = self.gateway("--json")

    def test_import(self):
        text = ('\ufeffname,suite,method,allow,authority\r\nlamp,,,r/lamp,\r\n\r\n"valve-1",ml-kem-1024,0,'
                '"r/level report:r/temp",gw.example:5683\r\npump,x-wing,,,\r\n')
        rows, err = self.rows(text, "--out", self.out)
        self.assertEqual([row[:3] for row in rows], [(2, "lamp", "added"), (4, "valve-1", "added"), (5, "pump", "added")])
        self.assertEqual(err, "larch device: 3 added, 0 there already, 0 failed\n")
        self.assertEqual([row[3] for row in rows], [f"{self.out}/{row[1]}.enrolment" for row in rows])
        self.assertEqual({os.stat(row[3]).st_mode & 0o777 for row in rows}, {0o600})
        for _, name, _, path in rows:
            self.post(path, self.g, {"lamp": "lamp", "valve-1": "temp", "pump": "x"}[name], name)
        self.assertEqual(sorted(self.readings(self.g, 3)), [("lamp", "lamp"), ("temp", "valve-1"), ("x", "pump")])
        self.assertIn("4.03", self.post(rows[0][3], self.g, "other", "x", code=FAILED)[1])

    def test_bad_rows(self):
        """Each wrong row is named with its line and its reason, and none is added, the right ones among them."""
        text = ("name,method,suite,by,allow\ngood,,,,\nbad name,,,,\n,,,,\na:b,,,,\ngood,,,,\nx,7,,,\ny,,ml-kem-9,,\n"
                "z,,,name,\nu,4,,ccs,\nv,0,p-256,,\nw,,,,level\nt,,\n\"s,,,,\nr\"r,,,,\n" + 17 * "n" + ",,,,\n")
        rows, err = self.rows(text, "--out", self.out, code=FAILED)
        self.assertEqual(err, "larch device: 13 of 14 rows are wrong: no device was added\n")
        results = {line: (result, why) for line, _, result, why in rows}
        self.assertEqual(results[2], ("not added", ""))
        for line, why in ((3, "a device's name is"), (4, "a device's name is"), (5, "a device's name is"),
                          (6, "line 2 has this name too"), (7, "method: 0 or 4"), (8, "suite: "), (9, "by: kid or ccs"),
                          (10, "by ccs is for method 0"), (11, "cannot be had with this suite"), (12, "allow: it takes"),
                          (13, "3 fields, where the first row has 5")):
            self.assertEqual(results[line][0], "refused", line)
            self.assertIn(why, results[line][1], line)
        self.assertEqual({result for result, _ in list(results.values())[1:]}, {"refused"})
        self.assertEqual(self.devices(), [])
        self.assertFalse(os.path.exists(self.out))

    def test_bad_files(self):
        for text, says in (("", "has no first row"), ("lamp\n", "column 1 of the first row is not"),
                           ("method\n4\n", "has no column 'name'"), ("name,name\na,b\n", "column 2"),
                           ('"name\n', "has no first row")):
            self.assertIn(says, self.rows(text, "--out", self.out, code=FAILED)[1])
        self.assertIn("No such file", self.complaint("import", self.folder.name + "/none.csv", "--out", self.out))
        self.ask("import", "x.csv", code=USAGE)

    def test_dry_run(self):
        rows, err = self.rows("name\na\nb\n", "--dry-run")
        self.assertEqual((rows, err), ([(2, "a", "would be added", ""), (3, "b", "would be added", "")], ""))
        self.assertEqual(self.devices(), [])
        self.assertEqual(self.rows("name\na\na\n", "--dry-run", code=FAILED)[0][1][2], "refused")

    def test_there_already(self):
        """A name on record and a file that is there cost their own row alone; the rest is added."""
        self.enrol("b")
        os.mkdir(self.out)
        with open(f"{self.out}/c.enrolment", "w") as f:
            f.write("of another device")
        rows, err = self.rows("name\na\nb\nc\nd\n", "--out", self.out, code=FAILED)
        self.assertEqual([row[2] for row in rows], ["added", "there already", "failed", "added"])
        self.assertIn("its file: File exists", rows[2][3])
        self.assertEqual(err, "larch device: 2 added, 1 there already, 1 failed\n")
        self.assertEqual(self.devices(), ["a", "b", "d"])
        self.assertEqual(sorted(os.listdir(self.out)), ["a.enrolment", "c.enrolment", "d.enrolment"])
        with open(f"{self.out}/c.enrolment") as f:
            self.assertEqual(f.read(), "of another device")

    def test_json_and_many(self):
        count = 300
        path = self.write("list.csv", "name,allow\n" + "".join(f"d{i},r/d{i}\n" for i in range(count)))
        out, _ = self.ask("import", path, "--out", self.out, "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(rows[0], {"line": 2, "device": "d0", "result": "added", "file": f"{self.out}/d0.enrolment"})
        self.assertEqual([row["device"] for row in rows], [f"d{i}" for i in range(count)])
        self.assertEqual(self.devices(), sorted(f"d{i}" for i in range(count)))
        sizes = {os.stat(row["file"]).st_size - len(row["device"]) for row in rows}
        self.assertEqual(sizes, {91 - 16})

    def test_cut_off(self):
        """A gateway that ends in the midst, after which the command takes the folder itself: what is printed as added is on
        record, and no file is left of any other."""
        path = self.write("list.csv", "name\n" + "".join(f"d{i}\n" for i in range(4000)))
        child = subprocess.Popen([LARCH, "device", "import", path, "--out", self.out, "--state", self.state],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + WAIT_S
        while not os.path.isdir(self.out) or len(os.listdir(self.out)) < 200:
            self.assertLess(time.monotonic(), end)
        self.g.kill()
        out, _ = child.communicate(timeout=60)
        self.assertIn(child.returncode, (DONE, FAILED))
        rows = list(csv.reader(io.StringIO(out.decode())))
        added = {row[1] for row in rows if row[2] == "added"}
        self.assertGreater(len(added), 100)
        self.assertEqual({f"{name}.enrolment" for name in added}, set(os.listdir(self.out)))
        self.g = self.gateway()
        self.assertLessEqual(added, set(self.devices()))
        self.assertLessEqual(len(self.devices()) - len(added), 32)  # one batch, whose reply was lost

    def test_full_disk(self):
        """No room for the files: what was added without one is removed again."""
        os.mkdir(self.out)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "none", self.out], check=False,
                                               stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("it needs to mount a tmpfs")
        try:
            rows, err = self.rows("name\n" + "".join(f"d{i}\n" for i in range(64)), "--out", self.out, code=FAILED)
            failed = [row for row in rows if row[2] == "failed"]
            self.assertTrue(0 < len(failed) < 64, err)
            for row in failed:
                self.assertIn("No space left on device", row[3])
            self.assertEqual(self.devices(), sorted(row[1] for row in rows if row[2] == "added"))
            self.assertEqual(sorted(os.listdir(self.out)), sorted(f"{row[1]}.enrolment" for row in rows if row[2] == "added"))
        finally:
            subprocess.run(["umount", self.out], check=True)

    def test_two_at_once(self):
        """Two imports of the same devices: each device has one key, and its file is that of the one that says so."""
        path = self.write("list.csv", "name\n" + "".join(f"d{i}\n" for i in range(200)))
        outs = [f"{self.folder.name}/out{i}" for i in range(2)]
        children = [subprocess.Popen([LARCH, "device", "import", path, "--out", out, "--state", self.state],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for out in outs]
        added = []
        for child in children:
            rows = list(csv.reader(io.StringIO(child.communicate(timeout=60)[0].decode())))
            self.assertEqual(len(rows), 200)
            added.append({row[1] for row in rows if row[2] == "added"})
        self.assertEqual(added[0] & added[1], set())
        self.assertEqual(sorted(added[0] | added[1]), sorted(f"d{i}" for i in range(200)))
        for out, names in zip(outs, added):
            self.assertEqual({f"{name}.enrolment" for name in names}, set(os.listdir(out)))


class Faults(Fleet):
    def test_enrolment_used_twice(self):
        """Two devices with one enrolment: either shakes hands, and a number that the other has used is refused. What either is
        told was accepted is stored once, and nothing else is."""
        g = self.gateway("--json")
        one = self.enrol("valve")
        two = f"{self.folder.name}/copy"
        shutil.copy(one, two)
        accepted = []
        for i, who in enumerate((one, two, one)):
            text = f"{os.path.basename(who)} {i}"
            done = subprocess.run([LARCH, "send", "--enrolment", who, f"{g.uri}/r/level", text, "--timeout", "3"],
                                  capture_output=True, timeout=60, check=False)
            self.assertTrue(done.returncode == DONE or b"4.09 Conflict" in done.stderr, (done, g.log()))
            accepted += [("level", text)] if done.returncode == DONE else []
        self.assertEqual(accepted[0], ("level", "valve.enrolment 0"))
        self.assertEqual(self.readings(g, len(accepted)), accepted)
        self.assertLessEqual(len(json.loads(self.ask("show", "valve", "--json")[0])["sessions"]), 3)

    def test_added_twice_at_once(self):
        self.gateway()
        for i in range(8):
            outs = [f"{self.folder.name}/{i}-{who}" for who in range(2)]
            children = [subprocess.Popen([LARCH, "device", "add", f"d{i}", "--out", out, "--state", self.state],
                                         stderr=subprocess.DEVNULL) for out in outs]
            codes = [child.wait(WAIT_S) for child in children]
            self.assertEqual(sorted(codes), [DONE, FAILED])
            self.assertEqual([os.path.exists(out) for out in outs], [code == DONE for code in codes])

    def test_sent_and_revoked_at_once(self):
        self.gateway()
        for i in range(8):
            self.enrol(f"d{i}")
            sends, revokes = [subprocess.Popen([LARCH, "device", *words, "--state", self.state], stderr=subprocess.PIPE,
                                               stdout=subprocess.DEVNULL)
                              for words in (["send", f"d{i}", "led", "on"], ["revoke", f"d{i}"])]
            self.assertIn(b"revoked", revokes.communicate(timeout=WAIT_S)[1])
            err = sends.communicate(timeout=WAIT_S)[1]
            self.assertIn(sends.returncode, (DONE, FAILED))
            self.assertTrue(b"is queued" in err if sends.returncode == DONE else b"revoked" in err or b"no device" in err, err)
            self.assertIn("there is no device", self.complaint("commands", f"d{i}"))

    def test_full_disk(self):
        """The state folder's disk is full: a command says so and does nothing, or does all of it; later everything works."""
        os.mkdir(self.state)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "none", self.state],
                                               check=False, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("it needs to mount a tmpfs")
        try:
            self.check_full_disk()
        finally:
            subprocess.run(["umount", "--lazy", self.state], check=True)

    def check_full_disk(self):
        g = self.gateway()
        for name in ("sent", "revoked", "forgotten"):
            self.enrol(name)
        filler = os.open(f"{self.state}/filler", os.O_WRONLY | os.O_CREAT, 0o600)
        with self.assertRaises(OSError):
            while True:
                os.write(filler, bytes(4096))
        os.close(filler)
        path = self.write("list.csv", "name\n" + "".join(f"i{i}\n" for i in range(200)))
        out = f"{self.folder.name}/out"
        failed = 0
        for _ in range(2):
            for words, said in ((["send", "sent", "led", "x" * 1000], None), (["import", path, "--out", out], None),
                                (["add", "added", "--out", f"{self.folder.name}/added"], None),
                                (["revoke", "revoked"], None), (["forget", "forgotten", "--yes"], None)):
                done = subprocess.run([LARCH, "device", *words, "--state", self.state], capture_output=True, timeout=60,
                                      check=False)
                self.assertIn(done.returncode, (DONE, FAILED, REFUSED), done)
                failed += b"disk is full" in done.stderr
        self.assertGreater(failed, 0)
        self.assertIsNone(g.child.poll())
        devices = set(self.devices())
        self.assertEqual("added" in devices, os.path.exists(f"{self.folder.name}/added"))
        files = {name.removesuffix(".enrolment") for name in os.listdir(out)}
        self.assertEqual(files, {name for name in devices if name.startswith("i")})
        os.unlink(f"{self.state}/filler")
        self.enrol("later")
        self.ask("send", "sent", "led", "on")
        for name in devices & {"revoked", "forgotten"}:
            self.ask("revoke", name)
        self.assertEqual(g.stop(), DONE)
        g = self.gateway()
        self.assertLessEqual({"later", "sent"} | files, set(self.devices()))
        self.assertEqual(g.stop(), DONE)


@unittest.skipUnless(shutil.which("zbarimg"), "zbarimg is not installed (Debian: zbar-tools)")
class Codes(Fleet):
    """Another decoder reads from each QR code what the file has."""

    def setUp(self):
        super().setUp()
        self.gateway()
        err = self.run_larch("device", "add", "probe", "--qr", "--state", self.state + "/none", code=FAILED)[1]
        if "libqrencode" in err:
            self.skipTest("this larch was built without libqrencode")

    def decode(self, path):
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "--oneshot", "-Sbinary", path], capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def picture(self, text):
        """What a terminal of a dark background shows, as a file: four dots for a module."""
        rows = []
        for line in text.splitlines():
            rows += [[c in "\u2588\u2580" for c in line], [c in "\u2588\u2584" for c in line]]
        self.assertEqual(len({len(row) for row in rows}), 1)
        path = f"{self.folder.name}/screen.pgm"
        with open(path, "wb") as f:
            f.write(b"P5 %d %d 255\n" % (4 * len(rows[0]), 4 * len(rows)))
            for row in rows:
                f.write(4 * b"".join(4 * (b"\xff" if light else b"\0") for light in row))
        return path

    def test_picture(self):
        for name, options, size in (("a" * 16, (), 91), ("b", ("--method", "0"), None),
                                    ("c", ("--method", "0", "--suite", "ml-kem-1024"), None)):
            png = f"{self.folder.name}/{name}.png"
            path = self.enrol(name, "--qr-png", png, *options)
            self.assertEqual(self.decode(png), self.read(path))
            self.assertEqual(os.stat(png).st_mode & 0o777, 0o600)
            if size is not None:
                self.assertEqual(len(self.read(path)), size)
                self.assertEqual(struct.unpack(">II", self.read(png)[16:24]), (8 * 45, 8 * 45))  # 5-L: 37 modules

    def test_terminal(self):
        path = f"{self.folder.name}/lamp"
        out, err = self.ask("add", "lamp", "--qr", "--out", path)
        self.assertEqual(len(out.splitlines()), 23)
        self.assertEqual(self.decode(self.picture(out)), self.read(path))
        self.assertNotIn("\033", out)
        out, err = self.ask("add", "once", "--qr")  # nowhere else
        self.assertIn("The QR code is its key, which is not shown again", err)
        self.assertIn(b"once", self.decode(self.picture(out)))

    def test_colours(self):
        """On a terminal the code has colours of its own, so that it is the same on a light and on a dark one."""
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        self.run_on(side, "lamp", {})
        out = os.read(main, 1 << 16).decode().replace("\r", "")
        lines = out.splitlines()
        self.assertTrue(all(line.startswith("\033[38;5;231;48;5;16m") and line.endswith("\033[0m") for line in lines), out)
        self.decode(self.picture("\n".join(line[18:-4] for line in lines)))
        self.run_on(side, "lamp2", {"NO_COLOR": "1"})
        self.assertNotIn("\033", os.read(main, 1 << 16).decode())
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 44, 0, 0))
        done = self.run_on(side, "lamp3", {}, code=FAILED)
        self.assertIn(b"wider than the terminal; 'lamp3' was added, and nobody has its key", done.stderr)
        os.close(main)
        os.close(side)

    def run_on(self, terminal, name, more, code=DONE):
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"HOME": self.folder.name} | more
        done = subprocess.run([LARCH, "device", "add", name, "--qr", "--state", self.state], stdout=terminal,
                              stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_refused(self):
        png = self.write("there.png", "mine")
        self.assertIn("is not written over", self.complaint("add", "x", "--qr-png", png, code=REFUSED))
        self.assertEqual(self.read(png), b"mine")
        out = f"{self.folder.name}/x"
        self.complaint("add", "x", "--out", out, "--qr-png", png, code=REFUSED)
        self.assertFalse(os.path.exists(out))
        self.assertEqual(self.devices(), [])


class Listed(Fleet):
    def test_show(self):
        g = self.gateway()
        path = self.enrol("valve", "--suite", "x-wing", "--method", "0", "--allow", "r/level", "--allow", "report:r/temp")
        fresh = json.loads(self.ask("show", "valve", "--json")[0])
        self.assertEqual(fresh, {"device": "valve", "last_seen": None, "method": 0, "suite": "x-wing",
                                 "post_quantum": True, "sessions": [], "policy": ["r/level", "report:r/temp"], "waiting": 0})
        before = time.time()
        self.post(path, g, "level", "1")
        self.post(path, g, "level", "2")
        self.ask("send", "valve", "led", "on", "--timeout", "0.3")  # nobody is there
        shown = json.loads(self.ask("show", "valve", "--json")[0])
        seen = datetime.datetime.fromisoformat(shown["last_seen"].replace("Z", "+00:00")).timestamp()
        self.assertTrue(before - 2 < seen < time.time() + 1, shown)
        [session] = shown["sessions"]
        self.assertEqual(shown["waiting"], 1)
        self.assertGreaterEqual(session["received"], 2)
        self.assertEqual((session["failed"], len(session["kid"])), (0, 14))
        out, err = self.ask("show", "valve")
        self.assertRegex(out, r"^valve\n  handshakes   x-wing, method 0, post-quantum\n  last seen    20\S+Z\n"
                         r"  session      kid [0-9a-f]{14}, at 127.0.0.1:\d+, \d+ sent, \d+ received, 0 failed, \d+ left, until "
                         r"20\S+Z\n  may use      r/level, report:r/temp\n  commands     1 wait\n$")
        self.assertEqual(self.complaint("show", "nobody"), "there is no device 'nobody'\n")

    def test_seen_survives(self):
        """When devices were seen last is written at an end in order, and outlives their sessions."""
        g = self.gateway()
        self.post(self.enrol("valve"), g, "level", "1")
        seen = json.loads(self.ask("show", "valve", "--json")[0])["last_seen"]
        self.assertEqual(g.stop(), DONE)
        with sqlite3.connect(f"{self.state}/sessions.db") as db:
            db.execute("DELETE FROM context")
        db.close()
        g = self.gateway()
        self.assertEqual(json.loads(self.ask("show", "valve", "--json")[0])["last_seen"], seen)
        row = json.loads(self.ask("list", "--json")[0])
        self.assertEqual((row["last_seen"], row["suite"], row["method"], row["post_quantum"], row["kid"], row["peer"]),
                         (seen, "ml-kem-512", 4, True, "", None))

    def test_not_post_quantum(self):
        self.gateway("--suites", "ml-kem-512,p-256")
        self.enrol("old", "--suite", "p-256")
        self.add("fixed")
        rows = {row["device"]: row for row in map(json.loads, self.ask("list", "--json")[0].splitlines())}
        self.assertEqual((rows["old"]["post_quantum"], rows["old"]["suite"]), (False, "p-256"))
        self.assertEqual((rows["fixed"]["post_quantum"], rows["fixed"]["suite"], rows["fixed"]["method"]),
                         (None, None, None))
        self.assertRegex(self.ask("list")[0], r"(?m)^old +added, no context yet  seen never  p-256, method 4, not post-quantum$")

    def test_many(self):
        """Every device stands in the list once, in the order of names, over many pages."""
        count = 5000
        self.gateway().stop()
        with sqlite3.connect(f"{self.state}/sessions.db") as db:
            db.executemany("INSERT INTO device VALUES(?, ?)", [(n + 1, f"d{n * 7919 % count:05}") for n in range(count)])
        db.close()
        self.gateway()
        names = [json.loads(line)["device"] for line in self.ask("list", "--json")[0].splitlines()]
        self.assertEqual(names, [f"d{n:05}" for n in range(count)])

    def test_forget(self):
        g = self.gateway("--json")
        one, two = self.enrol("one"), self.enrol("two")
        self.post(one, g, "level", "secret-of-one")
        self.post(one, g, "plan", "of one")
        self.post(two, g, "level2", "of two")
        self.readings(g, 3)
        self.assertIn("--yes", self.ask("forget", "one", code=USAGE, stdin=subprocess.DEVNULL)[1])
        self.assertEqual(self.devices(), ["one", "two"])
        self.assertEqual(self.ask("forget", "one", "--yes"),
                         ("", "larch device: one was forgotten, with the last readings of 2 resources\n"))
        self.assertEqual(self.devices(), ["two"])
        self.post(one, g, "level", "x", code=REFUSED, timeout="3")
        self.assertIn("there is no device of this name, and no reading of it", self.complaint("forget", "one", "--yes"))
        self.ask("revoke", "two")  # its readings stay until it is forgotten
        self.assertEqual(self.ask("forget", "two", "--yes")[1],
                         "larch device: two was forgotten, with the last readings of 1 resources\n")
        self.assertEqual(g.stop(), DONE)
        for name in ("sessions.db", "sessions.db-wal", "outbox.db", "outbox.db-wal"):
            path = f"{self.state}/{name}"
            if os.path.exists(path):
                with open(path, "rb") as f:
                    self.assertNotIn(b"secret-of-one", f.read(), name)
        self.assertIn("no gateway runs", self.complaint("forget", "two", "--yes"))


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[2:]])
