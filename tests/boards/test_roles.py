# SPDX-License-Identifier: Apache-2.0
"""The roles on emulated boards: what they do when all goes well, and when flash, network, line or power does not.

usage: test_roles.py LARCH PROTO_CRYPTO MACHINE[,MACHINE] [unittest arguments]     the second machine is the senders'
"""
import base64
import fcntl
import hashlib
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("tools/boards", "tests/e2e", "tests")]
# pylint: disable=wrong-import-position
import prototype
from board import MACHINES, ROOT, Board, build
from demo import answer_of, as_new_request, sealed_requests
from network import BROADCAST, Host, Network, parse_udp

import skips

LARCH, PROTO_CRYPTO, MACHINE, SENDERS = "", "", "", ""
SETTLE_S = 0.3


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="larch-roles-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.count = 0

    def network(self, **options):
        network = Network(self.folder / "net", **options).start()
        self.addCleanup(network.stop)
        return network

    def board(self, role, network=None, netdev=None, image=None, **options):
        """A board, started; the same role is the same board, with its flash. image: another one than the role's."""
        self.count += 1
        if network:
            netdev = network.netdev(role)
        board = Board(image or role, SENDERS if role == "sender" else MACHINE, folder=self.folder / role, netdev=netdev,
                      mac=f"02:00:6c:00:00:{0x20 + self.count:02x}", **options).start()
        self.addCleanup(board.kill)
        return board

    def pin_of(self, gateway):
        return gateway.expect(rb"key: ML-KEM-512 generation \d+ (larch1:[a-z2-7]{32})", 30)[1].decode()

    def identity_of(self, gateway):
        return gateway.expect(rb"identity: (larch2:[a-z2-7]{32})", 30)[1].decode()

    def address_of(self, board):
        found = board.expect(rb"network: ready, ([\d.]+):(\d+)\s", 30)
        return found[1].decode(), int(found[2])

    def ready_pair(self, network):
        gateway, sender = self.board("gateway", network), self.board("sender", network)
        gateway.expect(rb"ready: ", 30)
        sender.expect(rb"network: ready", 30)
        sender.write(b"interval 0\rpin " + self.identity_of(gateway).encode() + b"\r")
        sender.expect(rb"ready: ", 30)
        return gateway, sender


class Exchange(Case):
    def test_hostile_text_and_answers(self):
        """Bytes that no console should print come out escaped; strangers' answers change nothing."""
        network = self.network(dhcp=True)
        gateway, sender = self.ready_pair(network)
        stranger = Host(network, "10.7.0.66", 5683)
        sender_address = self.address_of(sender)
        for datagram in (b"", b"\x60\x45\x00\x01", b"\x70\x00\x12\x34", os.urandom(200), b"\x40\x02\x00\x01\xb8pqkem-pk"):
            stranger.send(sender_address, datagram)
            stranger.send(self.address_of(gateway), datagram)
        sender.write(b"send hello\r")
        sender.expect(rb"delivered: #1", 30)
        gateway.expect(rb"accepted: #1 from [^\n]*: hello", 10)
        self.assertNotIn(b"restart", gateway.output + sender.output)

    def test_lost_datagrams(self):
        """A third of all frames is lost, a third arrives twice: each message is accepted once."""
        network = self.network()
        gateway, sender = self.ready_pair(network)
        rng = random.Random(1)
        network.on_frame = lambda frame, _: [frame] * rng.choice((0, 1, 2)) if parse_udp(frame) else [frame]
        for i in range(1, 4):
            sender.write(b"send number %d\r" % i)
            sender.expect(b"delivered: #%d" % i, 120)
        gateway.expect(rb"accepted: #3 ", 10)
        self.assertEqual(len(re.findall(rb"accepted: ", gateway.read(SETTLE_S))), 3)

    def test_impostor(self):
        """Another gateway at the pinned one's address is refused, and nothing is sealed to it."""
        network = self.network()
        gateway, sender = self.ready_pair(network)
        address = self.address_of(gateway)
        gateway.kill()
        impostor = Board("gateway", machine=MACHINE, folder=self.folder / "impostor", netdev=network.netdev("impostor"),
                         mac="02:00:6c:00:00:21").start()
        self.addCleanup(impostor.kill)
        self.assertEqual(self.address_of(impostor), address)
        seen = len(sealed_requests(network.seen, address))
        sender.write(b"restart\r")
        since = len(sender.output)
        sender.expect(rb"refused: compare", 60, since)
        self.assertEqual(len(sealed_requests(network.seen, address)), seen)

    def test_rotations_are_followed(self):
        """The key is rotated twice while the sender is off: the identity's root endorses the present one."""
        network = self.network()
        gateway, sender = self.ready_pair(network)
        identity, old = self.identity_of(gateway), self.pin_of(gateway)
        since = len(gateway.read(SETTLE_S))
        gateway.write(b"rotate\rrotate\r")
        new = gateway.expect(rb"generation 3 (larch1:\w{32})", 20, since)[1].decode()
        self.assertNotEqual(old, new)
        sender.write(b"restart\r")
        since = len(sender.output)
        sender.expect(rb"endorsed a new one", 60, since)
        sender.expect(rb"ready: ", 30, since)
        sender.write(b"send after both\r")
        sender.expect(rb"delivered: #1\s", 30)
        gateway.expect(rb"accepted: #1 from [^\n]*after both", 10)
        sender.write(b"restart\r")
        since = len(sender.read(SETTLE_S))
        sender.expect(b"pin: " + identity.encode(), 30, since - 200)
        sender.expect(b"pin: that identity's present key is " + new.encode(), 30, since - 200)

    def test_key_becomes_identity(self):
        """A pinned key vouches for the identity, which takes its place."""
        network = self.network()
        gateway, sender = self.board("gateway", network), self.board("sender", network)
        sender.expect(rb"network: ready", 30)
        sender.write(b"interval 0\rpin " + self.pin_of(gateway).encode() + b"\r")
        sender.expect(rb"takes its place", 30)
        sender.expect(b"pin: " + self.identity_of(gateway).encode(), 10)
        sender.write(b"send hello\r")
        sender.expect(rb"delivered: #1\s", 30)


