#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The check image (firmware/check) under QEMU: what it tries by itself, and what needs somebody outside.

usage: tests/boards/check.py [MACHINE [unittest arguments]]
"""
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("tools/boards", "tests")]
from board import Board, build  # noqa: E402
from network import Host, Network  # noqa: E402

import skips  # noqa: E402

MARK = b"larch-check was here"
PORT = 5683
ECHO_MAX = 600  # firmware/check/echo.c
MACHINE = "qemu_virt"

# What faults are told as: a store to nowhere, a stack pointer to nowhere, a stack's end overrun by a task and by interrupts, a
# task that stands still.
FAULTS = {
    "qemu_virt": (rb"check of qemu-virt", {
        b"fault": rb"fault: mcause 0x00000007 mepc 0x2000\w{4} mtval 0x80046000, task check\r\n",
        b"wild stack": rb"fault: mcause 0x00000007 mepc 0x2000\w{4} mtval 0x0fff\w{4}, task check\r\n",
        b"deep": rb"stack overflow: mcause 0x00000007 mepc 0x2000\w{4} mtval 0x8000\w{4}, task check\r\n",
        b"deep interrupt": rb"stack overflow: mcause 0x00000007 mepc 0x2000\w{4} mtval 0x8000007c, task check\r\n",
        b"stall": rb"watchdog, task check\r\n",
        b"assert": rb"assertion: at 0x2000\w{4}, task check\r\n"}),
    "mps2_an385": (rb"check of mps2-an385", {
        b"fault": rb"fault: cfsr 0x00008200 hfsr 0x40000000 pc 0x0000\w{4} bfar 0x80046000 sp 0x20\w{6}, task check\r\n",
        b"wild stack": rb"fault: cfsr 0x00001000 hfsr 0x40000000 pc 0x00000000 bfar 0x\w{8} sp 0x8f\w{6}, task check\r\n",
        b"deep": rb"stack overflow: cfsr 0x000000\w\w hfsr 0x40000000 pc 0x\w{8} bfar 0x\w{8} sp 0x2000\w{4}, task check\r\n",
        b"deep interrupt": rb"stack overflow: cfsr 0x00000082 hfsr 0x40000000 pc 0x0000\w{4} bfar 0x\w{8} sp 0x20\w{6}, task check\r\n",
        b"stall": rb"watchdog: cfsr 0x00000000 hfsr 0x00000000 pc 0x0000\w{4} bfar 0x\w{8} sp 0x2000\w{4}, task check\r\n",
        b"assert": rb"assertion: at 0x0000\w{4}, task check\r\n"}),
}


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="larch-check-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.network = cls.enterClassContext(Network(cls.folder.name + "/net"))
        cls.board = cls.enterClassContext(
            Board("check", MACHINE, folder=cls.folder.name + "/board", netdev=cls.network.netdev("check")))
        cls.host = Host(cls.network, "10.7.0.100", 7000)

    @classmethod
    def enterClassContext(cls, manager):  # of Python 3.11, for older ones too
        entered = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        return entered

    def setUp(self):
        self.board.expect(rb"all passed|some FAILED", 120)
        self.address = (str(next(iter(self.network.dhcp.leases.values()))), PORT)

    def echo(self, payload, destination=None):
        """The answer, asked for again while a host or board that is busy loses datagrams."""
        for _ in range(5):
            answer = self.host.ask(destination or self.address, payload)
            if answer:
                return answer
        return None

    def test_1_by_itself(self):
        said = self.board.output.decode()
        self.assertIn("all passed", said, said)
        self.assertNotIn("FAILED", said)
        self.assertGreaterEqual(said.count("\nok "), 30)
        for stack in re.findall(r"stack: (\S+) (\d+) of (\d+) bytes", said):
            self.assertLess(int(stack[1]), int(stack[2]), stack)

    def test_2_datagrams_come_back(self):
        for length in (1, 2, 63, 64, 255, 599, ECHO_MAX):
            payload = bytes((length + i) & 255 for i in range(length))
            self.assertEqual(self.echo(payload), payload, length)

    def test_3_longer_ones_are_dropped(self):
        self.host.send(self.address, b"x" * (ECHO_MAX + 1))
        self.assertEqual(self.echo(b"next"), b"next")
        self.assertEqual(self.echo(b"counters"), b"dropped 1")

    def test_4_sent_to_all_is_told_apart(self):
        self.assertEqual(self.echo(b"all", ("255.255.255.255", PORT)), b"allall")
        self.assertEqual(self.echo(b"all", ("10.7.0.255", PORT)), b"allall")

    def test_5_not_for_this_host(self):
        self.host.send(("10.7.0.77", PORT), b"not ours")
        self.assertEqual(self.echo(b"ours"), b"ours")

    def test_6_broken_frames(self):
        """What no host would send reaches nobody, and harms nothing."""
        good = []
        mac = self.network.neighbours[self.address[0]]
        watch = self.network.inject
        self.network.inject = lambda frame, source=None: good.append(frame) or watch(frame, source)
        self.host.send(self.address, b"whole")
        self.network.inject = watch
        self.assertEqual(self.host.receive()[1], b"whole")
        frame = next(f for f in good if f.endswith(b"whole"))
        self.assertEqual(frame[:6], mac)
        for length in range(1, len(frame)):  # QEMU takes an empty one for the end of the network
            self.network.inject(frame[:length])
        for at in range(14, len(frame)):
            self.network.inject(frame[:at] + bytes([frame[at] ^ 0x10]) + frame[at + 1:])
        self.assertEqual(self.echo(b"alive"), b"alive")
        self.assertTrue(all(answer[1] == b"alive" for answer in self.host.received))
        self.host.received.clear()

    def test_7_flood(self):
        """What is too much is dropped, counted, and nothing stays behind."""
        before = int(self.echo(b"counters").split()[1])
        for number in range(300):
            self.host.send(self.address, b"flood %d" % number)
        self.assertEqual(self.settle(), b"calm")
        dropped = int(self.echo(b"counters").split()[1]) - before
        self.assertLessEqual(dropped, 300)
        for number in range(20):
            self.assertEqual(self.echo(b"%d" % number), b"%d" % number)

    def settle(self):
        """Waits until an answer to a word of now is there, past those to earlier ones."""
        for _ in range(5):
            self.host.send(self.address, b"calm")
            while True:
                answer = self.host.receive()
                if answer is None:
                    break
                if answer[1] == b"calm":
                    self.host.received.clear()
                    return answer[1]
        return None

    def test_7_link(self):
        since = len(self.board.read())
        self.board.cable(False)
        self.board.expect(rb"network: no link", since=since)
        self.board.cable(True)
        self.board.expect(rb"network: ready", since=since)
        self.assertEqual(self.echo(b"back"), b"back")

    def test_8_faults_are_told(self):
        name, faults = FAULTS[MACHINE]
        for word, told in faults.items():
            with self.subTest(word):
                since = len(self.board.read())
                self.host.send(self.address, word)
                last = self.board.expect(told, 40, since=since).end()
                self.board.expect(name, since=last)
                self.board.expect(rb"all passed", 120, since=last)
                self.host.received.clear()
                self.assertEqual(self.echo(b"again"), b"again")

    def test_9_power_cut(self):
        self.board.kill()
        machine = self.board.machine
        flash = self.board.keys.read_bytes()[:machine.sectors * machine.sector]
        self.assertEqual(flash.index(MARK), (machine.sectors - 1) * machine.sector + 5)
        self.board.start()
        self.board.expect(rb"all passed", 120)


class Unanswered(unittest.TestCase):
    def test_no_dhcp(self):
        with Board("check", MACHINE, netdev="hubport,hubid=0") as board:
            board.expect(rb"network: asking for an address", 120)
            board.expect(rb"network: no DHCP server answers")


if __name__ == "__main__":
    MACHINE = sys.argv[1] if len(sys.argv) > 1 else MACHINE
    build(MACHINE)
    skips.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
