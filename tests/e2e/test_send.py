# SPDX-License-Identifier: Apache-2.0
"""larch send and discover, end to end: against larch gateway, the prototype's boards and libcoap.

usage: test_send.py LARCH PROTO_CRYPTO [unittest arguments]
"""
import base64
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import cose_peer
import prototype

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH, PROTO_CRYPTO = "", ""
DONE, FAILED, USAGE, REFUSED = range(4)


class Gateway:
    """A larch gateway of its own on a free port."""

    def __init__(self, folder, address="127.0.0.1:0", settings=""):
        self.folder = folder
        self.port = None
        self.settings = os.path.join(tempfile.mkdtemp(dir=os.path.dirname(folder)), "gateway.ini")
        with open(self.settings, "w") as f:
            f.write(settings)
        self.start(address)

    def start(self, address):
        self.log = tempfile.TemporaryFile("w+")
        self.out = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(
            [LARCH, "gateway", "--listen", address, "--state", self.folder, "--config", self.settings]
            + ["--durability", "process"],
            stdout=self.out,
            stderr=self.log,
        )
        found = self.wait_for(r"listening on \S*:(\d+)[\s\S]*X-Wing generation", self.log)
        self.port = int(found.group(1))
        self.host = address.rpartition(":")[0]
        self.uri = f"coap://127.0.0.1:{self.port}"
        self.read_pins()

    def read_pins(self):
        found = re.findall(r"(ML-KEM-\d+|X-Wing) generation \d+ (larch1:\w+)", self.read(self.log))
        self.pins = {name.removeprefix("ML-KEM-").lower().replace("-", ""): pin for name, pin in found}

    @staticmethod
    def read(f):
        f.flush()
        return os.pread(f.fileno(), 1 << 20, 0).decode()

    def wait_for(self, pattern, f, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.read(f)):
                return found
            time.sleep(0.02)
        raise AssertionError(f"gateway: no {pattern!r} in {self.read(f)!r}")

    def texts(self, at_least=0):
        """What was printed. A line follows the answer to its message: at_least says how many to wait for."""
        self.wait_for(rf"\A(?:.*\n){{{at_least}}}", self.out)
        return [line.split(" ", 3)[3] for line in self.read(self.out).splitlines()]

    def rotate(self):
        before = self.read(self.log).count("generation")
        subprocess.run([LARCH, "keys", "rotate", "--state", self.folder], check=True, capture_output=True, timeout=60)
        end = time.monotonic() + 10
        while self.read(self.log).count("generation") < before + len(self.pins):
            assert time.monotonic() < end, self.read(self.log)
            time.sleep(0.02)
        self.read_pins()

    def identity(self):
        """Of the document that it serves."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "[::]") else self.host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((host, self.port))
            s.settimeout(5)
            s.send(prototype.build(prototype.CON, prototype.GET, 1, b"i", ("pqkem-root",)))
            document = prototype.parse(s.recv(2048)).payload
        digest = hashlib.sha256(document[: 10 + 35 * document[9]]).digest()
        return "larch2:" + base64.b32encode(digest[:20]).decode().lower()

    def stop(self):
        self.child.terminate()
        self.child.wait()
        self.log.close()
        self.out.close()

    def begin_anew(self):
        """The same port with other keys: a gateway that lost its state, or somebody else."""
        self.stop()
        shutil.rmtree(self.folder)
        self.start(f"127.0.0.1:{self.port}")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="larch-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.known = os.path.join(self.folder, "known")
        self.env = dict(os.environ, XDG_STATE_HOME=self.folder, HOME=self.folder, TMPDIR=self.folder)

    def gateway(self, **arguments):
        gateway = Gateway(os.path.join(self.folder, "gateway"), **arguments)
        self.addCleanup(gateway.stop)
        return gateway

    def run_larch(self, *arguments, text=None, code=DONE):
        result = subprocess.run(
            [LARCH, *arguments], input=text, env=self.env, capture_output=True, timeout=60, text=text is None or None
        )
        out, err = result.stdout, result.stderr
        if isinstance(out, bytes):
            out, err = out.decode(), err.decode()
        self.assertEqual(result.returncode, code, f"{arguments}\n{out}\n{err}")
        return out, err

    def send(self, uri, *arguments, code=DONE, text=None):
        return self.run_larch("send", uri, *arguments, "--known", self.known, code=code, text=text)

    def forget(self):
        os.unlink(self.known)

    def records(self):
        """The records of identities, [identity, {names}, {set: line}], and the words of keys' lines."""
        identities, keys = [], []
        with open(self.known) as f:
            self.assertEqual(f.readline(), "larch-gateways 2\n")
            for words in (line.split() for line in f if not line.startswith("#")):
                if words[0] == "identity":
                    identities.append([words[1], set(), {}])
                elif words[0] == "name":
                    identities[-1][1].add(words[1])
                elif words[0] == "set":
                    identities[-1][2][words[1]] = words[2:]
                else:
                    keys.append(words[1:])
        return identities, keys

    def identity(self):
        """The one that is on record."""
        [[identity, _, _]], _ = self.records()
        return identity

    @staticmethod
    def questions(out):
        """Asked of a root key, without those that were asked again with an Echo: many at once are challenged."""
        return out.count("POST /pqkem-next") - out.count("] 4.01 ")

    def age(self, hours):
        """The endorsements on record become so much older. Their check covers the time."""
        with open(self.known) as f:
            lines = f.read().splitlines()
        for i, words in enumerate(line.split() for line in lines):
            if words[:1] == ["identity"]:
                identity = base64.b32decode(words[1].removeprefix("larch2:").upper())
            elif words[:1] == ["set"]:
                words[2] = str(int(words[2]) - int(hours * 3600))
                checked = identity + (words[1] + words[2]).encode() + bytes.fromhex(words[3]) + bytes.fromhex(words[4])
                words[5] = hashlib.sha256(checked).hexdigest()[:16]
                lines[i] = " ".join(words)
        with open(self.known, "w") as f:
            f.write("\n".join(lines) + "\n")

    def refuse(self, *arguments):
        """A send that is refused, and neither sends nor records anything. Returns what it says."""
        before = open(self.known, "rb").read() if os.path.exists(self.known) else None
        _, err = self.send(*arguments, code=REFUSED)
        self.assertEqual(open(self.known, "rb").read() if os.path.exists(self.known) else None, before)
        return err