class Power(Case):
    def test_restart_keeps_the_key(self):
        network = self.network()
        gateway, sender = self.ready_pair(network)
        pin = self.pin_of(gateway)
        sender.write(b"send first\r")
        sender.expect(rb"delivered: #1", 30)
        recorded = sealed_requests(network.seen, self.address_of(gateway))[-1]
        gateway.kill()
        gateway.start()
        gateway.expect(rb"ready: ", 30)
        self.assertEqual(self.pin_of(gateway), pin)
        attacker = Host(network, "10.7.0.66", 40000)
        answer = attacker.ask(self.address_of(gateway), as_new_request(recorded, 7))
        self.assertEqual(answer_of(answer), ("4.01", "REPLAY"))
        sender.write(b"send second\r")
        gateway.expect(rb"accepted: #1 from [^\n]*second", 60)

    def test_power_cuts_while_keys_are_written(self):
        """The power goes at random moments of the first start, and of rotations: keys are never damaged, and once a
        pin was shown it stands, or what was rotated to."""
        rng = random.Random(2)
        for trial in range(6):
            folder = self.folder / f"trial{trial}"
            pins = set()
            for cut in range(4):
                board = Board("gateway", machine=MACHINE, folder=folder).start()
                try:
                    if cut > 0:
                        pin = self.pin_of(board)
                        self.assertTrue(not pins or pin in pins or cut > 1, board.output)
                        pins.add(pin)
                        board.write(b"rotate\r" * 4)
                    time.sleep(rng.uniform(0, 0.15))
                    board.read()
                    pins |= {p.decode() for p in re.findall(rb"generation \d+ (larch1:\w{32})", board.output)}
                    self.assertNotIn(b"fault", board.output)
                finally:
                    board.kill()
            board = Board("gateway", machine=MACHINE, folder=folder).start()
            self.pin_of(board)
            board.kill()


