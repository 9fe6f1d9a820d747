# SPDX-License-Identifier: Apache-2.0
"""larch over networks that are not well: routers with short links, rules and routes that refuse, hosts and interfaces
that come late.

usage: test_network.py LARCH [unittest arguments]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import networks

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH = ""
DONE, FAILED, USAGE, REFUSED = range(4)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="larch-net-")
        self.addCleanup(self.folder.cleanup)

    def host(self):
        host = networks.Host()
        self.addCleanup(host.close)
        return host

    def gateway(self, host, *options, seconds=20):
        """Its log, once it listens."""
        log = tempfile.TemporaryFile("w+b", dir=self.folder.name)
        out = tempfile.TemporaryFile("w+b", dir=self.folder.name)
        child = subprocess.Popen([*host.prefix, LARCH, "gateway", "--state", self.folder.name + "/state", "--durability",
                                  "process", *options], stdout=out, stderr=log)
        self.addCleanup(log.close)
        self.addCleanup(out.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.read = lambda: os.pread(log.fileno(), 1 << 20, 0).decode()
        self.texts = lambda: os.pread(out.fileno(), 1 << 20, 0).decode().splitlines()
        self.wait_for(r"X-Wing generation", seconds)
        return child

    def wait_for(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.read()):
            self.assertLess(time.monotonic(), end, f"no {pattern!r} in {self.read()!r}")
            time.sleep(0.02)

    def send(self, host, uri, *options, code=DONE):
        done = host.run(LARCH, "send", uri, "Hello " + 700 * "x", "--trust-first-use", "--known",
                        self.folder.name + "/known", *options, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr


class Hints(Case):
    """Sender, router and gateway, in a row."""

    def row(self, mtu=1500):
        self.sender, self.router, self.far = self.host(), self.host(), self.host()
        self.interface, _ = networks.join(self.sender, "10.1.0.2/24", self.router, "10.1.0.1/24")
        networks.join(self.router, "10.2.0.1/24", self.far, "10.2.0.2/24", mtu)
        self.router.forward()
        self.sender.ip("route", "add", "default", "via", "10.1.0.1")
        self.far.ip("route", "add", "default", "via", "10.2.0.1")

    def test_a_router_with_a_short_link(self):
        self.row(mtu=600)
        self.gateway(self.far)
        for options in ([], ["--kem", "768"], ["--non"]):
            out, _ = self.send(self.sender, "coap://10.2.0.2", *options)
            self.assertNotIn("no way yet", out)  # the router parts what it forwards, and reports nothing
            self.assertIn("accepted", out)

    def test_a_gateway_that_starts_late(self):
        self.row()
        starter = threading.Timer(1, lambda: self.gateway(self.far))
        starter.start()
        out, _ = self.send(self.sender, "coap://10.2.0.2", "--timeout", "20")
        starter.join()
        self.assertIn("the host refuses the port", out)
        self.assertIn("accepted", out)

    def test_each_hint_has_its_own_text_and_next_step(self):
        self.row()

        def route(host, *arguments):
            return lambda: host.ip("route", *arguments)

        for make, undo, text, advice in (
            (None, None, "refuses the port", "start the gateway"),
            (route(self.router, "add", "prohibit", "10.2.0.2"), route(self.router, "del", "prohibit", "10.2.0.2"),
             "not reached, or a firewall on the way rejects it", "at that address"),
            (route(self.router, "add", "unreachable", "10.2.0.2"), route(self.router, "del", "unreachable", "10.2.0.2"),
             "not reached", "switched on"),
            (route(self.sender, "add", "prohibit", "10.2.0.2"), route(self.sender, "del", "prohibit", "10.2.0.2"),
             "prohibits it", "allow UDP"),
            (route(self.sender, "add", "unreachable", "10.2.0.2"),
             route(self.sender, "del", "unreachable", "10.2.0.2"), "not reached", "switched on"),
            (route(self.sender, "del", "default"), route(self.sender, "add", "default", "via", "10.1.0.1"),
             "no route to that network", "has a network"),
        ):
            with self.subTest(text=text, made=make is not None):
                self.hint(make, undo, text, advice)

    def hint(self, make, undo, text, advice):
        if make is not None:
            make()
        out, err = self.send(self.sender, "coap://10.2.0.2", "--timeout", "0.8", "--json", code=FAILED)
        if undo is not None:
            undo()
        for part in (text, advice, "no answer within 0.8 s"):
            self.assertIn(part, err)
        result = json.loads(out)
        self.assertNotIn("code", result)
        self.assertNotIn("answer", result)
        self.assertIn(text, result["error"])

    def test_an_interface_that_goes_down(self):
        self.row()
        name = self.interface
        self.sender.ip("link", "set", name, "down")
        _, err = self.send(self.sender, "coap://10.2.0.2", "--timeout", "0.5", code=FAILED)
        self.assertIn("no route to that network", err)
        _, err = self.send(self.sender, f"coap://[fe80::1%25{name}]", "--timeout", "0.5", code=FAILED)
        self.assertRegex(err, "interface is down|no route|no address")

    def test_a_firewall(self):
        self.row()
        if self.sender.run("sh", "-c", "nft add table inet t && nft add chain inet t o '{type filter hook output priority 0;}'",
                           check=False).returncode != 0:
            self.skipTest("nft makes no tables here")
        self.sender.run("nft", "add", "rule", "inet", "t", "o", "udp", "dport", "5683", "drop")
        _, err = self.send(self.sender, "coap://10.2.0.2", "--timeout", "0.5", code=FAILED)
        self.assertIn("a firewall of this host prohibits it", err)


class Late(Case):
    """Interfaces, addresses and networks that are not there at the start."""

    def test_groups_follow_interfaces(self):
        far, near = self.host(), self.host()
        self.gateway(far, "--listen", "[::]:5683")
        for number in (1, 2):
            name, _ = networks.join(far, f"10.{number}.0.2/24", near, f"10.{number}.0.1/24")
            end = time.monotonic() + 10
            while True:
                groups = far.run("ip", "maddress", "show", "dev", name).stdout
                if all(g in groups for g in ("224.0.1.187", "ff02::fd", "ff05::fd")):
                    break
                self.assertLess(time.monotonic(), end, groups)
                time.sleep(0.05)
            out = near.run(LARCH, "discover", "--timeout", "6", "--json").stdout
            self.assertIn(f'"gateway":"10.{number}.0.2:5683"', out)

    def test_an_address_to_listen_on_may_come_later(self):
        for listen, address, uri in (("10.9.0.2:5683", "10.9.0.{}/24", "coap://10.9.0.2"),
                                     ("[fd00::2]:5683", "fd00::{}/64", "coap://[fd00::2]")):
            with self.subTest(listen):
                far, near = self.host(), self.host()
                child = self.gateway(far, "--listen", listen)
                self.wait_for(re.escape(f"listening on {listen}, once this host has that address"))
                networks.join(far, address.format(2), near, address.format(1))
                self.assertIn("accepted", self.send(near, uri)[0])
                child.kill()
                child.wait()
                child = self.gateway(far, "--listen", listen)
                self.assertNotIn("once this host", self.read())
                child.kill()
                child.wait()

    def test_discover_without_a_network(self):
        host, other = self.host(), self.host()
        done = host.run(LARCH, "discover", "--timeout", "0.3", check=False)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("this host is on no network", done.stderr)
        done = host.run(LARCH, "discover", "--timeout", "0.3", "--to", "192.0.2.1", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("no gateway answered within 0.3 s: there is no route to that network", done.stderr)
        networks.join(host, "10.1.0.1/24", other, "10.1.0.2/24")
        done = host.run(LARCH, "discover", "--timeout", "0.3", check=False)
        self.assertIn("no gateway answered within 0.3 s\n", done.stderr)


class Listen(Case):
    def test_all_addresses_of_both_kinds(self):
        for order in (["0.0.0.0:5683", "[::]:5683"], ["[::]:5683", "0.0.0.0:5683"], ["[::]:5683"]):
            with self.subTest(order):
                host = self.host()
                child = self.gateway(host, *[word for listen in order for word in ("--listen", listen)])
                for uri in ("coap://127.0.0.1", "coap://[::1]"):
                    self.assertIn("accepted", self.send(host, uri)[0])
                child.kill()
                child.wait()

    def test_what_is_covered_is_no_other_program(self):
        host = self.host()
        for one, two in (("[::]:5683", "127.0.0.1:5683"), ("0.0.0.0:5683", "127.0.0.1:5683"), ("[::]:5683", "[::1]:5683"),
                         ("127.0.0.1:5683", "127.0.0.1:5683")):
            for order in ((one, two), (two, one)):
                done = host.run(LARCH, "gateway", "--state", self.folder.name + "/state", "--listen", order[0], "--listen",
                                order[1], check=False)
                self.assertEqual(done.returncode, USAGE)
                self.assertIn(f"listening on {one} takes what comes to {two}: leave one of them out", done.stderr)
                self.assertNotIn("another program", done.stderr)
        self.gateway(host, "--listen", "127.0.0.1:5683")
        done = host.run(LARCH, "gateway", "--state", self.folder.name + "/other", "--listen", "[::]:5683", check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("another program holds this port", done.stderr)


if __name__ == "__main__":
    REASON = networks.enter()
    if REASON:
        skips.skip("larch over networks", REASON)
        sys.exit(skips.SKIPPED)
    LARCH = os.path.abspath(sys.argv[1])
    skips.main(argv=[sys.argv[0]] + sys.argv[2:])
