#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch backup and larch restore: what comes back, what does not, and what is refused without a trace.

usage: test_backup_file.py LARCH SEALER [unittest arguments]
"""
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import OK, GatewayCase  # noqa: E402

LARCH, SEALER = (os.path.abspath(a) for a in sys.argv[1:3])
DONE, FAILED, USAGE, REFUSED = range(4)
PASSPHRASE = b"a recovery passphrase"


class Case(GatewayCase):
    larch, sealer = LARCH, SEALER

    def setUp(self):
        super().setUp()
        self.file = self.folder.name + "/backup"
        self.passphrase = self.secret("passphrase", PASSPHRASE)

    def secret(self, name, content):
        path = f"{self.folder.name}/{name}"
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, 0o600)
        return path

    def larch_(self, *arguments, code=DONE, prefix=(), **more):
        p = subprocess.run([*prefix, LARCH, *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL, **more)
        self.assertEqual(p.returncode, code, p.stderr)
        return p.stdout.decode(), p.stderr.decode()

    def backup(self, *options, code=DONE, **more):
        return self.larch_("backup", "--state", self.state, "--passphrase", self.passphrase, *options, self.file,
                           code=code, **more)[1]

    def restore(self, *options, code=DONE, file=None, **more):
        return self.larch_("restore", "--yes", "--state", self.state, *(
            options or ("--passphrase", self.passphrase)), file or self.file, code=code, **more)

    def add(self, name):
        self.larch_("device", "add", name, "--state", self.state, "--out", f"{self.folder.name}/{name}.enrolment")

    def run_gateway(self, *options):
        g = self.gateway(*options)
        log = g.log().decode()
        self.assertEqual(g.stop(), DONE)
        return next(line for line in log.splitlines() if line.startswith("identity ")), log

    def content(self):
        content = {}
        for name in sorted(os.listdir(self.state)):
            path = f"{self.state}/{name}"
            if name != "lock":
                self.assertTrue(os.path.isfile(path), name)  # no folder of a restore is left
                with open(path, "rb") as f:
                    content[name] = f.read()
        return content

    def refused(self, code, *words, **more):
        before = self.content()
        out, err = self.restore(code=code, **more)
        self.assertEqual(out, "")
        for word in words:
            self.assertIn(word, err)
        self.assertEqual(self.content(), before)


class Restore(Case):
    def test_round_trip(self):
        identity, log = self.run_gateway()
        self.add("kitchen")
        self.add("garden")
        key = [line.split()[-1] for line in log.splitlines() if line.startswith("ML-KEM-512")][0]
        self.backup()
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        with open(self.file, "rb") as f:
            content = f.read()
        for secret in (PASSPHRASE, b"kitchen", b"SQLite format 3"):
            self.assertNotIn(secret, content)
        self.assertIn("cannot be made: File exists", self.backup(code=FAILED))
        shutil.rmtree(self.state)
        out, err = self.restore("--passphrase", self.passphrase, "--json")
        self.assertEqual(sorted((j["device"], j["restored"]) for j in map(json.loads, out.splitlines())),
                         [("garden", True), ("kitchen", True)])
        self.assertIn("what was revoked after the backup was made is in it again", err)
        self.assertNotIn("direct-512.key", self.content())
        again, log = self.run_gateway()
        self.assertEqual(again, identity)
        self.assertNotIn(key, log)
        g = self.gateway()
        self.assertEqual(g.post(self.seal(g, 1)[0], 1), OK)
        self.assertEqual(g.stop(), DONE)

    def test_over_a_newer_folder(self):
        """Messages that waited come back, sessions and direct keys do not, and the revoked stay revoked."""
        read, write = os.pipe()
        g = self.gateway(stdout=write)
        g.stop()
        os.close(read)
        os.close(write)
        self.add("kitchen")
        self.add("garden")
        self.backup()
        self.larch_("device", "revoke", "garden", "--state", self.state)
        self.larch_("store", "rekey", "--state", self.state)
        out, err = self.restore()
        self.assertEqual(sorted(out.splitlines()), ["garden  (removed: it was revoked after the backup was made)", "kitchen"])
        self.assertIn("1 that were revoked after the backup stay so", err)
        self.larch_("device", "revoke", "garden", "--state", self.state, code=FAILED)
        self.run_gateway()
        self.larch_("device", "revoke", "kitchen", "--state", self.state)

    def test_other_source(self):
        """What the store key came from is not needed, and another source is chosen."""
        old = self.secret("store", b"the passphrase of the store")
        identity, _ = self.run_gateway("--store-key", "passphrase", "--store-passphrase", old)
        self.backup("--store-passphrase", old)
        os.unlink(old)
        self.restore()
        self.assertEqual(self.run_gateway()[0], identity)
        new = self.secret("new", b"another passphrase of the store")
        self.restore("--passphrase", self.passphrase, "--store-key", "passphrase", "--store-passphrase", new)
        self.assertEqual(self.run_gateway("--store-passphrase", new)[0], identity)

    def test_lost_store_key(self):
        identity, _ = self.run_gateway()
        self.backup()
        os.unlink(self.state + "/store.key")
        self.restore()
        self.assertEqual(self.run_gateway()[0], identity)

    def test_key(self):
        self.run_gateway()
        key = self.secret("key", bytes(range(32)))
        self.larch_("backup", "--state", self.state, "--key", key, self.file)
        self.refused(USAGE, "--key FILE names it")
        self.restore("--key", key)
        self.larch_("restore", "--yes", "--state", self.state, "--key", self.secret("other", bytes(32)), self.file,
                    code=REFUSED)
        self.run_gateway()


class Refused(Case):
    def setUp(self):
        super().setUp()
        self.run_gateway()
        self.add("kitchen")
        self.backup()

    def test_files(self):
        with open(self.file, "rb") as f:
            content = f.read()
        other = self.secret("other", b"another passphrase")
        before = self.content()
        _, err = self.restore("--passphrase", other, code=REFUSED)
        self.assertIn("the recovery passphrase is wrong, or the file was damaged", err)
        self.assertEqual(self.content(), before)
        damaged = [(content[:88], "is damaged"), (content[:-1], "does not open"), (content + b"x", "does not open"),
                   (content[:40], "is not a backup"), (b"", "is not a backup"), (b"X" + content[1:], "is not a backup")]
        for at in (80, 100, 88 + 65552 - 1, 88 + 65552 + 5, len(content) - 1):
            damaged.append((content[:at] + bytes([content[at] ^ 1]) + content[at + 1:], "does not open"))
        damaged.append((content[:88 + 65552], "does not open"))
        for changed, words in damaged:
            self.refused(REFUSED, words, file=self.secret("changed", changed))
        self.refused(FAILED, "newer version", file=self.secret("changed", content[:12] + b"\2" + content[13:]))
        self.refused(FAILED, "newer version", file=self.secret("changed", content[:82] + b"\0\3" + content[84:]))
        self.refused(REFUSED, "was made on another machine", "--other-machine",
                     file=self.secret("changed", content[:42] + b"\1" * 32 + content[74:]))
        self.assertIn("standard input is no terminal", self.larch_(
            "restore", "--state", self.state, "--passphrase", self.passphrase, self.file, code=USAGE)[1])

    def test_full_disk(self):
        """A limit on files stands for the disk: whichever write fails, nothing has changed."""
        for kib in (1, 8, 40, 60, 100):
            self.refused(FAILED, "Nothing was changed", prefix=["prlimit", f"--fsize={kib * 1024}"])
        os.unlink(self.file)
        self.assertIn("cannot be written", self.backup(code=FAILED, prefix=["prlimit", "--fsize=120000"]))
        self.assertFalse(os.path.exists(self.file))

    def test_running_gateway(self):
        g = self.gateway()
        self.assertIn("stop the gateway first", self.restore(code=FAILED)[1])
        os.unlink(self.file)
        self.assertIn("stop the gateway first", self.backup(code=FAILED))
        self.assertEqual(g.stop(), DONE)

    def test_cut_short(self):
        """Each state that a power cut can leave behind goes on to the old folder or the new one."""
        shutil.copytree(self.state, self.folder.name + "/old")
        self.restore()
        shutil.move(self.state, self.folder.name + "/new")
        new = self.folder.name + "/new"
        files = [name for name in os.listdir(new) if name != "lock"]
        for below, moved in (("restore.new", 0), ("restore.ready", 0), ("restore.go", 0), ("restore.go", 2)):
            with self.subTest(below=below, moved=moved):
                os.mkdir(self.state, 0o700)
                if below != "restore.go":
                    subprocess.run(f"cp -a '{self.folder.name}/old/'* '{self.state}/'", shell=True, check=True)
                os.mkdir(f"{self.state}/{below}", 0o700)
                for i, name in enumerate(files):
                    subprocess.run(["cp", "-a", f"{new}/{name}", self.state if i < moved else f"{self.state}/{below}"],
                                   check=True)
                # The copies have other times of birth than the files that a restore makes.
                p = subprocess.run([LARCH, "keys", "recover", "--yes", "--state", self.state], capture_output=True)
                self.assertEqual(p.returncode, DONE, p.stderr)
                self.assertEqual(b"a restore that was cut short is finished" in p.stderr, below != "restore.new")
                self.content()
                self.run_gateway()
                shutil.rmtree(self.state)


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[3:]])