class Flash(Case):
    def test_corrupt(self):
        """Foreign bytes in the flash are named, left alone, and make room only when asked to."""
        keys = self.folder / "gateway" / "keys.flash"
        keys.parent.mkdir()
        machine = MACHINES[MACHINE]
        keys.write_bytes(random.Random(3).randbytes(machine.sectors * machine.sector))
        os.truncate(keys, machine.flash_size)
        before = keys.read_bytes()
        network = self.network()
        gateway = self.board("gateway", network)
        gateway.expect(rb"fault: the flash [^\n]*left as it is", 30)
        gateway.write(b"help\rformat\r")
        gateway.expect(rb"error: [^\n]*format all keys", 10)
        self.assertEqual(keys.read_bytes(), before)
        gateway.write(b"format all keys\r")
        gateway.expect(rb"restart: the flash was erased", 30)
        gateway.expect(rb"ready: ", 60)

    def test_corrupt_commands(self):
        """With such a flash no command reaches for keys, pin or files that are not there."""
        for role, machine, typed, refusal in (
                ("gateway", MACHINE, b"rotate", rb"error: ML-KEM-512 was not rotated"),
                ("sender", SENDERS, b"pin larch1:" + b"a" * 32, rb"error: the flash refused it"),
                ("sender", SENDERS, b"pin larch2:" + b"a" * 32, rb"error: the flash refused it"),
                ("sender", SENDERS, b"forget", rb"error: the flash refused it")):
            keys = self.folder / role / "keys.flash"
            keys.parent.mkdir(exist_ok=True)
            keys.write_bytes(b"\x5a" * MACHINES[machine].flash_size)
            board = self.board(role, self.network())
            board.expect(rb"fault: the flash [^\n]*left as it is", 30)
            board.write(typed + b"\rstatus\r")
            board.expect(refusal, 10)
            board.expect(rb"status: the start ended at a fault\s+(pin: [^\n]*\n)?\s*flash: ", 10)
            self.assertNotIn(b"restart", board.output)
            board.kill()

    def test_absent(self):
        """A chip that is too small is none; nothing is served."""
        if MACHINE != "mps2_an385":
            self.skipTest("the emulator itself refuses it")
        keys = self.folder / "gateway" / "keys.flash"
        keys.parent.mkdir()
        keys.write_bytes(b"\xff" * (MACHINES[MACHINE].flash_size - 1))
        gateway = self.board("gateway", self.network())
        gateway.expect(rb"fault: the flash ", 30)
        self.assertNotIn(b"ready: ", gateway.read(1))

    def test_worn_bits(self):
        """Bits of what is stored turn over: the board says so and serves nothing."""
        network = self.network()
        gateway = self.board("gateway", network)
        gateway.expect(rb"ready: ", 30)
        gateway.kill()
        keys = bytearray(gateway.keys.read_bytes())
        for at in range(64, 4096, 64):
            keys[at] ^= 0 if keys[at] == 0xFF else 0x10
        gateway.keys.write_bytes(keys)
        gateway.start()
        gateway.expect(rb"fault: ", 30)
        self.assertNotIn(b"ready: ", gateway.read(1))


class Link(Case):
    def test_no_dhcp(self):
        """Without a DHCP server the board says so and goes on asking; when one appears it serves."""
        network = self.network()
        dhcp, network.dhcp = network.dhcp, None
        gateway = self.board("gateway", network)
        gateway.expect(rb"network: no DHCP server answers", 60)
        network.dhcp = dhcp
        gateway.expect(rb"ready: ", 90)

    def test_lost_link(self):
        network = self.network()
        gateway, sender = self.ready_pair(network)
        since = len(gateway.read())
        gateway.cable(False)
        gateway.expect(rb"network: lost", 30, since)
        gateway.expect(rb"network: no link", 30, since)
        gateway.cable(True)
        gateway.expect(rb"ready: ", 60, since)
        sender.write(b"send after the gap\r")
        gateway.expect(rb"accepted: #1 from [^\n]*after the gap", 90)

    def test_no_gateway(self):
        """A sender alone keeps looking, and finds the gateway that comes later."""
        network = self.network()
        sender = self.board("sender", network)
        sender.expect(rb"network: ready", 30)
        sender.write(b"interval 0\rtrust\r")
        sender.expect(rb"looking for it", 10)
        time.sleep(3)
        gateway = self.board("gateway", network)
        gateway.expect(rb"ready: ", 30)
        sender.expect(rb"ready: ", 60)
        self.assertIn(self.pin_of(gateway).encode(), sender.output)


class Line(Case):
    def test_garbage(self):
        """Noise and overlong lines on the console are refused, and the next command works."""
        network = self.network()
        gateway = self.board("gateway", network)
        gateway.expect(rb"ready: ", 30)
        gateway.write(bytes(b for b in random.Random(4).randbytes(400) if b not in (10, 13)) + b"\r")
        gateway.expect(rb"error: a command has at most", 10)
        gateway.write(b"restar\rstatus\r")
        gateway.expect(rb"error: no command 'restar'", 10)
        gateway.expect(rb"status: network ready", 10)


