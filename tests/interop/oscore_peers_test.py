# SPDX-License-Identifier: Apache-2.0
"""The OSCORE peers among themselves: what larch meets in oscore_test.py works without larch."""
import contextlib
import os
import sys
import tempfile
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from oscore_peers import (AiocoapClient, AiocoapServer, Context, LibcoapClient, LibcoapClientOfProxy,  # noqa: E402
                          LibcoapServer, aiocoap_proxy, libcoap_proxy)
from peers import body  # noqa: E402

DEVICE = Context(sender=b"\x01", recipient=b"\x02")


class Peers(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="larch-test-"))

    def open(self, make, *arguments):
        return self.stack.enter_context(contextlib.closing(make(*arguments)))

    def exchange(self, client, size=1900):
        put = client.ask("put", "/store", body(size))
        self.assertIn(put.code, ("2.01", "2.04"))
        self.assertTrue(put.protected)
        self.assertEqual(client.ask("get", "/store"), ("2.05", body(size), True))
        self.assertEqual(client.ask("get", "/nothing-here")[::2], ("4.04", True))

    def exchange_after_crash(self, client, server):
        """The server asks for an Echo [RFC8613 B.1.2], and the client's program never sees it."""
        server.kill()
        server.run()
        self.exchange(client, 3)

    def test_aiocoap_and_libcoaps_server(self):
        server = self.open(LibcoapServer, DEVICE.other_side(), self.folder)
        client = self.open(AiocoapClient, server.uri, DEVICE, self.folder)
        self.exchange(client)
        self.exchange_after_crash(client, server)

    def test_libcoap_and_aiocoaps_server(self):
        server = self.open(AiocoapServer, DEVICE.other_side(), self.folder)
        client = self.open(LibcoapClient, server.uri, DEVICE, self.folder)
        self.exchange(client)
        self.exchange_after_crash(client, server)
        with libcoap_proxy() as proxy:
            os.mkdir(self.folder + "/proxied")
            proxied = self.open(LibcoapClientOfProxy, proxy, server.uri, DEVICE, self.folder + "/proxied")
            os.rename(client.numbers, proxied.numbers)
            self.exchange(proxied)

    def test_aiocoap_and_aiocoaps_proxy(self):
        server = self.open(AiocoapServer, DEVICE.other_side(), self.folder)
        with aiocoap_proxy(server.uri) as proxy:
            client = self.open(AiocoapClient, proxy, DEVICE, self.folder)
            self.exchange(client)
            first = int(client.observe("/time"))
            self.assertGreater(int(client.next()), first)

    def test_errors(self):
        server = self.open(AiocoapServer, DEVICE.other_side(), self.folder)
        for name, make in (("aiocoap", AiocoapClient), ("libcoap", LibcoapClient)):
            for what, context, code in (
                    ("unprotected", None, "4.01"),
                    ("another key", Context(b"\x01", b"\x02", secret=b"another"), "4.00"),
                    ("unknown", Context(b"\x03", b"\x02"), "4.01")):
                with self.subTest(f"{name}: {what}"):
                    os.mkdir(folder := f"{self.folder}/{name} {what}")
                    client = self.open(make, server.uri, context, folder)
                    self.assertEqual(client.ask("get", "/hello")[::2], (code, False))


if __name__ == "__main__":
    skips.main()
