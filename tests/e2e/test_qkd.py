# SPDX-License-Identifier: Apache-2.0
"""Keys of a key delivery service (ETSI GS QKD 014): both sides fetch, shake hands, and what goes wrong.

usage: test_qkd.py LARCH"""
import base64
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from test_lake import LakeCase  # noqa: E402


def make_certificates(folder):
    """ca, server, gateway and pump (of the same authority); other.pem and other_ca.pem are of another one."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def make_ca(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
                f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")

    def make(name, ca, extension):
        with open(f"{folder}/{name}.ext", "w") as f:
            f.write(extension)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days",
                "2", "-out", f"{name}.pem", "-extfile", f"{name}.ext")

    make_ca("ca")
    make_ca("other_ca")
    make("server", "ca", "subjectAltName=IP:127.0.0.1\n")
    make("gateway", "ca", "extendedKeyUsage=clientAuth\n")
    make("pump", "ca", "extendedKeyUsage=clientAuth\n")
    make("other", "other_ca", "extendedKeyUsage=clientAuth\n")


class Service(http.server.ThreadingHTTPServer):
    """Both ends of a QKD link in one server: the client's certificate says which SAE asks. answer: (status, body) instead."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys, self.requests, self.answer, self.next_id, self.delay = {}, [], None, None, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
        self.context.load_verify_locations(f"{folder}/ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as s:
            super().finish_request(s, client_address)

    def handle_error(self, request, client_address):
        pass  # of clients that are refused

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self):
        asker = dict(pair[0] for pair in self.connection.getpeercert()["subject"])["commonName"]
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        found = re.fullmatch(r"/api/v1/keys/(\w+)/(enc|dec)_keys", url.path)
        service = self.server
        service.requests.append((asker, self.path))
        time.sleep(service.delay)
        if service.answer is not None:
            return service.answer
        if found is None:
            return 404, {"message": "no such resource"}
        if found[2] == "enc":
            if query != {"number": ["1"], "size": ["256"]}:
                return 400, {"message": "number or size"}
            key_id, key = service.next_id or str(uuid.uuid4()), base64.b64encode(os.urandom(32)).decode()
            service.keys[key_id] = (asker, found[1], key)
        else:
            key_id = query["key_ID"][0]
            master, slave, key = service.keys.get(key_id, ("", "", ""))
            if (master, slave) != (found[1], asker):
                return 400, {"message": "no key of this ID \x1b[31m for you", "details": []}
            del service.keys[key_id]
        return 200, {"keys": [{"key_ID": key_id, "key": key}]}

    def do_GET(self):
        status, body = self.answer()
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", self.server.url + "/api/v1/keys/pump/enc_keys?number=1&size=256")
        self.end_headers()
        self.wfile.write(body)