class Unread(Case):
    def test_nobody_reads(self):
        """A line whose other end takes nothing any more stops neither answers nor commands; what was lost is counted."""
        network = self.network()
        path = self.folder / "line"
        gateway = self.board("gateway", network, line=f"socket,path={path},server=on,wait=off")
        gateway.command("info status")  # its line exists
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.settimeout(30)
            said = b""

            def read_until(pattern):
                nonlocal said
                while not re.search(pattern, said):
                    said += line.recv(4096)

            line.sendall(b"\rstatus\r")
            read_until(rb"status: network ready, ([\d.]+):5683")
            address = (re.search(rb"ready, ([\d.]+):5683", said)[1].decode(), 5683)
            host = Host(network, "10.7.0.66", 40000)
            question = b"\x40\x01%c%c\xb8pqkem-pk"
            self.assertIsNotNone(host.ask(address, question % (0, 1)))
            line.sendall(b"help\r" * 1000)  # more than all buffers on the way hold
            unread, since, until = -1, time.monotonic(), time.monotonic() + 60
            while time.monotonic() - since < 3 and time.monotonic() < until:  # until the line stands still
                now = struct.unpack("i", fcntl.ioctl(line, termios.FIONREAD, bytes(4)))[0]
                if now != unread:
                    unread, since = now, time.monotonic()
                time.sleep(0.2)
            self.assertIsNotNone(host.ask(address, question % (0, 2), 10))
            for _ in range(10):  # said before the next line that finds room
                line.sendall(b"\rstatus\r")
                line.settimeout(3)
                try:
                    read_until(rb"line: \d+ lines were lost")
                    return
                except TimeoutError:
                    pass
            self.fail("no count of lost lines")


class Locked(Case):
    """A gateway built with LARCH_CONSOLE_LOCKED: before the code no command shows, erases or replaces keys."""

    def test_locked(self):
        network = self.network()
        gateway = self.board("gateway", network, image="locked")
        gateway.expect(rb"ready: ", 30)
        before = gateway.keys.read_bytes()
        gateway.write(b"status\rrotate\rformat all keys\rformat\runlock open sesame\rhelp\r")
        gateway.expect(rb"help: this list", 10)
        said = gateway.read(SETTLE_S)
        self.assertEqual(said.count(b"error: locked"), 4)
        self.assertIn(b"error: too early", said)  # two seconds have to pass
        self.assertNotIn(b"larch1:", said)
        self.assertNotIn(b"rotate", said)
        self.assertEqual(gateway.keys.read_bytes(), before)
        time.sleep(2.5)
        gateway.write(b"unlock wrong\rstatus\r")
        gateway.expect(rb"error: wrong code", 10)
        time.sleep(4.5)
        gateway.write(b"unlock open sesame\rstatus\r")
        pin = self.pin_of(gateway)
        since = len(gateway.read(SETTLE_S))
        gateway.write(b"rotate\r")
        self.assertNotEqual(gateway.expect(rb"generation 2 (larch1:\w{32})", 20, since)[1].decode(), pin)
        gateway.write(b"restart\r")
        gateway.expect(rb"restart: [^\n]*[\s\S]*ready: ", 30, since)
        since = len(gateway.read(SETTLE_S))
        gateway.write(b"status\r")
        gateway.expect(rb"error: locked", 10, since)


