# SPDX-License-Identifier: Apache-2.0
"""libcoap's coap-client against our server, and our client against its coap-server."""
import contextlib
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from peers import LARGE, ask, body, free_port, our_server, run, running, wait_bound

CLIENT = os.environ["COAP_CLIENT"]
SERVER = os.environ["COAP_SERVER"]


class TheirClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.uri = cls.stack.enter_context(our_server())
        cls.uri6 = cls.stack.enter_context(our_server("[::1]:0"))
        cls.folder = cls.stack.enter_context(tempfile.TemporaryDirectory())

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def their(self, path, *arguments, payload=None):
        """What coap-client prints: (body, diagnostics)."""
        if payload is not None:
            name = os.path.join(self.folder, "payload")
            with open(name, "w", encoding="ascii") as file:
                file.write(payload)
            arguments += ("-f", name)
        out, err, _ = run(CLIENT, "-B", "8", *arguments, path if "://" in path else self.uri + path)
        return out, err.decode()

    def get(self, path, *arguments):
        out, err = self.their(path, *arguments)
        self.assertEqual(err, "")
        return out.removesuffix(b"\n")  # which coap-client adds on some ways out

    def test_get(self):
        self.assertEqual(self.get("/hello"), b"hello, world")
        self.assertEqual(self.get(self.uri6 + "/hello"), b"hello, world")

    def test_get_non_confirmable(self):
        self.assertEqual(self.get("/hello", "-N"), b"hello, world")

    def test_resources(self):
        self.assertIn(b"</large>;sz=5000", self.get("/.well-known/core"))

    def test_separate(self):
        begin = time.monotonic()
        self.assertEqual(self.get("/separate"), b"it took a while")
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)

    def test_separate_non_confirmable(self):
        self.assertEqual(self.get("/separate", "-N"), b"it took a while")

    def test_block2(self):
        for size in (16, 64, 1024):
            self.assertEqual(self.get("/large", "-b", str(size)), LARGE)
        self.assertEqual(self.get("/large"), LARGE)

    def test_last_block_alone(self):
        self.assertEqual(self.get("/large", "-b", "4,1024"), LARGE[4096:])

    def test_block_past_the_end(self):
        self.assertIn("4.00", self.their("/large", "-b", "5,1024")[1])

    def test_block1(self):
        for method in ("put", "post"):
            for size in (0, 1, 1023, 1024, 1025, 2048):
                for block in (1024, 128):
                    with self.subTest(method=method, size=size, block=block):
                        self.assertEqual(self.their("/store", "-m", method, "-b", str(block), payload=body(size)), (b"", ""))
                        self.assertEqual(self.get("/store").decode(), body(size))

    def test_too_large(self):
        self.assertIn("4.13", self.their("/store", "-m", "put", payload=body(2049))[1])
        self.assertIn("4.13", self.their("/store", "-m", "put", "-b", "64", payload=body(2049))[1])

    def test_not_found(self):
        self.assertIn("4.04", self.their("/nothing-here")[1])

    def test_method_not_allowed(self):
        self.assertIn("4.05", self.their("/hello", "-m", "put", "-e", "x")[1])
        self.assertIn("4.05", self.their("/store", "-m", "delete")[1])
        self.assertIn("4.05", self.their("/hello", "-m", "fetch", "-e", "x")[1])

    def test_critical_option(self):
        self.assertIn("4.02", self.their("/hello", "-O", "65001,x")[1])

    def test_elective_option(self):
        self.assertEqual(self.get("/hello", "-O", "65002,x"), b"hello, world")

    def test_ping(self):
        out, err, _ = run(CLIENT, "-B", "8", "-v", "7", "-K", "1", "-G", "2", self.uri + "/hello")
        log = (out + err).decode()
        self.assertEqual(log.count("t:CON c:0.00"), 1)
        self.assertEqual(log.count("t:RST c:0.00"), 1)
        self.assertEqual(log.count("c:2.05"), 2)


class TheirServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        port = free_port()
        cls.stack.enter_context(running(SERVER, "-A", "127.0.0.1", "-p", str(port), "-d", "40"))
        wait_bound(port)
        cls.uri = f"coap://127.0.0.1:{port}"

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def test_get(self):
        code, text, requests = ask("get", self.uri + "/")
        self.assertEqual((code, requests), ("2.05", 1))
        self.assertIn(b"test server made with libcoap", text)

    def test_get_non_confirmable(self):
        self.assertEqual(ask("get", self.uri, non=True)[0], "2.05")

    def test_resources_blockwise(self):
        for i in range(30):
            self.assertEqual(ask("put", f"{self.uri}/a-rather-long-name-{i:02d}", "x")[0], "2.01")
        code, links, requests = ask("get", self.uri + "/.well-known/core")
        self.assertEqual(code, "2.05")
        self.assertGreater(len(links), 1024)
        self.assertEqual(requests, (len(links) + 1023) // 1024)
        for i in range(30):
            self.assertEqual(links.count(b"</a-rather-long-name-%02d>" % i), 1)

    def test_separate(self):
        code, text, requests = ask("get", self.uri + "/async?1")
        self.assertEqual((code, text, requests), ("2.05", b"done", 1))

    def test_body_up_and_down(self):
        for size in (1, 1024, 1025, 5000):
            with self.subTest(size=size):
                code, _, requests = ask("put", self.uri + "/example_data", body(size))
                self.assertIn(code, ("2.01", "2.04"))
                self.assertEqual(requests, (size + 1023) // 1024)
                code, text, requests = ask("get", self.uri + "/example_data")
                self.assertEqual((code, text.decode()), ("2.05", body(size)))
        # libcoap sends up to 1152 bytes unasked in one datagram, so only the last size needs blocks.
        self.assertEqual(requests, 5)

    def test_errors(self):
        self.assertEqual(ask("get", self.uri + "/nothing-here")[0], "4.04")
        self.assertEqual(ask("post", self.uri + "/time", "x")[0], "4.05")

    def test_lost_answer(self):
        # The server loses the first datagram that it sends: ours repeats the request.
        port = free_port()
        with running(SERVER, "-A", "127.0.0.1", "-p", str(port), "-l", "1"):
            wait_bound(port)
            begin = time.monotonic()
            self.assertEqual(ask("get", f"coap://127.0.0.1:{port}/")[0], "2.05")
            self.assertGreaterEqual(time.monotonic() - begin, 2.0)


if __name__ == "__main__":
    skips.main()
