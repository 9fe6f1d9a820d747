# SPDX-License-Identifier: Apache-2.0
"""OSCORE with other people's code: aiocoap's and libcoap's clients at "larch gateway", directly and through proxies,
and "larch send" at their servers. LARCH names the program."""
import collections
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[1:1] = [TESTS, os.path.join(TESTS, "e2e")]
import skips  # noqa: E402
from gateway_process import Gateway  # noqa: E402
from oscore_peers import (AiocoapClient, AiocoapServer, Context, LibcoapClient, LibcoapClientOfProxy,  # noqa: E402
                          LibcoapServer, Tap, aiocoap_proxy, libcoap_proxy)
from peers import WAIT_S, body, free_port  # noqa: E402

LARCH = os.environ["LARCH"]
DONE = 0
CHANGED, CONTENT = "2.04", "2.05"
TEXT, XML, SENML = 0, 41, 110
PACK = '[{"n":"temp","u":"Cel","v":21.5}]'
LONG = body(1900)

# A line of "larch gateway --json": these members, by these names.
Reading = collections.namedtuple("Reading", "via device path format text id")


def larch(folder, *arguments):
    """Runs larch to its end, with nothing of the user's: (exit code, stdout, stderr)."""
    done = subprocess.run([LARCH, *arguments], capture_output=True, timeout=60, check=False,
                          env=os.environ | {"HOME": folder, "XDG_STATE_HOME": folder, "XDG_DATA_HOME": folder})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def context_of(number):
    """A device's context, as the device sees it. No two have a key in common."""
    return Context(sender=bytes([number]), recipient=b"gw", secret=hashlib.sha256(bytes([number])).digest()[:16])


class Case(unittest.TestCase):
    """A folder for each class and one below it for each test."""
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.top = cls.stack.enter_context(tempfile.TemporaryDirectory(prefix="larch-test-"))

    def setUp(self):
        self.folder = os.path.join(self.top, self._testMethodName)
        os.mkdir(self.folder)

    def open(self, make, *arguments, folder="peer"):
        """A peer, which closes with the test."""
        path = os.path.join(self.folder, folder)
        os.mkdir(path)
        peer = make(*arguments, path)
        self.addCleanup(peer.close)
        return peer


# ---- their clients at our gateway -------------------------------------------


class AtGateway(Case):
    """One gateway for a class, in which each test is a device of its own. make: the class of its client."""
    make = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.state = os.path.join(cls.top, "state")
        cls.port = free_port()
        cls.gateways = []
        cls.contexts = {}
        for number, test in enumerate(unittest.defaultTestLoader.getTestCaseNames(cls)):
            name = f"device-{number}"
            cls.contexts[test] = name, context_of(number)
            conf = cls.contexts[test][1].other_side().write_conf(os.path.join(cls.top, name))
            code, _, err = larch(cls.top, "keys", "add-context", name, conf, "--state", cls.state)
            if code != DONE:
                raise AssertionError(f"keys add-context: {code}, {err}")
        cls.run_gateway()
        cls.uri = cls.gateways[0].uri

    @classmethod
    def run_gateway(cls):
        """The first one, or the next one at its port."""
        gateway = Gateway(LARCH, cls.state, "--json", listen=f"127.0.0.1:{cls.port}", folder=cls.top)
        cls.stack.callback(gateway.close)
        cls.gateways.append(gateway)

    def setUp(self):
        super().setUp()
        self.name, self.context = self.contexts[self._testMethodName]
        self.client = self.connect(self.context)

    def connect(self, context, folder="client"):
        return self.open(self.make, self.uri, context, folder=folder)

    def readings(self):
        """This device's. A gateway may tell again what the one before it told, under the same identity."""
        told = {}
        for gateway in self.gateways:
            lines = [line for line in map(json.loads, gateway.lines()) if line.get("device") == self.name]
            found = [Reading(*map(line.get, Reading._fields)) for line in lines]
            self.assertEqual(len({reading.id for reading in found}), len(found), found)
            told |= {reading.id: reading for reading in found}
        return list(told.values())

    def wait_for_reading(self, text):
        end = time.monotonic() + WAIT_S
        while text not in [reading.text for reading in self.readings()]:
            self.assertLess(time.monotonic(), end, f"no reading {text!r} among {self.readings()}")
            time.sleep(0.01)

    def check_readings(self, *texts, path="temp", content_format=TEXT):
        """These, each once and no others: a last one follows them, so that none can still be on its way."""
        self.report("the last", path="last")
        self.wait_for_reading("the last")
        *found, last = self.readings()
        self.assertEqual([(r.path, r.text, r.format, r.via) for r in found],
                         [(path, text, content_format, "oscore") for text in texts])
        self.assertEqual((last.path, last.text), ("last", "the last"))

    def check_answer(self, answer, code, text=None):
        self.assertEqual((answer.code, answer.protected), (code, True), answer)
        if text is not None:
            self.assertEqual(answer.text, text)

    def check_refused(self, answer, *code_and_text):
        """An error that anyone could have sent [RFC8613 8.2]."""
        self.assertFalse(answer.protected)
        self.assertEqual((answer.code, answer.text)[:len(code_and_text)], code_and_text)

    def report(self, text, method="post", path="temp", content_format=TEXT):
        self.check_answer(self.client.ask(method, "/r/" + path, text, content_format), CHANGED)

    def restart_gateway(self, end):
        """A client returns the Echo that the first request after it gets [RFC8613 B.1.2]; no reading comes twice."""
        self.report("before")
        self.wait_for_reading("before")
        end(self.gateways[-1])
        self.run_gateway()
        self.report("after")
        self.report("later")
        self.check_readings("before", "after", "later")