class Peers(Case):
    """Other programs of the same protocol, on this host, over QEMU's own network: larch, the prototype's boards, libcoap."""

    def test_board_gateway(self):
        port = free_port()
        gateway = self.board("gateway", netdev=f"user,hostfwd=udp:127.0.0.1:{port}-:5683")
        gateway.expect(rb"ready: ", 30)
        done = subprocess.run([LARCH, "send", f"coap://127.0.0.1:{port}", "from a PC", "--pin", self.identity_of(gateway), "--json",
                               "--known", self.folder / "known"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        gateway.expect(rb"accepted: #1 from [^\n]*from a PC", 10)
        done = subprocess.run([LARCH, "send", f"coap://127.0.0.1:{port}", "x", "--pin", "larch1:" + "a" * 32, "--known",
                               self.folder / "known2"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 3)

    def test_board_sender(self):
        port = free_port()
        log = open(self.folder / "gateway.log", "w+", encoding="utf-8")
        self.addCleanup(log.close)
        child = subprocess.Popen([LARCH, "gateway", "--listen", f"127.0.0.1:{port}", "--state", self.folder / "state", "--json"],
                                 stdout=subprocess.PIPE, stderr=log, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        pin = None
        for _ in range(100):
            text = (self.folder / "gateway.log").read_text()
            pin = re.search(r"ML-KEM-512 generation \d+ (larch1:\w{32})", text)
            if pin:
                break
            time.sleep(0.1)
        sender = self.board("sender", netdev="user")
        sender.expect(rb"network: ready", 30)
        sender.write(f"interval 0\rgateway 10.0.2.2:{port}\rpin {pin[1]}\rsend from a board\r".encode())
        sender.expect(rb"delivered: #1", 60)
        self.assertEqual(json.loads(child.stdout.readline())["text"], "from a board")


    def crypto(self):
        crypto = prototype.Crypto(PROTO_CRYPTO)
        self.addCleanup(crypto.close)
        return crypto

    def test_prototype_sender(self):
        """It fetches the key by POST without a token, and its message is shown; a replay of it is not."""
        port = free_port()
        gateway = self.board("gateway", netdev=f"user,hostfwd=udp:127.0.0.1:{port}-:5683")
        gateway.expect(rb"ready: ", 30)
        sender = prototype.PrototypeSender(self.crypto())
        self.addCleanup(sender.close)
        ek, peer = sender.find(("127.0.0.1", port))
        self.assertIsNotNone(ek)
        answer, message = sender.send(ek, peer, b"from a prototype")
        self.assertEqual(answer, "OK")
        gateway.expect(rb"accepted: #1 from [^\n]*from a prototype", 10)
        again, _ = sender.ask(peer, "pqkem-data", message)
        self.assertEqual(again.payload, b"REPLAY")

    def test_prototype_gateway(self):
        """It answers POST alone, and repeats the path."""
        gateway = prototype.PrototypeGateway(self.crypto())
        self.addCleanup(gateway.stop)
        sender = self.board("sender", netdev="user")
        sender.expect(rb"network: ready", 30)
        sender.write(f"interval 0\rgateway 10.0.2.2:{gateway.port}\rpin {gateway.fingerprint()}\rsend to a prototype\r".encode())
        sender.expect(rb"delivered: #1", 60)
        self.assertEqual(gateway.texts, [b"to a prototype"])

    def test_libcoap(self):
        port = free_port()
        gateway = self.board("gateway", netdev=f"user,hostfwd=udp:127.0.0.1:{port}-:5683")
        gateway.expect(rb"ready: ", 30)
        uri = f"coap://127.0.0.1:{port}"
        core = subprocess.run(["coap-client-notls", "-B", "10", f"{uri}/.well-known/core"], capture_output=True, text=True,
                              timeout=30, check=True).stdout
        self.assertIn("</pqkem-pk>", core)
        key = subprocess.run(["coap-client-notls", "-B", "10", "-o", self.folder / "ek", f"{uri}/pqkem-pk"], timeout=30, check=True)
        self.assertEqual(key.returncode, 0)
        digest = hashlib.sha256((self.folder / "ek").read_bytes()).digest()
        self.assertEqual("larch1:" + base64.b32encode(digest[:20]).decode().lower(), self.pin_of(gateway))


class Demo(Case):
    def test_demo(self):
        """Exchange, replay and altered copies on three boards; displays, captures and summary are left behind."""
        folder = self.folder / "demo"
        done = subprocess.run([sys.executable, ROOT / "tools/boards/demo.py", "--machine", MACHINE, "--folder", folder,
                               "--text", "Valve 7 open"],
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        facts = json.loads((folder / "summary.json").read_text())
        self.assertIn("Valve 7 open", facts["rows"][1])
        self.assertEqual(facts["replay"], ["4.01", "REPLAY"])
        for picture in ("gateway.png", "sender.png"):
            self.assertTrue((folder / picture).read_bytes().startswith(b"\x89PNG"))
        packets = subprocess.run(["tshark", "-r", folder / "sniffer.pcapng", "-Y", "coap.opt.uri_path == pqkem-data", "-T", "fields",
                                  "-e", "wlan.fc.type", "-e", "radiotap.channel.freq", "-e", "frame.comment"],
                                 capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
        self.assertGreaterEqual(len(packets), 14)
        self.assertTrue(all(p.startswith("2\t2437") for p in packets), packets)
        self.assertTrue(any("replay:" in p for p in packets), packets)


if __name__ == "__main__":
    LARCH, PROTO_CRYPTO, MACHINE, SENDERS = *sys.argv[1:3], *(sys.argv[3].split(",") * 2)[:2]
    for each in sorted({MACHINE, SENDERS}):
        build(each)
    skips.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
