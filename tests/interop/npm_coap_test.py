# SPDX-License-Identifier: Apache-2.0
"""The CoAP stack of npm as client of our server, and as server of our client."""
import contextlib
import os
import sys
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from peers import LARGE, ask, body, our_server, run, running

NODE = os.environ["NODE"]
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm_coap", "peer.js")


class TheirClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.uri = cls.stack.enter_context(our_server())

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def their(self, method, path, payload="", kind="con"):
        """The code and the body that their client got."""
        out, err, code = run(NODE, SCRIPT, method, self.uri + path, payload, kind)
        self.assertEqual(code, 0, err)
        first, _, rest = out.partition(b"\n")
        return first.decode(), rest

    def test_get(self):
        self.assertEqual(self.their("get", "/hello"), ("2.05", b"hello, world"))

    def test_get_non_confirmable(self):
        self.assertEqual(self.their("get", "/hello", kind="non"), ("2.05", b"hello, world"))

    def test_separate(self):
        self.assertEqual(self.their("get", "/separate"), ("2.05", b"it took a while"))

    def test_block2(self):
        self.assertEqual(self.their("get", "/large"), ("2.05", LARGE))

    def test_block1(self):
        for method, size in (("put", 1024), ("put", 1025), ("post", 2048)):
            with self.subTest(method=method, size=size):
                self.assertEqual(self.their(method, "/store", body(size)), ("2.04", b""))
                self.assertEqual(self.their("get", "/store"), ("2.05", body(size).encode()))

    def test_errors(self):
        self.assertEqual(self.their("get", "/nothing-here")[0], "4.04")
        self.assertEqual(self.their("put", "/hello", "x")[0], "4.05")
        self.assertEqual(self.their("put", "/store", body(2049))[0], "4.13")


class TheirServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        process = cls.stack.enter_context(running(NODE, SCRIPT, "serve"))
        cls.uri = "coap://127.0.0.1:" + process.stdout.readline().decode().split()[1]

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def test_get(self):
        self.assertEqual(ask("get", self.uri + "/hello"), ("2.05", b"hello, world", 1))

    def test_get_non_confirmable(self):
        self.assertEqual(ask("get", self.uri + "/hello", non=True)[:2], ("2.05", b"hello, world"))

    def test_query(self):
        for query in ("kem=768", "a=1&b=2%20c"):
            self.assertEqual(ask("get", self.uri + "/query?" + query)[1].decode(), query.replace("%20", " "))

    def test_separate(self):
        begin = time.monotonic()
        self.assertEqual(ask("get", self.uri + "/separate")[:2], ("2.05", b"it took a while"))
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)

    def test_block2(self):
        self.assertEqual(ask("get", self.uri + "/large"), ("2.05", LARGE, 5))

    def test_body_of_one_block(self):
        self.assertEqual(ask("put", self.uri + "/store", body(1024)), ("2.04", b"", 1))
        self.assertEqual(ask("get", self.uri + "/store"), ("2.05", body(1024).encode(), 1))

    def test_block1(self):
        # Their server finds the blocks of a body by the token.
        for size, requests in ((1025, 2), (2048, 2), (5000, 5)):
            with self.subTest(size=size):
                self.assertEqual(ask("put", self.uri + "/store", body(size)), ("2.04", b"", requests))
                self.assertEqual(ask("get", self.uri + "/store")[:2], ("2.05", body(size).encode()))

    def test_errors(self):
        self.assertEqual(ask("get", self.uri + "/nothing-here")[0], "4.04")
        self.assertEqual(ask("put", self.uri + "/hello", "x")[0], "4.05")


if __name__ == "__main__":
    skips.main()
