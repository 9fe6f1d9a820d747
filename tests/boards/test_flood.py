# SPDX-License-Identifier: Apache-2.0
"""A gateway board that strangers flood: datagrams and pings from addresses of its own network that nobody has. Whatever
their rate, it answers each legitimate request; and it answers pings at a limited rate.

usage: test_flood.py [MACHINE [unittest arguments]]
"""
import ipaddress
import random
import re
import struct
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("tools/boards", "tests/e2e", "tests")]
# pylint: disable=wrong-import-position
import prototype
from board import Board, build
from network import BROADCAST, ETHERTYPE_ARP, ETHERTYPE_IP, Host, Network, checksum, udp_frame

import skips

MACHINE = "qemu_virt"
RATES = (0, 1, 10, 100, 400)  # datagrams a second
SECONDS = 2.5  # of each rate
PORT = 5683
ACK_TIMEOUT_S, TRIES = 2, 5  # of a sender that waits as RFC 7252 4.2 says
ECHO = 252
PINGS_A_SECOND, PINGS_AT_ONCE = 10, 10  # port/freertos_lwip/neighbours.c


def ping_frame(source, destination, source_mac, destination_mac, number):
    icmp = struct.pack("!BBHHH", 8, 0, 0, 7, number) + bytes(32)
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), number, 0, 64, 1, 0)
    head += ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return destination_mac + source_mac + b"\x08\x00" + head + icmp


def arp_frame(source, destination, source_mac):
    """Who has destination? It would be a place in the table of neighbours for whoever asks."""
    return BROADCAST + source_mac + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, ETHERTYPE_IP, 6, 4, 1) + source_mac + \
        ipaddress.ip_address(source).packed + bytes(6) + ipaddress.ip_address(destination).packed


class Flood(threading.Thread):
    """rate datagrams a second until stop(), of which a fifth are pings and a fifth ask by ARP for one of asked_for; every
    one from another address, and as other hardware."""

    def __init__(self, network, address, rate, seed, asked_for=()):
        super().__init__(daemon=True)
        self.network, self.address, self.rate, self.asked_for = network, address, rate, asked_for or (address,)
        self.rng = random.Random(seed)
        self.sent, self.stopping = 0, threading.Event()
        self.start()

    def frame(self):
        # Of the same network (10.7.0.0/16), but where neither Dhcp nor Host has anybody.
        source = "10.7.%d.%d" % (self.rng.randrange(16, 250), self.rng.randrange(1, 255))
        source_mac = b"\x02" + self.rng.randbytes(5)
        mac = self.network.neighbours[self.address]
        kind = self.sent % 5
        if kind == 3:
            return ping_frame(source, self.address, source_mac, mac, self.sent & 0xFFFF)
        if kind == 4:
            return arp_frame(source, self.rng.choice(self.asked_for), source_mac)
        code, path = ((prototype.GET, "pqkem-pk"), (prototype.POST, "pqkem-data"), (prototype.GET, "none"))[kind]
        request = prototype.build(prototype.CON, code, self.sent & 0xFFFF, self.rng.randbytes(2), (path,), b"garbage")
        return udp_frame((source, 40000), (self.address, PORT), request, source_mac, mac)

    def run(self):
        began = time.monotonic()
        while self.rate and not self.stopping.is_set():
            while self.sent < (time.monotonic() - began) * self.rate:
                self.network.inject(self.frame())
                self.sent += 1
            self.stopping.wait(0.005)

    def stop(self):
        self.stopping.set()
        self.join()