class Trust(Case):
    def test_a_gateway_without_record_is_refused_with_both_ways_out(self):
        gateway = self.gateway()
        _, err = self.send(gateway.uri, "it's secret", code=REFUSED)
        rest = f" --known {self.known} {gateway.uri} 'it'\\''s secret'\n"
        self.assertIn(f"  larch send --pin {gateway.identity()}" + rest, err)
        self.assertIn("  larch send --trust-first-use" + rest, err)
        self.assertEqual(gateway.texts(), [])
        self.assertFalse(os.path.exists(self.known))

    def test_a_pinned_identity_is_enough_and_is_recorded(self):
        gateway = self.gateway()
        pin = gateway.identity()
        self.send(gateway.uri, "one", "--pin", f"  {pin.upper()}\n")
        out, _ = self.send(gateway.uri, "two")
        self.assertNotIn("GET", out)
        self.send(gateway.uri, "three", "--kem", "768")  # one pin for all sets
        self.assertEqual(gateway.texts(3), ["one", "two", "three"])
        self.assertEqual(os.stat(self.known).st_mode & 0o777, 0o600)
        [[identity, names, sets]], keys = self.records()
        self.assertEqual((identity, names, set(sets), keys), (pin, {f"127.0.0.1:{gateway.port}"}, {"512", "768"}, []))

    def test_a_pinned_key_is_enough_and_is_recorded_as_a_key(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"].upper().replace("LARCH1", "larch1"))
        self.send(gateway.uri, "two", "--pin", gateway.pins["512"])
        self.assertEqual(gateway.texts(2), ["one", "two"])
        identities, [record] = self.records()
        self.assertEqual(record[:4], [f"127.0.0.1:{gateway.port}", "512"] + 2 * [gateway.pins["512"]])
        self.assertEqual(identities, [])

    def test_a_recorded_key_moves_to_the_identity_that_it_vouches_for(self):
        gateway = self.gateway()
        for kem in ("512", "768"):
            self.send(gateway.uri, "one", "--pin", gateway.pins[kem], "--kem", kem)
        gateway.rotate()
        out, _ = self.send(gateway.uri, "two")
        self.assertIn("in place of the key that vouched for it", out)
        [[identity, _, sets]], keys = self.records()
        self.assertEqual((identity, set(sets), keys), (gateway.identity(), {"512"}, []))
        gateway.rotate()
        gateway.rotate()
        self.send(gateway.uri, "three")
        self.send(gateway.uri, "four", "--kem", "768")
        self.assertEqual(gateway.texts(5)[1:], ["one", "two", "three", "four"])

    def test_another_key_than_the_pin_is_refused(self):
        gateway = self.gateway()
        err = self.refuse(gateway.uri, "x", "--pin", gateway.pins["768"])
        self.assertIn(gateway.pins["768"], err)
        self.assertIn(gateway.pins["512"], err)
        self.assertIn("larch keys fingerprint", err)
        self.assertEqual(gateway.texts(), [])
        self.assertFalse(os.path.exists(self.known))

    def test_another_identity_than_the_pin_is_refused(self):
        gateway = self.gateway()
        pin = "larch2:" + 32 * "a"
        err = self.refuse(gateway.uri, "x", "--pin", pin)
        self.assertIn(pin, err)
        self.assertIn(gateway.identity(), err)
        self.assertEqual(gateway.texts(), [])

    def test_the_command_that_is_named_prints_what_is_shown(self):
        gateway = self.gateway()
        for kem in ("512", "768", "1024", "xwing"):
            with self.subTest(kem=kem):
                err = self.refuse(gateway.uri, "x", "--kem", kem, "--pin", "larch1:" + 32 * "a")
                command = re.search(r"Run 'larch (.*)' on the gateway", err)[1]
                out, _ = self.run_larch(*command.split(), "--state", gateway.folder)
                self.assertEqual(out, re.search(r"shown:  (\S+\n)", err)[1])
        err = self.refuse(gateway.uri, "x", "--kem", "768")
        command = re.search(r"If 'larch (.*)' on the gateway prints", err)[1]
        out, _ = self.run_larch(*command.split(), "--state", gateway.folder)
        self.assertEqual(out.splitlines()[0], re.search(r"larch send --pin (\S+)", err)[1])

    def test_one_kind_of_pin_never_stands_for_the_other(self):
        gateway = self.gateway()
        for pin in (gateway.identity().replace("larch2", "larch1"), gateway.pins["512"].replace("larch1", "larch2")):
            self.refuse(gateway.uri, "x", "--pin", pin)
        self.assertEqual(gateway.texts(), [])

    def test_first_use_never_replaces_an_identity(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        self.send(gateway.uri, "two", "--trust-first-use")
        self.assertEqual(gateway.texts(2), ["one", "two"])
        before = self.records()
        gateway.begin_anew()
        for arguments in ([], ["--trust-first-use"], ["--kem", "768", "--trust-first-use"]):
            self.assertIn("here, delete the old one's lines", self.refuse(gateway.uri, "three", *arguments))
        # Nor does a pin: only whoever deletes its lines forgets it.
        self.assertIn("never replaces", self.refuse(gateway.uri, "three", "--pin", gateway.identity()))
        self.assertIn("refused", self.refuse(gateway.uri, "three", "--pin", gateway.pins["512"]))
        self.assertEqual(gateway.texts(), [])
        self.assertEqual(self.records(), before)
        self.forget()
        self.send(gateway.uri, "four", "--pin", gateway.identity())
        self.assertEqual(gateway.texts(1), ["four"])

    def test_no_other_set_replaces_a_key(self):
        """The name is on record, if only with a key of another set: first use has to do with that."""
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"])
        gateway.begin_anew()
        for arguments in ([], ["--trust-first-use"]):
            err = self.refuse(gateway.uri, "two", "--kem", "768", *arguments)
            self.assertIn("a key of --kem 512, which did not vouch", err)
        # Nor does an identity that another port of this host is known for.
        other = Gateway(os.path.join(self.folder, "other"))
        self.addCleanup(other.stop)
        self.send(other.uri, "one", "--trust-first-use")
        other.stop()
        gateway.stop()
        other.start(f"127.0.0.1:{gateway.port}")
        self.refuse(gateway.uri, "two", "--kem", "768")
        # Its own identity gets the name by the key on record, or by the user's word.
        self.send(gateway.uri, "three", "--kem", "768", "--pin", other.identity())
        self.assertEqual(self.records()[1], [])

    def test_a_pin_replaces_a_key(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"])
        before = self.records()
        gateway.begin_anew()
        for arguments in ([], ["--trust-first-use"]):
            self.assertIn("does not endorse it", self.refuse(gateway.uri, "two", *arguments))
        self.assertEqual(self.records(), before)
        # Only the user's word replaces it.
        out, _ = self.send(gateway.uri, "three", "--pin", gateway.pins["512"])
        self.assertIn("in place of another one", out)
        self.assertEqual([r[2:4] for r in self.records()[1]], [2 * [gateway.pins["512"]]])
        out, _ = self.send(gateway.uri, "four", "--pin", gateway.identity())
        self.assertIn("in place of a key", out)
        self.assertEqual(gateway.texts(2), ["three", "four"])
        self.assertEqual((self.identity(), self.records()[1]), (gateway.identity(), []))

    def test_no_number_of_rotations_breaks_an_identity(self):
        for kem in ("512", "1024", "xwing"):
            with self.subTest(kem=kem):
                gateway = Gateway(os.path.join(self.folder, "gateway" + kem))
                self.addCleanup(gateway.stop)
                self.send(gateway.uri, "one", "--kem", kem, "--pin", gateway.identity())
                first = gateway.pins[kem]
                gateway.rotate()
                self.send(gateway.uri, "two", "--kem", kem)  # the old key still opens
                gateway.rotate()
                self.assertNotEqual(gateway.pins[kem], first)
                out, _ = self.send(gateway.uri, "three", "--kem", kem, "--json")  # AUTH_FAIL, one question, one key
                sent = json.loads(out)
                self.assertEqual((sent["trust"], sent["fingerprint"]), ("endorsed", gateway.pins[kem]))
                gateway.rotate()
                gateway.rotate()
                gateway.rotate()
                self.age(13)
                out, _ = self.send(gateway.uri, "four", "--kem", kem)
                self.assertEqual(self.questions(out), 1 if kem == "512" else 2)  # in two blocks
                self.assertIn("whose root endorsed another key", out)
                self.send(gateway.uri, "five", "--kem", kem, "--pin", gateway.pins[kem])
                self.refuse(gateway.uri, "six", "--kem", kem, "--pin", first)
                self.assertEqual(gateway.texts(5), ["one", "two", "three", "four", "five"])

    def test_an_endorsement_is_renewed_from_12_hours_on(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.identity())
        for hours, asks in ((0, 0), (11, 0), (12.5, 1), (0, 0), (25, 1), (-1, 1), (0, 0)):
            with self.subTest(hours=hours):
                self.age(hours)
                time.sleep(0.3 * asks)  # strangers who ask a root more often meet a challenge
                out, _ = self.send(gateway.uri, "x")
                self.assertEqual((self.questions(out), out.count("GET")), (asks, 0))
                self.assertEqual("whose root endorsed its key" in out, asks == 1)
                self.age(-11 if hours == 11 else 0)

    def test_an_endorsed_rotation_of_a_pinned_key_is_followed(self):
        for kem in ("512", "1024", "xwing"):
            with self.subTest(kem=kem):
                gateway = Gateway(os.path.join(self.folder, "gateway" + kem))
                self.addCleanup(gateway.stop)
                first = gateway.pins[kem]
                self.send(gateway.uri, "one", "--kem", kem, "--pin", first)
                gateway.rotate()
                self.assertNotEqual(gateway.pins[kem], first)
                out, _ = self.send(gateway.uri, "two", "--kem", kem, "--pin", first)
                self.assertIn("in place of the one that endorsed it", out)
                self.assertEqual(self.records()[1][-1][2:4], [first, gateway.pins[kem]])
                # The pin that trust began with still stands for the gateway, once more rotated too.
                gateway.rotate()
                self.send(gateway.uri, "three", "--kem", kem, "--pin", first)
                self.assertEqual(self.records()[1][-1][2:4], [first, gateway.pins[kem]])
                self.send(gateway.uri, "four", "--kem", kem, "--pin", gateway.pins[kem])
                self.assertEqual(gateway.texts(4), ["one", "two", "three", "four"])

    def test_a_rotation_without_the_pinned_keys_record_is_refused(self):
        gateway = self.gateway()
        first = gateway.pins["512"]
        gateway.rotate()
        self.refuse(gateway.uri, "x", "--pin", first)  # a fingerprint cannot be asked
        self.assertEqual(gateway.texts(), [])

    def test_a_key_rotated_away_endorses_nothing(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"])
        gateway.rotate()
        gateway.rotate()
        self.refuse(gateway.uri, "two")
        self.assertEqual(gateway.texts(1), ["one"])


class Names(Case):
    """Which record a name finds, and which names an identity gets."""

    def test_this_machine_has_one_record_whatever_it_is_called(self):
        gateway = self.gateway(address="[::]:0")
        self.send(f"coap://localhost:{gateway.port}", "one", "--trust-first-use")
        for host in ("127.0.0.1", "[::1]", "LOCALHOST", "[0:0:0:0:0:0:0:1]"):
            out, _ = self.send(f"coap://{host}:{gateway.port}", host)
            self.assertNotIn("GET", out)
        [[_, names, _]], _ = self.records()
        self.assertEqual(names, {f"localhost:{gateway.port}"})

    def test_an_address_has_one_record_however_it_is_written(self):
        gateway = self.gateway(address="[::]:0")
        self.send(f"coap://[::ffff:127.0.0.1]:{gateway.port}", "one", "--trust-first-use")
        gateway.stop()
        other = Gateway(os.path.join(self.folder, "other"), f"[::]:{gateway.port}")
        self.addCleanup(other.stop)
        for host in ("[::ffff:7f00:1]", "[0:0:0:0:0:FFFF:127.0.0.1]"):
            self.refuse(f"coap://{host}:{gateway.port}", "two", "--trust-first-use")

    def test_a_changed_port_finds_the_identity(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        first = gateway.port
        gateway.stop()
        host = socket.getaddrinfo("localhost", None, type=socket.SOCK_DGRAM)[0][4][0]  # ::1 comes first on some machines
        gateway.start(f"[{host}]:0" if ":" in host else f"{host}:0")
        out, _ = self.send(f"coap://localhost:{gateway.port}", "two")
        self.assertIn("(on record)", out)
        [[_, names, _]], _ = self.records()
        self.assertEqual(names, {f"127.0.0.1:{first}", f"localhost:{gateway.port}"})

    def test_another_address_is_another_name(self):
        gateway = self.gateway(address="0.0.0.0:0")
        self.send(gateway.uri, "one", "--trust-first-use")
        other = f"coap://127.0.0.2:{gateway.port}"
        self.refuse(other, "two")
        self.send(other, "two", "--pin", gateway.identity())
        self.send(other, "three")
        [[_, names, _]], _ = self.records()
        self.assertEqual(names, {f"127.0.0.1:{gateway.port}", f"127.0.0.2:{gateway.port}"})

    def test_two_gateways_of_one_host(self):
        one, two = self.gateway(), Gateway(os.path.join(self.folder, "two"))
        self.addCleanup(two.stop)
        self.send(one.uri, "one", "--trust-first-use")
        # A port that is not on record shows an identity that is not: it is neither taken for the other, nor trusted.
        self.refuse(two.uri, "two")
        self.send(two.uri, "two", "--pin", two.identity())
        self.send(one.uri, "three")
        self.send(two.uri, "four")
        self.assertEqual((one.texts(2), two.texts(2)), (["one", "three"], ["two", "four"]))
        # A name that is on record accepts its own identity alone, also if the other's is on record too.
        ports = one.port, two.port
        one.stop()
        two.stop()
        one.start(f"127.0.0.1:{ports[1]}")
        two.start(f"127.0.0.1:{ports[0]}")
        for gateway in (one, two):
            for arguments in ([], ["--trust-first-use"], ["--pin", gateway.identity()]):
                self.refuse(gateway.uri, "five", *arguments)
            self.assertEqual(gateway.texts(), [])


class Receipts(Case):
    """Between the sender and a gateway stands a host that has the public keys alone."""

    def relay(self, gateway, answer):
        """The URI of a relay; answer(request) is what it makes of a sealed message itself, or None."""
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        here.bind(("127.0.0.1", 0))
        there.connect(("127.0.0.1", gateway.port))
        self.addCleanup(here.close)
        self.addCleanup(there.close)

        def serve():
            try:
                while True:
                    datagram, sender = here.recvfrom(2048)
                    request = prototype.parse(datagram)
                    reply = answer(request) if prototype.path_of(request) == "pqkem-data" else None
                    if reply is None:
                        there.send(datagram)
                        reply = there.recv(2048)
                    here.sendto(reply, sender)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        return f"coap://127.0.0.1:{here.getsockname()[1]}"

    @staticmethod
    def answer(request, code, payload, max_age=None):
        head = bytes([0x60 | len(request.token), code]) + struct.pack(">H", request.mid) + request.token
        return head + (b"" if max_age is None else bytes([0xD1, 1, max_age])) + (b"\xff" + payload if payload else b"")

    def test_a_fake_gateway_proves_nothing(self):
        gateway = self.gateway()
        for payload in (b"OK", b"OK" + bytes(16), b"OK" + bytes(15)):
            uri = self.relay(gateway, lambda request: self.answer(request, prototype.CHANGED, payload))
            _, err = self.send(uri, "x", "--pin", gateway.identity(), code=REFUSED)
            self.assertIn("does not prove", err)
            self.forget()
            bare = payload == b"OK"
            out, err = self.send(uri, "x", "--pin", gateway.pins["512"], code=DONE if bare else REFUSED)
            self.assertIn("answered, not proven" if bare else "does not prove", out if bare else err)
            self.assertNotIn("] accepted", out)
            if os.path.exists(self.known):
                self.forget()
        self.assertEqual(gateway.texts(), [])

    def test_a_replay_with_a_receipt_is_delivered(self):
        gateway = self.gateway()
        kept = []

        def lose_the_first(request):
            kept.append(request.payload)
            if len(kept) == 1:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.connect(("127.0.0.1", gateway.port))
                    s.send(prototype.build(prototype.CON, prototype.POST, 7, b"", ("pqkem-data",), request.payload))
                    s.recv(2048)
                return self.answer(request, 0xA3, b"", max_age=1)  # 5.03, though it was stored
            return None

        out, _ = self.send(self.relay(gateway, lose_the_first), "x", "--pin", gateway.identity(), "--json")
        sent = json.loads(out)
        self.assertEqual((sent["code"], sent["answer"], sent["proven"]), ("4.01", "REPLAY", True))
        self.assertEqual(kept[0], kept[1])
        self.assertEqual(gateway.texts(1), ["x"])

    def test_it_waits_as_long_as_the_gateway_asks(self):
        gateway = self.gateway()
        payloads = []

        def busy_twice(request):
            payloads.append(request.payload)
            return self.answer(request, (0xA3, 0x9D)[len(payloads) - 1], b"", max_age=1) if len(payloads) < 3 else None

        begin = time.monotonic()
        self.send(self.relay(gateway, busy_twice), "x", "--pin", gateway.identity())
        self.assertGreater(time.monotonic() - begin, 2)
        self.assertEqual(len(payloads), 3)
        self.assertEqual(len(set(payloads)), 1)
        self.assertEqual(gateway.texts(1), ["x"])
        # Not beyond its own time, and then at once.
        uri = self.relay(gateway, lambda request: self.answer(request, 0xA3, b"", max_age=9))
        begin = time.monotonic()
        _, err = self.send(uri, "y", "--pin", gateway.identity(), "--timeout", "5", code=FAILED)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertIn("5.03", err)


class Known(Case):
    def test_a_damaged_line_is_named_and_kept(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        with open(self.known, "rb") as f:
            sound = f.read()
        lines = sound.splitlines(True)
        number = len(lines)
        head, identity, name, line = b"".join(lines[:-3]), *lines[-3:]
        words = line.split()
        root, key = words[3], words[4]
        flipped = b"%x" % (int(root[300:301], 16) ^ 1)
        for what, bytes_, at, reason in (
            ("cut short", sound[:-10], number, "damaged"),
            ("without its end", sound[:-1], number, "damaged"),
            ("the check", sound[:-2] + b"%x" % (int(sound[-2:-1], 16) ^ 1) + b"\n", number, "damaged"),
            ("the root", sound.replace(root, root[:300] + flipped + root[301:]), number, "damaged"),
            ("keys exchanged", sound.replace(root + b" " + key, key + b" " + root), number, "damaged"),
            ("the time", sound.replace(words[2], b"1"), number, "damaged"),
            ("a root as a key", sound.replace(key, root), number, "damaged"),
            ("another identity", head + b"identity larch2:" + 32 * b"a" + b"\n" + name + line, number, "damaged"),
            ("a key as an identity", head + b"identity larch1:" + 32 * b"a" + b"\n" + name + line, number - 2, "damaged"),
            ("no identity", head + name + line, number - 2, "belongs to no identity"),
            ("a foreign line", sound + b"hello\n", number + 1, "damaged"),
            ("too long a line", sound + b"name " + 300 * b"a" + b":1\n", number + 1, "damaged"),
            ("a zero byte", sound + b"\0\n", number + 1, "damaged"),
            ("an identity twice", sound + identity, number + 1, "repeats an identity"),
            ("a name twice", sound + name, number + 1, "repeats a gateway"),
            ("a set twice", sound + line, number + 1, "repeats a parameter set"),
            ("a name of two", sound + b"identity larch2:" + 32 * b"a" + b"\n" + name, number + 2, "repeats a gateway"),
            ("a name of two by another name", sound + b"identity larch2:" + 32 * b"a" + b"\n"
             + name.replace(b"127.0.0.1", b"localhost"), number + 2, "repeats a gateway"),
            ("two kinds at once", sound + self.key_line(gateway, key), number + 1, "second kind of trust"),
            ("of a newer larch", sound.replace(b"gateways 2", b"gateways 3"), 1, "newer larch"),
            ("too many lines", sound + 5000 * b"#\n", 4097, "beyond the most"),
        ):
            with self.subTest(what):
                with open(self.known, "wb") as f:
                    f.write(bytes_)
                for arguments in ([], ["--pin", gateway.identity()], ["--kem", "768", "--trust-first-use"]):
                    _, err = self.send(gateway.uri, "two", *arguments, code=FAILED)
                    self.assertRegex(err, rf"{re.escape(self.known)}: line {at} .*{reason}")
                with open(self.known, "rb") as f:
                    self.assertEqual(f.read(), bytes_)
        self.assertEqual(gateway.texts(1), ["one"])

    @staticmethod
    def key_line(gateway, key, word=b"key "):
        digest = hashlib.sha256(bytes.fromhex(key.decode())).digest()
        pin = b"larch1:" + base64.b32encode(digest[:20]).lower()
        return word + b"127.0.0.1:%d 512 " % gateway.port + pin + b" " + pin + b" " + key + b"\n"

    def test_comments_and_other_records_stay(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        with open(self.known) as f:
            lines = f.read().splitlines()
        lines[-3:-3] = ["# mine", "", "identity larch2:" + 32 * "a", "name elsewhere:5683"]
        with open(self.known, "w") as f:
            f.write("\n".join(lines) + "\n# the end\n")
        self.send(gateway.uri, "two", "--kem", "768")
        with open(self.known) as f:
            after = f.read().splitlines()
        self.assertEqual(after[: len(lines)], lines)
        self.assertEqual((after[len(lines)].split()[:2], after[len(lines) + 1 :]), (["set", "768"], ["# the end"]))

    def old_file(self, gateway, path):
        """As an older larch wrote it, of the present key. Returns its bytes."""
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"])
        key = self.records()[1][0][-1].encode()
        self.forget()
        old = b"# Gateways that `larch send` trusts, a line each\n" + self.key_line(gateway, key, b"")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(old)
        return old

    def test_an_older_file_is_read_and_left_as_it_is(self):
        gateway = self.gateway()
        old = self.old_file(gateway, self.known)
        gateway.rotate()
        out, _ = self.send(gateway.uri, "two")
        self.assertIn("in place of the key that vouched for it", out)
        with open(self.known, "rb") as f:
            self.assertEqual(f.read(), old)
        gateway.rotate()
        gateway.rotate()
        self.send(gateway.uri, "three")
        self.known += ".v2"
        [[identity, _, _]], keys = self.records()
        self.assertEqual((identity, keys), (gateway.identity(), []))
        self.assertEqual(gateway.texts(3), ["one", "two", "three"])

    def test_an_older_file_keeps_its_other_records(self):
        gateway = self.gateway()
        old = self.old_file(gateway, self.known)
        other = old.splitlines(True)[1].replace(b"127.0.0.1", b"elsewhere")
        with open(self.known, "ab") as f:
            f.write(other)
        self.send(gateway.uri, "two")
        self.known += ".v2"
        self.assertEqual([record[0] for record in self.records()[1]], [f"elsewhere:{gateway.port}"])

    def test_an_older_file_may_know_this_machine_by_several_names(self):
        gateway = self.gateway(address="[::]:0")
        old = self.old_file(gateway, self.known)
        line = old.splitlines(True)[1]
        with open(self.known, "ab") as f:
            f.write(line.replace(b"127.0.0.1", b"localhost") + line.replace(b"127.0.0.1", b"[::1]"))
        for host in ("localhost", "127.0.0.1", "[::1]"):
            self.send(f"coap://{host}:{gateway.port}", host)
        self.known += ".v2"
        [[identity, names, _]], keys = self.records()
        self.assertEqual((identity, names, keys), (gateway.identity(), {f"localhost:{gateway.port}"}, []))

    def test_a_file_that_is_too_long_is_refused(self):
        with open(self.known, "w") as f:
            f.write("larch-gateways 2\n#")
            f.truncate(5 << 20)
        _, err = self.send("coap://127.0.0.1:9", "x", code=FAILED)
        self.assertIn("longer than 4 MB", err)

    def test_an_older_file_that_is_damaged_is_named_and_kept(self):
        gateway = self.gateway()
        old = self.old_file(gateway, self.known) + b"hello\n"
        with open(self.known, "wb") as f:
            f.write(old)
        _, err = self.send(gateway.uri, "two", code=FAILED)
        self.assertIn(f"{self.known}: line 3 ", err)
        self.assertFalse(os.path.exists(self.known + ".v2"))
        with open(self.known, "rb") as f:
            self.assertEqual(f.read(), old)

    def test_a_file_that_others_may_write_is_not_believed(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        os.chmod(self.known, 0o666)
        _, err = self.send(gateway.uri, "two", code=FAILED)
        self.assertIn("others may write it", err)

    def test_a_file_of_another_user_is_not_believed(self):
        if os.geteuid() != 0:
            self.skipTest("needs to give a file away")
        open(self.known, "w").close()
        os.chown(self.known, 65534, 65534)
        _, err = self.send("coap://127.0.0.1:9", "x", code=FAILED)
        self.assertIn("belongs to another user", err)

    def test_a_link_is_not_followed(self):
        os.symlink("/dev/null", self.known)
        _, err = self.send("coap://127.0.0.1:9", "x", code=FAILED)
        self.assertIn("symbolic link", err)

    def test_default_place(self):
        gateway = self.gateway()
        folder = os.path.join(self.folder, "larch")
        old = self.old_file(gateway, os.path.join(folder, "known_gateways"))
        self.run_larch("send", gateway.uri, "one")
        self.known = os.path.join(folder, "gateways")
        self.assertEqual(self.identity(), gateway.identity())
        self.run_larch("send", gateway.uri, "two")
        with open(os.path.join(folder, "known_gateways"), "rb") as f:
            self.assertEqual(f.read(), old)

    def test_senders_at_once_lose_no_record(self):
        gateway = self.gateway()
        uris = [gateway.uri]
        for host in ("127.0.0.2", "127.0.0.3"):
            uris.append(f"coap://{host}:{gateway.port}")
            other = Gateway(os.path.join(self.folder, host), address=f"{host}:{gateway.port}")
            self.addCleanup(other.stop)
        wanted = [(uri, kem) for uri in uris for kem in ("512", "768", "1024", "xwing")]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda w: self.send(w[0], "x", "--kem", w[1], "--trust-first-use"), wanted))
        identities, keys = self.records()
        self.assertEqual(len(identities), 3)
        for _, names, sets in identities:
            self.assertEqual((len(names), len(sets)), (1, 4))


class Messages(Case):
    def test_all_sets_and_text_sizes(self):
        gateway = self.gateway()
        most = {"512": 1024, "768": 926, "1024": 446, "xwing": 894}
        for count, (kem, size) in zip((2, 4, 6, 8), most.items()):
            with self.subTest(kem=kem):
                self.send(gateway.uri, "", "--kem", kem, "--trust-first-use")
                self.send(gateway.uri, "y" * size, "--kem", kem)
                self.assertEqual(gateway.texts(count)[-2:], ["", "y" * size])
                _, err = self.send(gateway.uri, "y" * (size + 1), "--kem", kem, code=USAGE)
                self.assertIn(f"takes {size}", err)

    def test_standard_input_is_one_message_without_its_last_newline(self):
        gateway = self.gateway()
        self.send(gateway.uri, "-", "--trust-first-use", text=b"one line\n")
        self.send(gateway.uri, "-", text=b"no newline")
        out, _ = self.send(gateway.uri, "-", "--json", text=b"two\nlines\n\n")
        self.assertEqual(json.loads(out)["text_bytes"], 10)
        self.assertEqual(gateway.texts(3)[:2], ["one line", "no newline"])
        _, err = self.send(gateway.uri, "-", text=b"z" * 70000, code=USAGE)
        self.assertIn("more than", err)

    def test_each_line_of_standard_input(self):
        gateway = self.gateway()
        texts = ["one", "", "three " + 400 * "3", "four", "no newline"]
        out, _ = self.send(gateway.uri, "-", "--lines", "--trust-first-use", "--json", text="\n".join(texts).encode())
        results = list(map(json.loads, out.splitlines()))
        self.assertEqual([(r["ok"], r["text_bytes"]) for r in results], [(True, len(t)) for t in texts])
        self.assertEqual(gateway.texts(5), texts)
        self.assertEqual(self.send(gateway.uri, "-", "--lines", text=b"")[0], "")
        out, err = self.send(gateway.uri, "-", "--lines", text=b"six\n" + 2000 * b"x" + b"\nseven\n", code=FAILED)
        self.assertIn("line 2 has 2000 bytes", err)
        self.assertEqual(gateway.texts(6)[5:], ["six"])

    def test_a_line_is_sent_as_soon_as_it_is_there(self):
        gateway = self.gateway()
        command = [LARCH, "send", gateway.uri, "-", "--lines", "--trust-first-use", "--json", "--known", self.known]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            for line in ("first", "second"):
                child.stdin.write(line + "\n")
                child.stdin.flush()
                self.assertTrue(json.loads(child.stdout.readline())["ok"])
            child.stdin.close()
            self.assertEqual(child.wait(20), DONE)
        self.assertEqual(gateway.texts(2), ["first", "second"])

    def test_non(self):
        gateway = self.gateway()
        for kem in ("512", "1024", "xwing"):
            self.send(gateway.uri, "once", "--non", "--kem", kem, "--trust-first-use")
        self.assertEqual(gateway.texts(3), 3 * ["once"])

    def test_many_meet_the_challenge(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--count", "80", "--interval", "0", "--trust-first-use", "--json")
        self.assertEqual([json.loads(line)["ok"] for line in out.splitlines()], 80 * [True])
        self.assertEqual(gateway.texts(80), 80 * ["n"])

    def test_json(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--count", "2", "--interval", "0", "--trust-first-use", "--json")
        first, second = map(json.loads, out.splitlines())
        for o in (first, second):
            self.assertEqual(o["fingerprint"], gateway.pins["512"])
            self.assertEqual((o["code"], o["answer"], o["trust"]), ("2.04", "OK", "first use"))
            self.assertEqual((o["identity"], o["proven"]), (gateway.identity(), True))
            self.assertIn("ML-KEM encapsulation", [s["step"] for s in o["steps"]])
        self.assertEqual([first["round_trips"], second["round_trips"]], [5, 1])
        self.assertGreater(first["bytes_in"], 800)
        self.assertLess(second["bytes_in"], 40)
        self.forget()
        out, _ = self.send(gateway.uri, "n", "--kem", "768", "--json", code=REFUSED)
        refused = json.loads(out)
        self.assertEqual((refused["ok"], refused["fingerprint"], refused["identity"], refused["proven"]),
                         (False, gateway.pins["768"], gateway.identity(), False))

    def test_ipv6(self):
        gateway = self.gateway(address="[::]:0")
        for host in ("[::1]", "127.0.0.1", "localhost"):
            self.send(f"coap://{host}:{gateway.port}/pqkem-data", host, "--trust-first-use")
        self.assertEqual(gateway.texts(3), ["[::1]", "127.0.0.1", "localhost"])
        [[_, names, _]], _ = self.records()
        self.assertEqual(names, {f"[::1]:{gateway.port}"})

    def test_every_step_is_shown(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--trust-first-use")
        for step in ("GET /pqkem-pk ", "2.05 Content ", "ML-KEM-512 ", "recorded ", "ML-KEM encapsulation ",
                     "HKDF-SHA-256 ", "AES-128-CCM seal ", "POST /pqkem-data[?]receipt ", "GET /pqkem-root ",
                     "identity ", "2.04 Changed ", "accepted "):
            self.assertRegex(out, rf"\[ *\d+\.\d{{3}} ms\] {step}")


class Failures(Case):
    def test_nobody_listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        begin = time.monotonic()
        out, err = self.send(f"coap://127.0.0.1:{port}", "x", "--trust-first-use", "--timeout", "1.5", code=FAILED)
        self.assertGreater(time.monotonic() - begin, 1.4)  # a hint ends nothing
        self.assertIn("no answer within 1.5 s while fetching the gateway's key: the host refuses the port; start the", err)
        self.assertEqual(out.count("the host refuses the port"), 1)  # and is shown at once

    def test_nobody_answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            begin = time.monotonic()
            uri = f"coap://127.0.0.1:{s.getsockname()[1]}"
            _, err = self.send(uri, "x", "--trust-first-use", "--timeout", "0.5", code=FAILED)
            self.assertLess(time.monotonic() - begin, 3)
            self.assertIn("no answer within 0.5 s", err)

    def peer(self, answer):
        """The URI of a peer that answers each request with what answer makes of it."""
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        self.addCleanup(s.close)

        def serve():
            try:
                while True:
                    datagram, sender = s.recvfrom(2048)
                    s.sendto(answer(datagram), sender)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        return f"coap://127.0.0.1:{s.getsockname()[1]}"

    def test_each_cause_is_named_with_a_way_out(self):
        def reset(request):
            return b"\x70\0" + request[2:4]

        def unavailable(request):
            token = request[4:4 + (request[0] & 15)]
            return bytes([0x60 | len(token), 5 << 5 | 3]) + request[2:4] + token + b"\xfftry later"

        def critical(request):
            token = request[4:4 + (request[0] & 15)]
            return bytes([0x60 | len(token), 2 << 5 | 5]) + request[2:4] + token + b"\x90\xffkey"

        for answer, words in (
            (critical, ("critical option that this larch does not understand (option 9)", "newer larch")),
            (reset, ("reset the request", "larch gateway listens")),
            (unavailable, ("refused the request (5.03 try later)", "asked again later")),
        ):
            uri = self.peer(answer)
            for command in (["send", uri, "x", "--trust-first-use", "--known", self.known], ["bench", "gateway", uri]):
                with self.subTest(command=command[0], words=words[0]):
                    _, err = self.run_larch(*command, code=FAILED)
                    for part in words:
                        self.assertIn(part, err)
                    self.assertEqual(err.count("\n"), 1, err)

    def test_no_answer_of_an_earlier_request_is_shown(self):
        gateway = self.gateway()
        command = [LARCH, "send", gateway.uri, "n", "--count", "2", "--interval", "0.5", "--timeout", "1", "--json",
                   "--trust-first-use", "--known", self.known]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            first = json.loads(child.stdout.readline())
            gateway.child.kill()
            out, err = child.communicate(timeout=20)
        second = json.loads(out)
        self.assertEqual((first["ok"], first["code"], first["answer"], first["proven"]), (True, "2.04", "OK", True))
        self.assertEqual((child.returncode, second["ok"], second["proven"]), (FAILED, False, False))
        self.assertNotIn("code", second)
        self.assertNotIn("answer", second)
        self.assertNotIn("2.04", err)

    def test_bytes_of_a_key_are_never_shown(self):
        def key(request):
            token = request[4:4 + (request[0] & 15)]
            return bytes([0x60 | len(token), 2 << 5 | 5]) + request[2:4] + token + b"\xff" + bytes(range(0x80, 0x100))

        for options in ([], ["--pin", "larch1:" + 32 * "a"], ["--json"]):
            done = subprocess.run([LARCH, "send", self.peer(key), "x", "--trust-first-use" if not options[1:] else "--non",
                                   "--known", self.known, *options], capture_output=True, timeout=20, check=False)
            self.assertNotEqual(done.returncode, DONE)
            for piece in (b"2.05 \\", b"\\x8", b"u0080", b"(2.05", b'"code"', b'"answer"'):
                self.assertNotIn(piece, done.stderr + done.stdout)

    def test_usage(self):
        good = "coap://127.0.0.1:9"
        for arguments in (
            [],
            [good],
            ["coaps://127.0.0.1", "x"],
            ["127.0.0.1", "x"],
            ["coap://", "x"],
            ["coap://127.0.0.1:99999", "x"],
            ["coap://127.0.0.1:0", "x"],
            ["coap://127.0.0.1/elsewhere", "x"],
            ["coap://127.0.0.1/pqkem-data?a=b", "x"],
            [good, "x", "y"],
            [good, "x", "--kem", "513"],
            [good, "x", "--pin", "larch1:abc"],
            [good, "x", "--pin", "larch3:" + 32 * "a"],
            [good, "x", "--pin", "larch2:" + 33 * "a"],
            [good, "x", "--pin", "larch2:" + 32 * "1"],
            [good, "x", "--pin", ""],
            [good, "x", "--pin", "larch2:" + 32 * "a", "--trust-first-use"],
            [good, "x", "--count", "0"],
            [good, "x", "--lines"],
            [good, "-", "--lines", "--count", "2"],
            [good, "x", "--interval", "-1"],
            [good, "x", "--timeout", "0"],
            [good, "x", "--nonsense"],
            [good, "x", "--pin", "larch1:" + 32 * "a", "--trust-first-use"],
        ):
            with self.subTest(arguments):
                _, err = self.run_larch("send", *arguments, code=USAGE)
                self.assertIn("larch send --help", err)

    def test_a_name_that_is_not_found_is_no_mistake_in_writing(self):
        for command in (["send", "coap://nobody.invalid", "x"], ["discover", "--to", "nobody.invalid"],
                        ["gateway", "--listen", "nobody.invalid:1"], ["bench", "gateway", "coap://nobody.invalid"]):
            _, err = self.run_larch(*command, code=FAILED)
            self.assertIn("nobody.invalid", err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_nobody_takes_what_is_printed(self):
        gateway = self.gateway()
        with open("/dev/full", "w") as full:
            p = subprocess.run([LARCH, "send", gateway.uri, "x", "--known", self.known, "--trust-first-use"], stdout=full,
                               stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, FAILED)
        self.assertIn(b"standard output", p.stderr)

    def test_closed_standard_files_are_no_sockets(self):
        gateway = self.gateway()
        for closed in (">&-", "<&-", "<&- >&- 2>&-"):
            command = f'"$0" send {gateway.uri} x --known "$1" --trust-first-use {closed}'
            subprocess.run(["sh", "-c", command, LARCH, self.known], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        self.assertEqual(len(gateway.texts(3)), 3)
        self.assertNotIn("dropped", gateway.read(gateway.log))

    def test_help(self):
        for command in ("send", "discover", "bench"):
            out, err = self.run_larch(command, "--help")
            self.assertTrue(out.startswith(f"Usage: larch {command} "))
            self.assertEqual(err, "")


class Bench(Case):
    def test_gateway_of_its_own(self):
        for arguments in ([], ["--kem", "768"], ["--get", "pqkem-pk", "--senders", "2"]):
            out, _ = self.run_larch("bench", "gateway", "--seconds", "0.3", "--json", *arguments)
            figures = json.loads(out)
            self.assertGreater(figures["answered"], 50)
            self.assertEqual((figures["lost"], figures["refused"]), (0, 0))
            self.assertLess(figures["p50_us"], figures["p99_us"])
        self.run_larch("bench", "gateway", "--kem", "1024", code=USAGE)
        self.assertEqual([d for d in os.listdir(self.folder) if d.startswith("larch-bench-")], [])

    def test_a_running_gateway(self):
        gateway = self.gateway()
        out, _ = self.run_larch("bench", "gateway", gateway.uri, "--seconds", "0.2", "--json")
        answered = json.loads(out)["answered"]  # what was under way at the end is accepted too
        self.assertTrue(50 < answered <= len(gateway.texts(answered)) <= answered + 128)


class Cose(Case):
    """Sealed messages in the form of COSE."""

    def crypto(self):
        crypto = prototype.Crypto(PROTO_CRYPTO)
        self.addCleanup(crypto.close)
        return crypto

    def test_every_set_is_accepted_with_a_receipt(self):
        gateway = self.gateway()
        sets = ("512", "768", "1024", "xwing")  # the larger ones in blocks
        for kem in sets:
            out, _ = self.send(gateway.uri, kem, "--cose", "--kem", kem, "--pin", gateway.identity(), "--json")
            sent = json.loads(out)
            self.assertEqual((sent["code"], sent["answer"], sent["proven"]), ("2.04", "OK", True))
        gateway.rotate()
        self.send(gateway.uri, "rotated", "--cose")
        self.assertEqual(gateway.texts(5), [*sets, "rotated"])
        err = self.send(gateway.uri, "x" * 416, "--cose", "--kem", "1024", code=USAGE)[1]
        self.assertIn("takes 415", err)

    def test_another_implementation_reads_it(self):
        board = cose_peer.CoseGateway(self.crypto())
        self.addCleanup(board.stop)
        out, _ = self.send(f"coap://127.0.0.1:{board.port}", "to another", "--cose", "--pin", board.fingerprint())
        self.assertIn("answered, not proven", out)
        self.assertEqual(board.texts, [b"to another"])
        self.assertNotIn(prototype.POST, [m.code for m in board.requests if prototype.path_of(m) == "pqkem-pk"])

    def test_the_gateway_reads_another_implementation(self):
        gateway, crypto = self.gateway(), self.crypto()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", gateway.port))
            s.settimeout(5)

            def ask(datagram):
                s.send(datagram)
                answer = prototype.parse(s.recv(2048))
                return answer.code, answer.payload

            ek = ask(prototype.build(prototype.CON, prototype.GET, 1, b"k", ("pqkem-pk",)))[1]
            message = cose_peer.seal(crypto, ek, b"from another")
            self.assertEqual(ask(cose_peer.request(2, message, b"\x3c")), (0x8F, b""))  # application/cbor: 4.15
            self.assertEqual(ask(cose_peer.request(3, message, b"\x2a")), (0x80, b"BAD_TYPE"))
            self.assertEqual(ask(cose_peer.request(4, message)), (0x44, b"OK"))
            self.assertEqual(ask(cose_peer.request(5, message)), (0x81, b"REPLAY"))
            self.assertEqual(ask(cose_peer.request(6, message[:-1])), (0x80, b"BAD_COSE"))
        self.assertEqual(gateway.texts(1), ["from another"])


class Prototype(Case):
    def setUp(self):
        super().setUp()
        self.crypto = prototype.Crypto(PROTO_CRYPTO)
        self.addCleanup(self.crypto.close)

    def board(self):
        board = prototype.PrototypeGateway(self.crypto)
        board.uri = f"coap://127.0.0.1:{board.port}"
        self.addCleanup(board.stop)
        return board

    def test_sender_works_with_a_prototype_gateway(self):
        board = self.board()
        begin = time.monotonic()
        self.send(board.uri, "to a board", "--pin", board.fingerprint())
        self.assertGreater(time.monotonic() - begin, 0.9)  # GET first, POST after a second
        self.assertEqual(board.texts, [b"to a board"])
        self.assertEqual(board.requests[0], (prototype.GET, "pqkem-pk"))
        self.send(board.uri, "b" * 64)
        out, _ = self.send(board.uri, "once", "--non")
        self.assertIn("2.04 Changed", out)
        self.send(board.uri, "b" * 65, code=USAGE)
        self.send(board.uri, "many", "--count", "40", "--interval", "0")
        self.assertEqual(len(board.texts), 43)

    def test_what_a_gateway_refuses(self):
        board = self.board()
        for verdict, words in (
            ("REPLAY", "seen this message before"),
            ("AUTH_FAIL", "could not open"),
            ("BAD_LEN", "refused the request (4.00 BAD_LEN)"),
            ("what\x1b[31m", "refused the request (4.00 what"),
        ):
            with self.subTest(verdict):
                board.verdict = verdict
                out, err = self.send(board.uri, "x", "--trust-first-use", code=FAILED)
                self.assertIn(words, err)
                self.assertNotIn("\x1b", out + err)

    def test_prototype_sender_works_with_our_gateway(self):
        gateway = self.gateway(address="0.0.0.0:0")
        sender = prototype.PrototypeSender(self.crypto)
        self.addCleanup(sender.close)
        for to in ("127.0.0.1", "127.255.255.255"):
            with self.subTest(to):
                ek, peer = sender.find((to, gateway.port))
                self.assertIsNotNone(ek, "the board waits 5 s for the key")
                answer, message = sender.send(ek, peer, b"from a board")
                self.assertEqual(answer, "OK")
                again, _ = sender.ask(peer, "pqkem-data", message)
                self.assertEqual(again.payload, b"REPLAY")
        self.assertEqual(gateway.texts(2), 2 * ["from a board"])

    def test_discover_tells_both_kinds(self):
        gateway, board = self.gateway(), self.board()
        to = [f"127.0.0.1:{gateway.port}", f"127.0.0.1:{board.port}"]
        arguments = ["discover", "--timeout", "0.5", "--to", to[0], "--to", to[1], "--to", to[0]]
        out, _ = self.run_larch(*arguments, "--json")
        found = {o["gateway"]: o for o in map(json.loads, out.splitlines())}
        self.assertEqual(len(out.splitlines()), 2)
        self.assertEqual([k["fingerprint"] for k in found[to[0]]["keys"]], list(gateway.pins.values()))
        self.assertEqual([k["fingerprint"] for k in found[to[1]]["keys"]], [board.fingerprint()])
        self.assertEqual([found[t]["prototype"] for t in to], [False, True])
        self.assertEqual([found[t].get("identity") for t in to], [gateway.identity(), None])
        out, _ = self.run_larch(*arguments)
        self.assertRegex(out, rf"coap://{to[0]} +identity +{gateway.identity()}\n +ML-KEM-512 +{gateway.pins['512']}\n")
        self.assertRegex(out, rf"coap://{to[1]} +ML-KEM-512 +{board.fingerprint()} +prototype\n")

    def test_discover_finds_nobody(self):
        _, err = self.run_larch("discover", "--timeout", "0.2", "--to", "127.0.0.1:9", code=FAILED)
        self.assertIn("no gateway answered", err)


@unittest.skipUnless(shutil.which("coap-client-notls"), "libcoap's client is not installed")
class Libcoap(Case):
    def get(self, uri, *arguments):
        out = os.path.join(self.folder, "out")
        result = subprocess.run(
            ["coap-client-notls", "-m", "get", "-B", "5", "-v", "7", "-o", out, *arguments, uri],
            capture_output=True,
            timeout=20,
            text=True,
        )
        with open(out, "rb") as f:
            return f.read(), result.stdout + result.stderr

    def test_the_key_is_what_libcoap_reads(self):
        gateway = self.gateway()
        for query, size, pin in (("", 800, "512"), ("?kem=768", 1184, "768"), ("?kem=1024", 1568, "1024"),
                                 ("?kem=xwing", 1216, "xwing")):
            with self.subTest(query):
                key, log = self.get(f"{gateway.uri}/pqkem-pk{query}")
                digest = hashlib.sha256(key).digest()
                self.assertEqual(len(key), size)
                self.assertEqual("larch1:" + base64.b32encode(digest[:20]).decode().lower(), gateway.pins[pin])
                self.assertRegex(log.replace("\\x", ""), rf"ETag:(0x)?{digest[:8].hex()}")
                self.assertEqual("Block2:1" in log, size > 1024)
        small, _ = self.get(f"{gateway.uri}/pqkem-pk", "-b", "64")
        self.assertEqual(len(small), 800)


if __name__ == "__main__":
    LARCH, PROTO_CRYPTO = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    skips.main(argv=[sys.argv[0]] + sys.argv[3:])