class Direct(AtGateway):
    def test_text(self):
        for method, text in (("post", "21.5"), ("put", "21.6")):
            self.report(text, method)
            self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, text)
        self.check_readings("21.5", "21.6")

    def test_senml(self):
        self.report(PACK, content_format=SENML)
        self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, PACK)
        self.check_readings(PACK, content_format=SENML)

    def test_blocks(self):
        """Inner block-wise, up and down."""
        for method in ("put", "post"):
            self.report(LONG, method)
            self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, LONG)
        self.check_readings(LONG, LONG)

    def test_many(self):
        texts = [str(i) for i in range(12)]
        for text in texts:
            self.report(text)
        self.check_readings(*texts)

    def test_observe(self):
        self.report("20")
        self.assertEqual(self.client.observe("/r/temp"), "20")
        for text in ("21", "22"):
            self.report(text)
            self.assertEqual(self.client.next(), text)

    def test_errors(self):
        for method, path, content_format, code in (
                ("get", "/r/never-reported", None, "4.04"), ("get", "/nothing-here", None, "4.04"),
                ("delete", "/r/temp", None, "4.05"), ("post", "/r/temp", XML, "4.15")):
            with self.subTest(method=method, path=path):
                self.check_answer(self.client.ask(method, path, "<t/>" if content_format else "", content_format), code)
        self.check_readings()

    def test_unprotected(self):
        stranger = self.connect(None, "stranger")
        self.report("21.5")
        self.check_refused(stranger.ask("get", "/r/temp"), "4.01")
        self.check_refused(stranger.ask("post", "/r/temp", "99", TEXT), "4.01")
        self.check_readings("21.5")

    def test_another_key(self):
        other = Context(self.context.sender, self.context.recipient, secret=b"of somebody else")
        self.check_refused(self.connect(other, "other").ask("post", "/r/temp", "99", TEXT), "4.00", "Decryption failed")
        self.check_readings()

    def test_unknown_context(self):
        unknown = self.connect(context_of(200), "unknown")
        self.check_refused(unknown.ask("post", "/r/temp", "99", TEXT), "4.01", "Security context not found")
        self.check_readings()

    def test_gateway_restarts(self):
        self.restart_gateway(lambda gateway: self.assertEqual(gateway.stop(), DONE))

    def test_gateway_is_killed(self):
        self.restart_gateway(lambda gateway: gateway.kill())

    def test_replays(self):
        """What was sent once is sent again: to the same gateway, and to the next one, which has no window yet."""
        tap = Tap(self.port)
        self.addCleanup(tap.close)
        self.client = self.open(self.make, tap.uri, self.context, folder="tapped")
        self.report("21.5")
        self.report("21.6")
        tap.replay()
        self.wait_for_reading("21.6")
        self.gateways[-1].kill()
        self.run_gateway()
        tap.replay()
        self.report("21.7")
        tap.replay()
        self.check_readings("21.5", "21.6", "21.7")

    def test_client_restarts(self):
        self.report("20")
        for text, restart in (("21", self.client.restart), ("22", self.client.crash)):
            restart()
            self.report(text)
        self.check_readings("20", "21", "22")

    def test_client_forgets_its_numbers(self):
        """It begins again at 0, which the gateway has seen, and is refused until it is past what it had used."""
        for text in ("20", "21", "22"):
            self.report(text)
        self.client.forget_numbers()
        for _ in range(3):
            self.check_refused(self.client.ask("post", "/r/temp", "99", TEXT), "4.01", "Replay detected")
        for _ in range(10):
            if self.client.ask("get", "/r/temp").protected:
                break
        self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, "22")
        self.check_readings("20", "21", "22")


