#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the store key comes from: each source, what is missing or wrong, and the change from one to another.

usage: test_store.py LARCH SEALER [unittest arguments]
"""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import OK, GatewayCase  # noqa: E402

LARCH, SEALER = (os.path.abspath(a) for a in sys.argv[1:3])
DONE, FAILED, USAGE, REFUSED = range(4)
PASSPHRASE, OTHER = b"correct horse battery staple", b"wrong horse battery staple"
MADE = re.compile(rb"^(identity larch2:\w+)", re.M)


class Case(GatewayCase):
    larch, sealer = LARCH, SEALER

    def setUp(self):
        super().setUp()
        self.environment = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"}

    def secret(self, name, content):
        path = f"{self.folder.name}/{name}"
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, 0o600)
        return path

    def run_larch(self, *arguments, **more):
        """(exit code, stdout, stderr), without a terminal."""
        p = subprocess.run([LARCH, *arguments], capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                           env=self.environment, start_new_session=True, **more)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def start(self, *options):
        """Starts and stops a gateway; its log."""
        g = self.gateway(*options, env=self.environment)
        self.assertEqual(g.post(self.seal(g, 1)[0], 1), OK)
        self.assertEqual(g.stop(), DONE)
        return g.log()

    def refused(self, code, *words, options=()):
        """A start that is refused in one line with these words, and changes nothing."""
        before = self.content()
        got, out, err = self.run_larch("gateway", "--listen", "127.0.0.1:0", "--state", self.state, *options)
        self.assertEqual((got, out, err.count("\n")), (code, "", 1), err)
        for word in words:
            self.assertIn(word, err)
        self.assertEqual(self.content(), before)

    def content(self):
        content = {}
        for name in sorted(os.listdir(self.state)) if os.path.exists(self.state) else ():
            if name != "lock":
                with open(f"{self.state}/{name}", "rb") as f:
                    content[name] = f.read()
        return content

    def show(self):
        code, out, err = self.run_larch("store", "show", "--json", "--state", self.state)
        self.assertEqual((code, err), (DONE, ""))
        return json.loads(out)

    def rekey(self, *options, code=DONE):
        got, out, err = self.run_larch("store", "rekey", "--state", self.state, *options)
        self.assertEqual((got, out), (code, ""), err)
        return err


class Sources(Case):
    def test_file(self):
        identity = MADE.search(self.start())[1]
        log = self.start()
        self.assertEqual(MADE.search(log)[1], identity)
        self.assertIn(b"the store key is in the file store.key: whoever can read the folder can read its secrets", log)
        self.assertEqual(self.show(), {"source": "file"})
        self.refused(FAILED, "takes the store key from: file", "larch store rekey", options=["--store-key", "passphrase"])
        with open(self.state + "/store.key", "rb") as f:
            kept = f.read()
        os.unlink(self.state + "/store.key")
        self.refused(FAILED, "store.key is not there, but what its key has sealed is", "larch restore")
        for content, words in ((kept[:-1], "is cut short"), (kept[:40] + b"x" + kept[41:], "is damaged")):
            self.secret("state/store.key", content)
            self.refused(FAILED, "store.key " + words)
        self.secret("state/store.key", kept)
        self.assertEqual(MADE.search(self.start())[1], identity)

    def test_passphrase(self):
        path = self.secret("passphrase", PASSPHRASE + b"\n")
        options = ["--store-key", "passphrase", "--store-passphrase", path]
        self.refused(FAILED, "the new passphrase of the store is needed", "--store-passphrase", options=options[:2])
        self.assertEqual(self.content(), {})  # nothing was made
        identity = MADE.search(self.start(*options))[1]
        self.assertEqual(MADE.search(self.start(*options[2:]))[1], identity)
        self.assertEqual(self.show(), {"source": "passphrase", "passes": 3, "memory_kib": 65536, "lanes": 4})
        self.refused(FAILED, "the passphrase of the store is needed", "LoadCredential")
        self.refused(REFUSED, "the passphrase is wrong", options=["--store-passphrase", self.secret("other", OTHER)])
        os.chmod(path, 0o644)
        self.refused(REFUSED, "others can read", options=options)
        os.chmod(path, 0o600)
        code, out, err = self.run_larch("keys", "fingerprint", "--state", self.state)
        self.assertEqual((code, out), (FAILED, ""))
        self.assertIn("the passphrase of the store is needed", err)
        code, out, _ = self.run_larch("keys", "fingerprint", "--state", self.state, "--store-passphrase", path)
        self.assertEqual((code, out.split()[0]), (DONE, identity.split()[1].decode()))
        for action in (("add", "kitchen", "--out", self.folder.name + "/enrolment"), ("revoke", "kitchen")):
            code, _, err = self.run_larch("device", *action, "--state", self.state)
            self.assertEqual((code, "the passphrase of the store is needed" in err), (FAILED, True), err)
            code, _, err = self.run_larch("device", *action, "--state", self.state, "--store-passphrase", path)
            self.assertEqual(code, DONE, err)
        for name, content in self.content().items():  # neither it nor what it protects is there to be read
            self.assertNotIn(PASSPHRASE, content, name)

    def test_terminal(self):
        """It is asked for without echo, twice when it is new."""
        self.start()
        for answers, code, words in (((PASSPHRASE, OTHER), FAILED, b"are not the same"),
                                     ((PASSPHRASE, PASSPHRASE), DONE, b"is sealed under a new key")):
            head, tail = pty.openpty()
            p = subprocess.Popen([LARCH, "store", "rekey", "--to", "passphrase", "--state", self.state], stdin=tail,
                                 stderr=tail, stdout=subprocess.DEVNULL, env=self.environment)
            os.close(tail)
            shown = b""
            for answer in answers:
                while not shown.endswith(b": "):
                    shown += os.read(head, 100)
                os.write(head, answer + b"\n")
                shown += b"|"
            try:
                while more := os.read(head, 1000):
                    shown += more
            except OSError:
                pass  # the other end is gone
            os.close(head)
            self.assertEqual(p.wait(60), code, shown)
            self.assertIn(words, shown)
            self.assertNotIn(b"horse", shown)

    def test_credential(self):
        self.refused(FAILED, "systemd credential 'larch-store-key'", "LoadCredential", options=["--store-key", "credential"])
        self.environment["CREDENTIALS_DIRECTORY"] = self.folder.name
        self.secret("larch-store-key", b"short")
        self.refused(FAILED, "has less than 32 bytes", options=["--store-key", "credential"])
        self.secret("larch-store-key", bytes(range(32)))
        identity = MADE.search(self.start("--store-key", "credential"))[1]
        self.assertEqual(MADE.search(self.start())[1], identity)
        self.assertEqual(self.show(), {"source": "credential", "name": "larch-store-key"})
        self.secret("larch-store-key", bytes(32))
        self.refused(REFUSED, "credential larch-store-key", "is not the one")
        os.unlink(self.folder.name + "/larch-store-key")
        self.refused(FAILED, "LoadCredential=larch-store-key:FILE")

    def test_configuration(self):
        """The same by gateway.ini, with the passphrase as a credential."""
        self.secret("secret", PASSPHRASE)
        self.environment["CREDENTIALS_DIRECTORY"] = self.folder.name
        g = self.gateway(config="[gateway]\nstore_key = passphrase\nstore_passphrase = credential:secret\n",
                         env=self.environment)
        self.assertEqual(g.stop(), DONE)
        self.assertEqual(self.show()["source"], "passphrase")


@unittest.skipUnless(shutil.which("softhsm2-util"), "needs softhsm2")
class Token(Case):
    URI = "pkcs11:token=larch;object=store"

    def setUp(self):
        super().setUp()
        os.mkdir(self.folder.name + "/tokens")
        conf = self.secret("softhsm2.conf", f"directories.tokendir = {self.folder.name}/tokens\n".encode())
        self.environment["SOFTHSM2_CONF"] = conf
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "larch", "--so-pin", "12345678", "--pin",
                        "987654"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        self.pin = self.secret("pin", b"987654\n")

    def test_token(self):
        new = ["--store-key", "pkcs11", "--store-token", self.URI, "--store-pin", self.pin]
        self.refused(FAILED, "no token that its URI describes", options=[
            *new[:3], "pkcs11:token=other;object=store", *new[4:]])
        self.refused(FAILED, "not as RFC 7512", options=[*new[:3], "pkcs11:token=larch", *new[4:]])
        identity = MADE.search(self.start(*new))[1]
        self.assertEqual(MADE.search(self.start("--store-pin", self.pin))[1], identity)
        self.assertEqual(self.show(), {"source": "pkcs11", "name": self.URI})
        self.refused(FAILED, "the PIN of the store's token is needed", "--store-pin")
        self.refused(REFUSED, "refuses the PIN", options=["--store-pin", self.secret("other", b"111111")])
        os.rename(self.folder.name + "/tokens", self.folder.name + "/away")
        os.mkdir(self.folder.name + "/tokens")
        self.refused(FAILED, "no token that its URI describes", options=["--store-pin", self.pin])
        os.rmdir(self.folder.name + "/tokens")
        os.rename(self.folder.name + "/away", self.folder.name + "/tokens")
        self.rekey("--to", "file", "--store-pin", self.pin)
        self.assertEqual(MADE.search(self.start())[1], identity)

    def test_other_key(self):
        """A token that was set up anew has a key of the same label, and it is not the same key."""
        new = ["--store-key", "pkcs11", "--store-token", self.URI, "--store-pin", self.pin]
        self.start(*new)
        state, self.state = self.state, self.folder.name + "/second"
        shutil.rmtree(self.folder.name + "/tokens")
        os.mkdir(self.folder.name + "/tokens")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "larch", "--so-pin", "12345678", "--pin",
                        "987654"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        self.start(*new)
        self.state = state
        self.refused(REFUSED, "is not the one that wrapped the store key", options=["--store-pin", self.pin])


class Rekey(Case):
    def test_every_change(self):
        passphrase = self.secret("passphrase", PASSPHRASE)
        self.environment["CREDENTIALS_DIRECTORY"] = self.folder.name
        self.secret("larch-store-key", bytes(range(32)))
        identity = MADE.search(self.start())[1]
        self.run_larch("device", "add", "kitchen", "--state", self.state, "--out", self.folder.name + "/enrolment")
        before = self.content()
        self.rekey("--to", "passphrase", "--new-passphrase", passphrase)
        after = self.content()
        for name, content in before.items():  # no secret is where it was, nor the key that opened it
            if name.endswith(".key"):
                self.assertNotEqual(content, after[name], name)
        key = before["store.key"][-36:-4]
        for name, content in after.items():
            self.assertNotIn(key, content, name)
        self.rekey("--store-passphrase", self.secret("other", OTHER), code=REFUSED)
        self.rekey("--to", "credential", "--store-passphrase", passphrase)
        self.assertEqual(MADE.search(self.start())[1], identity)
        self.rekey()  # the same source, another key
        self.rekey("--to", "file")
        self.assertEqual(MADE.search(self.start())[1], identity)
        code, out, _ = self.run_larch("device", "revoke", "kitchen", "--state", self.state)
        self.assertEqual(code, DONE)

    def test_refused(self):
        code, _, err = self.run_larch("store", "rekey", "--state", self.state)
        self.assertEqual(code, FAILED)
        g = self.gateway()
        before = self.show()
        self.assertIn("stop the gateway first", self.rekey(code=FAILED))
        self.assertEqual(self.show(), before)
        g.stop()
        self.rekey("--to", "passphrase", code=FAILED)
        self.rekey("--to", "pkcs11", code=USAGE)
        self.start()


class Entropy(Case):
    def test_reports(self):
        """A source that helps, and ones that fail, which changes nothing else."""
        sound = self.secret("sound", os.urandom(4096))
        for device, words in ((sound, b"passes the health tests; its bytes are added"),
                              ("/dev/zero", b"repetition count test"),
                              (self.secret("biased", bytes(7 if i % 4 < 3 else i % 251 for i in range(4096))),
                               b"adaptive proportion test"),
                              (self.folder.name + "/absent", b"No such file")):
            g = self.gateway(config=f"[gateway]\nentropy = {device}\n", env=self.environment)
            g.wait_for(rb"entropy: [^\n]*" + words)
            self.assertEqual(g.post(self.seal(g, 1)[0], 1), OK)
            self.assertEqual(g.stop(), DONE)
            shutil.rmtree(self.state)


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[3:]])