class Flooded(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="larch-flood-")
        self.addCleanup(folder.cleanup)
        self.network = Network(folder.name + "/net", subnet="10.7.0.0/16", capture=None).start()
        self.addCleanup(self.network.stop)
        self.gateway = self.board("gateway", folder.name)
        self.gateway.expect(rb"ready: ", 60)
        found = self.gateway.expect(rb"network: ready, ([\d.]+):(\d+)\s", 30)
        self.address = found[1].decode()
        self.host = Host(self.network, "10.7.1.1", 7000)
        self.number = 0

    def board(self, role, folder):
        board = Board(role, MACHINE, folder=f"{folder}/{role}", netdev=self.network.netdev(role)).start()
        self.addCleanup(board.kill)
        return board

    def ask(self, code, path, echo=b""):
        """The answer to a request, which is repeated as CoAP does, and again with what a challenge asks for [RFC9175 2.3]."""
        self.number += 1
        token = struct.pack("!H", self.number)
        request = prototype.build(prototype.CON, code, 0x7000 + self.number, token, (path,)) + echo
        for _ in range(TRIES):
            self.host.send((self.address, PORT), request)
            until = time.monotonic() + ACK_TIMEOUT_S
            while (left := until - time.monotonic()) > 0:
                got = self.host.receive(left)
                if not got or (answer := prototype.parse(got[1])).token != token:
                    continue
                value = dict(answer.options).get(ECHO)
                if answer.code != prototype.UNAUTHORIZED or value is None or echo:
                    return answer
                return self.ask(code, path, bytes([0xD0 | len(value), ECHO - prototype.URI_PATH - 13]) + value)
        return None

    def test_legitimate_requests_are_answered(self):
        for rate in RATES:
            with self.subTest(rate):
                flood, began, asked = Flood(self.network, self.address, rate, rate), time.monotonic(), 0
                try:
                    while time.monotonic() - began < SECONDS or asked < 4:
                        code, path, wanted = ((prototype.GET, "pqkem-pk", 0x45), (prototype.GET, "nothing", 0x84))[asked % 2]
                        answer = self.ask(code, path)
                        self.assertIsNotNone(answer, f"no answer to request {asked} at {rate} a second")
                        self.assertEqual(answer.code, wanted)
                        asked += 1
                        time.sleep(0.1)
                finally:
                    flood.stop()
                print(f"{rate} a second: {flood.sent} made-up datagrams, {asked} requests answered")

    def test_messages_arrive(self):
        """The sender board's messages are delivered while strangers send what costs work."""
        sender = self.board("sender", str(self.gateway.folder.parent))
        sender.expect(rb"network: ready", 60)
        pin = self.gateway.expect(rb"key: ML-KEM-512 generation \d+ (larch1:\w{32})", 30)[1]
        sender.write(b"interval 0\rpin " + pin + b"\r")
        sender.expect(rb"ready: ", 60)
        own = sender.expect(rb"network: ready, ([\d.]+):", 30)[1].decode()
        flood = Flood(self.network, self.address, 100, 7, (self.address, own))
        try:
            for number in (1, 2, 3):
                sender.write(b"send number %d\r" % number)
                sender.expect(b"delivered: #%d" % number, 60)
        finally:
            flood.stop()
        self.assertEqual(len(re.findall(rb"accepted: ", self.gateway.read(0.3))), 3)

    def test_pings(self):
        """A burst of pings is answered in part, to the hardware that asked, without a question about where that is."""
        self.ask(prototype.GET, "pqkem-pk")
        since = len(self.network.seen)
        mac, began = self.network.neighbours[self.address], time.monotonic()
        for number in range(200):
            self.network.inject(ping_frame("10.7.2.2", self.address, b"\x02pings", mac, number))
            time.sleep(0.002)
        time.sleep(0.5)
        frames = self.network.seen[since:]
        answers = [f for f in frames if f[:6] == b"\x02pings" and f[12:14] == b"\x08\x00" and f[34:35] == b"\0"]
        most = PINGS_AT_ONCE + 1 + PINGS_A_SECOND * (time.monotonic() - began)
        self.assertTrue(2 <= len(answers) <= most, f"{len(answers)} answers, at most {most:.0f} were allowed")
        questions = [f for f in frames if f[12:14] == struct.pack("!H", ETHERTYPE_ARP) and f[20:22] == b"\0\1" and f[6:12] == mac]
        self.assertEqual(questions, [])

    def test_group_as_sender(self):
        """Who claims to be a group of stations is not answered there: all of them would have to hear it."""
        self.ask(prototype.GET, "pqkem-pk")
        since = len(self.network.seen)
        mac, group = self.network.neighbours[self.address], b"\x03group"
        request = prototype.build(prototype.CON, prototype.GET, 5, b"tk", ("pqkem-pk",))
        for number in range(3):
            self.network.inject(ping_frame("10.7.3.3", self.address, group, mac, number))
            self.network.inject(udp_frame(("10.7.3.3", 40000), (self.address, PORT), request, group, mac))
        self.assertIsNotNone(self.ask(prototype.GET, "pqkem-pk"))
        self.assertEqual([f for f in self.network.seen[since:] if f[:6] == group], [])


if __name__ == "__main__":
    MACHINE = sys.argv[1] if len(sys.argv) > 1 else MACHINE
    build(MACHINE)
    skips.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