class AiocoapAtGateway(Direct):
    make = AiocoapClient


class LibcoapAtGateway(Direct):
    make = LibcoapClient

    def test_blocks(self):
        """libcoap's client does not return an Echo that the first block of a body gets, so a short request comes first."""
        self.check_answer(self.client.ask("get", "/r/temp"), "4.04")
        super().test_blocks()


class Proxied(AtGateway):
    """Through a proxy, which sees nothing of what passes."""
    def test_all(self):
        self.report("21.5")
        self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, "21.5")
        self.report(LONG, "put")
        self.check_answer(self.client.ask("get", "/r/temp"), CONTENT, LONG)
        self.check_readings("21.5", LONG)

    def test_gateway_is_killed(self):
        self.restart_gateway(lambda gateway: gateway.kill())


class ProxiedByAiocoap(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.uri = cls.stack.enter_context(aiocoap_proxy(cls.uri))

    test_observe = Direct.test_observe


class AiocoapThroughProxy(ProxiedByAiocoap):
    make = AiocoapClient


class LibcoapThroughProxy(ProxiedByAiocoap):
    make = LibcoapClient


class LibcoapThroughForwardProxy(Proxied):
    """libcoap's proxy adds options of its own, and answers each request separately. It cannot observe with OSCORE."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        proxy = cls.stack.enter_context(libcoap_proxy())
        cls.make = staticmethod(lambda uri, context, folder: LibcoapClientOfProxy(proxy, uri, context, folder))


# ---- our sender at their servers --------------------------------------------


class Sends(Case):
    make = None

    def setUp(self):
        super().setUp()
        self.context = context_of(1)
        self.server = self.open(self.make, self.context.other_side())

    def send(self, text, context=None, uri=None, wait=30):
        """The exit code, and what it said. An error that anyone could have sent ends no request before its time."""
        conf = os.path.join(self.folder, "sender.conf" if context is None else "other.conf")
        if not os.path.exists(conf):
            (context or self.context).write_conf(conf)
        code, _, err = larch(self.folder, "send", "--oscore", conf, "--timeout", str(wait),
                             (uri or self.server.uri) + "/store", text)
        return code, err

    def check_sent(self, text, **more):
        code, err = self.send(text, **more)
        self.assertEqual(code, DONE, err)
        self.assertEqual(self.server.stored(), text)

    def test_text(self):
        for text in ("21.5", "21.6", "21.7"):
            self.check_sent(text)

    def test_blocks(self):
        self.check_sent(LONG)
        self.check_sent("short again")

    def test_server_is_killed(self):
        """It asks for an Echo, as libcoap's does of whom it sees for the first time."""
        self.check_sent("before")
        self.server.kill()
        self.server.run()
        self.check_sent("after")

    def test_another_key(self):
        code, err = self.send("99", Context(self.context.sender, self.context.recipient, secret=b"of somebody else"), wait=1)
        self.assertNotEqual(code, DONE, err)
        self.assertIsNone(self.server.stored())

    def test_unknown_context(self):
        code, err = self.send("99", context_of(2), wait=1)
        self.assertNotEqual(code, DONE, err)
        self.assertIsNone(self.server.stored())

    def test_proxy(self):
        with aiocoap_proxy(self.server.uri) as proxy:
            self.check_sent("21.5", uri=proxy)
            self.check_sent(LONG, uri=proxy)


class SendsToAiocoap(Sends):
    make = AiocoapServer

    def test_once(self):
        code, err = self.send("21.5")
        self.assertEqual(code, DONE, err)
        request = self.server.request()
        self.assertIn(request["method"], ("PUT", "POST"))
        self.assertEqual((request["path"], request["payload"]), ("store", "21.5"))
        self.assertIsNone(self.server.stored())


class SendsToLibcoap(Sends):
    make = LibcoapServer


def load_tests(loader, _, __):
    """The classes that have a peer; the others are what these have in common."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (
        AiocoapAtGateway, LibcoapAtGateway, AiocoapThroughProxy, LibcoapThroughProxy, LibcoapThroughForwardProxy,
        SendsToAiocoap, SendsToLibcoap))


if __name__ == "__main__":
    skips.main()