class Qkd(LakeCase):
    @classmethod
    def setUpClass(cls):
        probe = [cls.larch, "device", "qkd", "pump", "--url", "https://127.0.0.1:1", "--sae", "a", "--cert", "a", "--key", "a",
                 "--cacert", "a", "--state", "none"]
        if "built without libcurl" in subprocess.run(probe, capture_output=True, text=True, check=False).stderr:
            raise unittest.SkipTest("this larch was built without libcurl")
        cls.certificates = tempfile.TemporaryDirectory(prefix="larch-test-")
        cls.addClassCleanup(cls.certificates.cleanup)
        make_certificates(cls.certificates.name)

    def setUp(self):
        super().setUp()
        self.service = Service(self.certificates.name)
        self.addCleanup(self.service.stop)

    def qkd(self, name, sae, *options, who="gateway", ca="ca", url=None, code=0):
        at = self.certificates.name
        return self.run_larch("device", "qkd", name, "--url", url or self.service.url, "--sae", sae, "--cert",
                              f"{at}/{who}.pem", "--key", f"{at}/{who}.key", "--cacert", f"{at}/{ca}.pem", *options,
                              code=code)

    def add_by_qkd(self, name="pump", *options, **more):
        return self.qkd(name, "pump", "--state", self.state, *options, **more)

    def card(self):
        path = self.folder.name + "/card"
        if not os.path.exists(path):
            self.run_larch("device", "card", "--out", path, "--state", self.state)
        return path

    def fetch(self, name, key_id, *options, who="pump", **more):
        out = f"{self.folder.name}/{name}.enrolment"
        return out, self.qkd(name, "gateway", "--key-id", key_id, "--card", self.card(), "--out", out, *options, who=who,
                             **more)

    def test_both_sides(self):
        g = self.gateway()
        done = self.add_by_qkd()
        key_id = done.stdout.strip()
        self.assertEqual(str(uuid.UUID(key_id)), key_id)
        key = base64.b64decode(self.service.keys[key_id][2])
        out, fetched = self.fetch("pump", key_id)
        with open(out, "rb") as f:
            enrolment = f.read()
        self.assertEqual(os.stat(out).st_mode & 0o777, 0o600)
        self.assertIn(uuid.UUID(key_id).bytes[:8] + b"\x04\x58\x20" + key, enrolment)
        for said in (done, fetched):
            self.assertNotIn(key.hex(), said.stdout + said.stderr)
            self.assertNotIn(base64.b64encode(key).decode(), said.stdout + said.stderr)
        self.assertIn("a session began", self.send(g, out))
        self.assertEqual(self.handshakes(g), [(b"pump", b"began")])
        self.assertNotIn(key.hex().encode(), g.log())
        self.assertEqual([asker for asker, _ in self.service.requests], ["gateway", "pump"])
        # A key is handed out once, and the answer of the service cannot write on the terminal.
        again, done = self.fetch("again", key_id, code=1)
        self.assertIn(r"status 400): no key of this ID \x1b[31m", done.stderr)
        self.assertFalse(os.path.exists(again))

    def test_without_a_gateway(self):
        """Into its folder; the enrolment as a file; other suites and policies; as JSON."""
        self.gateway().stop()
        out = self.folder.name + "/pump"
        said = json.loads(self.add_by_qkd("pump", "--out", out, "--suite", "x-wing", "--allow", "r/level", "--json").stdout)
        self.assertEqual(said["kid"], uuid.UUID(said["key_id"]).bytes[:8].hex())
        g = self.gateway("--suites", "ml-kem-512,x-wing")
        done = self.run_larch("send", "--enrolment", out, g.uri + "/r/level", "1")
        self.assertIn("a session began", done.stdout + done.stderr)
        self.assertIn("4.03", self.run_larch("send", "--enrolment", out, g.uri + "/r/other", "1", code=1).stderr)
        other, _ = self.fetch("pump", said["key_id"], "--suite", "x-wing")
        with open(out, "rb") as f, open(other, "rb") as o:
            self.assertEqual(f.read(), o.read())

    def test_used_before(self):
        g = self.gateway()
        self.service.next_id = str(uuid.uuid4())
        self.add_by_qkd("pump")
        self.assertIn("is on record already", self.add_by_qkd("other", code=1).stderr)
        self.service.next_id = self.service.next_id[:19] + "beef" + self.service.next_id[23:]  # the same kid
        out = self.folder.name + "/other"
        self.assertIn("is on record already", self.add_by_qkd("other", "--out", out, code=1).stderr)
        self.assertFalse(os.path.exists(out))
        self.service.next_id = None
        self.assertIn("is there already", self.add_by_qkd("pump", code=1).stderr)
        self.add_by_qkd("other")
        listed = self.run_larch("device", "list", "--state", self.state).stdout
        self.assertEqual(len(listed.splitlines()) - ("device" in listed.splitlines()[0].lower()), 2, listed)
        g.stop()
        self.service.next_id = str(uuid.uuid4())
        self.add_by_qkd("third")
        self.assertIn("is on record already", self.add_by_qkd("fourth", code=1).stderr)

    def test_tls(self):
        self.gateway()
        self.assertRegex(self.add_by_qkd(who="other", code=1).stderr, "may not accept the certificate")
        self.service.context.maximum_version = ssl.TLSVersion.TLSv1_2  # refuses within the handshake
        self.assertRegex(self.add_by_qkd(who="other", code=1).stderr, "may not accept the certificate .*alert")
        self.assertIn("is not a service that", self.add_by_qkd(ca="other_ca", code=3).stderr)
        # The certificate is for 127.0.0.1 alone.
        self.assertIn("is not a service that", self.add_by_qkd(url=self.service.url.replace("127.0.0.1", "localhost"),
                                                               code=3).stderr)
        self.assertIn("cannot be used", self.add_by_qkd(who="nobody", code=1).stderr)
        self.assertIn("--cacert", self.add_by_qkd(ca="nobody", code=1).stderr)
        self.assertEqual(self.service.requests, [])
        self.assertNotIn("pump", self.run_larch("device", "list", "--state", self.state).stdout)

    def test_down(self):
        self.gateway()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            url = f"https://127.0.0.1:{s.getsockname()[1]}"
            self.assertIn("cannot be reached", self.add_by_qkd(url=url, code=1).stderr)
            s.listen()  # and never answers
            self.assertIn("did not answer within 0.3 s", self.add_by_qkd("pump", "--timeout", "0.3", url=url, code=1).stderr)
        self.service.delay = 1
        self.assertIn("did not answer within 0.3 s", self.add_by_qkd("pump", "--timeout", "0.3", code=1).stderr)

    def test_answers(self):
        self.gateway()
        key_id, key = str(uuid.uuid4()), base64.b64encode(os.urandom(32)).decode()
        one = {"key_ID": key_id, "key": key}
        for status, body, said in (
                (400, {"message": "too many keys"}, "refuses the request (status 400): too many keys"),
                (401, {"message": "who are you"}, "(status 401): who are you"),
                (503, {"message": "no keys left"}, "try again later (status 503): no keys left"),
                (503, b"<html>", "(status 503)\n"),
                (302, b"", "(status 302)\n"),
                (200, b"", "is not JSON"),
                (200, b"{", "is not JSON"),
                (200, json.dumps({"keys": [one]}).encode()[:-1], "is not JSON"),
                (200, json.dumps({"keys": [one]}).encode() + b",", "is not JSON"),
                (200, b'{"keys":[{"key_ID":"\xff"}]}', "is not JSON"),
                (200, b"[" * 1000 + b"]" * 1000, "is not JSON"),
                (200, {"Keys": [one]}, "is no key container"),
                (200, {"keys": one}, "is no key container"),
                (200, {"keys": [[one]]}, "is no key container"),
                (200, {"keys": [{"key_ID": key_id}]}, "is no key container"),
                (200, {"keys": [{"key_ID": key_id, "key": 7}]}, "is no key container"),
                (200, [one], "is no key container"),
                (200, {"keys": []}, "exactly one key"),
                (200, {"keys": [one, one]}, "exactly one key"),
                (200, {"keys": [dict(one, key_ID="7")]}, "one UUID"),
                (200, {"keys": [dict(one, key=key[:-4])]}, "256 bits"),
                (200, {"keys": [dict(one, key=base64.b64encode(os.urandom(64)).decode())]}, "256 bits"),
                (200, {"keys": [dict(one, key="-" * 44)]}, "base64"),
                (200, {"keys": [dict(one, key=key[:-1])]}, "base64"),
                (200, {"keys": [dict(one, more="x" * 20000)]}, "longer than 16384 bytes")):
            with self.subTest(body=str(body)[:60]):
                self.service.answer = status, body
                self.assertIn(said, self.add_by_qkd(code=1).stderr)
        self.service.answer = 200, {"keys": [dict(one, key_ID=str(uuid.uuid4()))]}
        self.assertIn("gave another key than", self.fetch("pump", key_id, code=1)[1].stderr)
        self.assertNotIn("pump", self.run_larch("device", "list", "--state", self.state).stdout)
        self.service.answer = 200, {"keys": [dict(one, key_extension={"a": [1, None]})], "key_container_extension": {"keys": 1}}
        self.add_by_qkd()

    def test_usage(self):
        self.assertIn("--url, --sae", self.run_larch("device", "qkd", "pump", "--url", "https://a", code=2).stderr)
        for url in ("http://127.0.0.1", "https://a@b", "https://a/?b"):
            self.assertIn("--url: it takes", self.add_by_qkd(url=url, code=2).stderr)
        self.assertIn("--card", self.add_by_qkd("pump", "--key-id", str(uuid.uuid4()), code=2).stderr)
        self.assertIn("UUID", self.add_by_qkd("pump", "--key-id", "../7", code=2).stderr)
        self.run_larch("device", "add", "pump", "--url", "https://a", "--out", "x", code=2)


if __name__ == "__main__":
    Qkd.larch = sys.argv.pop(1)
    skips.main(defaultTest=["Qkd"])
