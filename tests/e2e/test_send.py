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
import subprocess
import sys
import tempfile
import time
import unittest

import prototype

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
        found = self.wait_for(r"listening on \S*:(\d+)[\s\S]*ML-KEM-1024 generation", self.log)
        self.port = int(found.group(1))
        self.uri = f"coap://127.0.0.1:{self.port}"
        self.pins = dict(re.findall(r"ML-KEM-(\d+) generation \d+ (larch1:\w+)", self.read(self.log)))

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

    def texts(self):
        return [line.split(" ", 3)[3] for line in self.read(self.out).splitlines()]

    def rotate(self):
        before = self.read(self.log).count("generation")
        self.child.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 10
        while self.read(self.log).count("generation") < before + 3:
            assert time.monotonic() < end, self.read(self.log)
            time.sleep(0.02)
        self.pins = dict(re.findall(r"ML-KEM-(\d+) generation \d+ (larch1:\w+)", self.read(self.log)))

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

    def records(self):
        with open(self.known) as f:
            return [line.split() for line in f if not line.startswith("#")]


class Trust(Case):
    def test_a_gateway_without_record_is_refused_with_both_ways_out(self):
        gateway = self.gateway()
        _, err = self.send(gateway.uri, "it's secret", code=REFUSED)
        rest = f" --known {self.known} {gateway.uri} 'it'\\''s secret'\n"
        self.assertIn(f"  larch send --pin {gateway.pins['512']}" + rest, err)
        self.assertIn("  larch send --trust-first-use" + rest, err)
        self.assertEqual(gateway.texts(), [])
        self.assertFalse(os.path.exists(self.known))

    def test_a_pin_is_enough_and_is_recorded(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"].upper().replace("LARCH1", "larch1"))
        self.send(gateway.uri, "two")
        self.assertEqual(gateway.texts(), ["one", "two"])
        self.assertEqual(os.stat(self.known).st_mode & 0o777, 0o600)
        [record] = self.records()
        self.assertEqual(record[:4], [f"127.0.0.1:{gateway.port}", "512"] + 2 * [gateway.pins["512"]])

    def test_another_key_than_the_pin_is_refused(self):
        gateway = self.gateway()
        _, err = self.send(gateway.uri, "x", "--pin", gateway.pins["768"], code=REFUSED)
        self.assertIn(gateway.pins["768"], err)
        self.assertIn(gateway.pins["512"], err)
        self.assertIn("larch keys fingerprint", err)
        self.assertEqual(gateway.texts(), [])
        self.assertFalse(os.path.exists(self.known))

    def test_first_use_never_replaces(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        self.send(gateway.uri, "two", "--trust-first-use")
        self.assertEqual(gateway.texts(), ["one", "two"])
        before = self.records()
        gateway.begin_anew()
        for arguments in ([], ["--trust-first-use"]):
            _, err = self.send(gateway.uri, "three", *arguments, code=REFUSED)
            self.assertIn("does not endorse it", err)
        self.assertEqual(gateway.texts(), [])
        self.assertEqual(self.records(), before)
        # Only the user's word replaces it.
        out, _ = self.send(gateway.uri, "four", "--pin", gateway.pins["512"])
        self.assertIn("in place of another one", out)
        self.assertEqual(gateway.texts(), ["four"])
        self.assertEqual([r[2:4] for r in self.records()], [2 * [gateway.pins["512"]]])

    def test_an_endorsed_rotation_is_followed(self):
        for kem in ("512", "1024"):
            with self.subTest(kem=kem):
                gateway = Gateway(os.path.join(self.folder, "gateway" + kem))
                self.addCleanup(gateway.stop)
                first = gateway.pins[kem]
                self.send(gateway.uri, "one", "--kem", kem, "--pin", first)
                gateway.rotate()
                self.assertNotEqual(gateway.pins[kem], first)
                out, _ = self.send(gateway.uri, "two", "--kem", kem)
                self.assertIn("in place of the one that endorsed it", out)
                self.assertEqual(self.records()[-1][2:4], [first, gateway.pins[kem]])
                # The pin that trust began with still stands for the gateway, once more rotated too.
                gateway.rotate()
                self.send(gateway.uri, "three", "--kem", kem, "--pin", first)
                self.assertEqual(self.records()[-1][2:4], [first, gateway.pins[kem]])
                self.send(gateway.uri, "four", "--kem", kem, "--pin", gateway.pins[kem])
                self.assertEqual(gateway.texts(), ["one", "two", "three", "four"])

    def test_a_rotation_without_the_pinned_keys_record_is_refused(self):
        gateway = self.gateway()
        first = gateway.pins["512"]
        gateway.rotate()
        self.send(gateway.uri, "x", "--pin", first, code=REFUSED)  # a fingerprint cannot be asked
        self.assertEqual(gateway.texts(), [])

    def test_a_key_rotated_away_endorses_nothing(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--pin", gateway.pins["512"])
        before = self.records()
        gateway.rotate()
        gateway.rotate()
        self.send(gateway.uri, "two", code=REFUSED)
        self.assertEqual(self.records(), before)
        self.assertEqual(gateway.texts(), ["one"])


class Known(Case):
    def test_a_damaged_line_is_named_and_kept(self):
        gateway = self.gateway()
        self.send(gateway.uri, "one", "--trust-first-use")
        with open(self.known, "rb") as f:
            sound = f.read()
        number = sound.count(b"\n")
        present, key = sound.split()[-2:]
        other = present[:-1] + (b"b" if present.endswith(b"a") else b"a")
        for name, bytes_, line in (
            ("cut short", sound[:-10], number),
            ("without its end", sound[:-1], number),
            ("a digit of the key", sound[:-2] + b"%x" % (int(sound[-2:-1], 16) ^ 1) + b"\n", number),
            ("the fingerprint", sound.replace(present + b" " + key, other + b" " + key), number),
            ("a foreign line", sound + b"hello\n", number + 1),
            ("a zero byte", sound + b"\0\n", number + 1),
            ("twice", sound + sound.splitlines(True)[-1], number + 1),
        ):
            with self.subTest(name):
                with open(self.known, "wb") as f:
                    f.write(bytes_)
                another = [] if name == "twice" else [["--kem", "768", "--trust-first-use"]]
                for arguments in ([], ["--pin", gateway.pins["512"]], *another):
                    _, err = self.send(gateway.uri, "two", *arguments, code=FAILED)
                    self.assertRegex(err, rf"{re.escape(self.known)}: line {line} ")
                with open(self.known, "rb") as f:
                    self.assertEqual(f.read(), bytes_)
        self.assertEqual(gateway.texts(), ["one"])

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
        self.run_larch("send", gateway.uri, "one", "--trust-first-use")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "larch", "known_gateways")))
        self.run_larch("send", gateway.uri, "two")

    def test_senders_at_once_lose_no_record(self):
        gateway = self.gateway()
        uris = [gateway.uri, f"coap://localhost:{gateway.port}", f"coap://127.0.0.2:{gateway.port}"]
        other = Gateway(os.path.join(self.folder, "all"), address=f"127.0.0.2:{gateway.port}")
        self.addCleanup(other.stop)
        wanted = [(uri, kem) for uri in uris for kem in ("512", "768", "1024")]
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            list(pool.map(lambda w: self.send(w[0], "x", "--kem", w[1], "--trust-first-use"), wanted))
        self.assertEqual(len({(r[0], r[1]) for r in self.records()}), 9)


class Messages(Case):
    def test_all_sets_and_text_sizes(self):
        gateway = self.gateway()
        most = {"512": 1024, "768": 926, "1024": 446}
        for kem, size in most.items():
            with self.subTest(kem=kem):
                self.send(gateway.uri, "", "--kem", kem, "--trust-first-use")
                self.send(gateway.uri, "y" * size, "--kem", kem)
                self.assertEqual(gateway.texts()[-2:], ["", "y" * size])
                _, err = self.send(gateway.uri, "y" * (size + 1), "--kem", kem, code=USAGE)
                self.assertIn(f"takes {size}", err)

    def test_standard_input_is_one_message_without_its_last_newline(self):
        gateway = self.gateway()
        self.send(gateway.uri, "-", "--trust-first-use", text=b"one line\n")
        self.send(gateway.uri, "-", text=b"no newline")
        out, _ = self.send(gateway.uri, "-", "--json", text=b"two\nlines\n\n")
        self.assertEqual(json.loads(out)["text_bytes"], 10)
        self.assertEqual(gateway.texts()[:2], ["one line", "no newline"])
        _, err = self.send(gateway.uri, "-", text=b"z" * 70000, code=USAGE)
        self.assertIn("more than", err)

    def test_non(self):
        gateway = self.gateway()
        for kem in ("512", "1024"):
            self.send(gateway.uri, "once", "--non", "--kem", kem, "--trust-first-use")
        self.assertEqual(gateway.texts(), ["once", "once"])

    def test_many_meet_the_challenge(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--count", "80", "--interval", "0", "--trust-first-use", "--json")
        self.assertEqual([json.loads(line)["ok"] for line in out.splitlines()], 80 * [True])
        self.assertEqual(gateway.texts(), 80 * ["n"])

    def test_json(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--count", "2", "--interval", "0", "--trust-first-use", "--json")
        first, second = map(json.loads, out.splitlines())
        for o in (first, second):
            self.assertEqual(o["fingerprint"], gateway.pins["512"])
            self.assertEqual((o["code"], o["answer"], o["trust"]), ("2.04", "OK", "first use"))
            self.assertIn("ML-KEM encapsulation", [s["step"] for s in o["steps"]])
        self.assertEqual([first["round_trips"], second["round_trips"]], [2, 1])
        self.assertGreater(first["bytes_in"], 800)
        self.assertLess(second["bytes_in"], 40)
        out, _ = self.send(gateway.uri, "n", "--kem", "768", "--json", code=REFUSED)
        refused = json.loads(out)
        self.assertEqual((refused["ok"], refused["fingerprint"]), (False, gateway.pins["768"]))

    def test_ipv6(self):
        gateway = self.gateway(address="[::]:0")
        for host in ("[::1]", "127.0.0.1", "localhost"):
            self.send(f"coap://{host}:{gateway.port}/pqkem-data", host, "--trust-first-use")
        self.assertEqual(gateway.texts(), ["[::1]", "127.0.0.1", "localhost"])
        self.assertEqual(self.records()[0][0], f"[::1]:{gateway.port}")

    def test_every_step_is_shown(self):
        gateway = self.gateway()
        out, _ = self.send(gateway.uri, "n", "--trust-first-use")
        for step in ("GET /pqkem-pk ", "2.05 Content ", "ML-KEM-512 ", "recorded ", "ML-KEM encapsulation ",
                     "HKDF-SHA-256 ", "AES-128-CCM seal ", "POST /pqkem-data ", "2.04 Changed ", "accepted "):
            self.assertRegex(out, rf"\[ *\d+\.\d{{3}} ms\] {re.escape(step)}")


class Failures(Case):
    def test_nobody_listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        begin = time.monotonic()
        _, err = self.send(f"coap://127.0.0.1:{port}", "x", "--trust-first-use", code=FAILED)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertIn("refuses the port", err)

    def test_nobody_answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            begin = time.monotonic()
            uri = f"coap://127.0.0.1:{s.getsockname()[1]}"
            _, err = self.send(uri, "x", "--trust-first-use", "--timeout", "0.5", code=FAILED)
            self.assertLess(time.monotonic() - begin, 3)
            self.assertIn("no answer within 0.5 s", err)

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
            [good, "x", "--count", "0"],
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
        self.assertEqual(len(gateway.texts()), 3)
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
        self.assertTrue(50 < answered <= len(gateway.texts()) <= answered + 128)


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
        self.send(board.uri, "b" * 65, code=USAGE)
        self.send(board.uri, "many", "--count", "40", "--interval", "0")
        self.assertEqual(len(board.texts), 42)

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
        self.assertEqual(gateway.texts(), 2 * ["from a board"])

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
        out, _ = self.run_larch(*arguments)
        self.assertIn(f"coap://{to[0]}", out)
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
        for query, size, pin in (("", 800, "512"), ("?kem=768", 1184, "768"), ("?kem=1024", 1568, "1024")):
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
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
