#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch gateway, keys and demo as a user has them: state, exit codes, what is printed.

usage: test_gateway.py LARCH SEALER SOURCE_FOLDER [unittest arguments]
"""
import fcntl
import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from gateway_process import OK, POST, REPLAY, SEALED_LEN, UNLIMITED, Gateway, request

LARCH, SEALER, SOURCE = (os.path.abspath(a) for a in sys.argv[1:4])
DONE, FAILED, USAGE = range(3)
AUTH_FAIL = (0x80, b"AUTH_FAIL")
COMMANDS = ["gateway", "send", "discover", "sniff", "oled", "keys", "bench", "demo"]
SETS = [512, 768, 1024]


def run(*arguments, timeout=60, **more):
    """Runs larch to its end: (exit code, stdout, stderr)."""
    p = subprocess.run([LARCH, *arguments], capture_output=True, timeout=timeout, **more)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def one_line(case, text):
    case.assertEqual(text.count("\n"), 1, text)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="larch-test-")
        self.addCleanup(self.folder.cleanup)
        self.state = self.folder.name + "/state"

    def gateway(self, *options, **more):
        g = Gateway(LARCH, more.pop("state", self.state), *options, folder=self.folder.name, **more)
        self.addCleanup(g.close)
        return g

    def seal(self, gateway, count):
        with open(self.folder.name + "/ek", "wb") as f:
            f.write(gateway.key())
        sealed = subprocess.run([SEALER, f.name, str(count)], stdout=subprocess.PIPE, check=True).stdout
        return [sealed[i:i + SEALED_LEN] for i in range(0, len(sealed), SEALED_LEN)]

    def send(self, gateway, text, *options):
        return run("send", gateway.uri, text, "--known", self.folder.name + "/known", "--trust-first-use", *options)

    def refused_start(self, *options, code=FAILED):
        got, out, err = run("gateway", *options)
        self.assertEqual((got, out), (code, ""), err)
        return err


class CommandLine(Case):
    def test_help(self):
        code, out, err = run("--help")
        self.assertEqual((code, err), (DONE, ""))
        for command in COMMANDS:
            self.assertRegex(out, rf"(?m)^  {command} +\w")
            code, text, err = run(command, "--help")
            self.assertEqual((code, err), (DONE, ""), command)
            self.assertTrue(text.startswith(f"Usage: larch {command}"), text)
            self.assertLessEqual(max(map(len, text.splitlines())), 100, command)

    def test_version(self):
        self.assertRegex(run("--version")[1], r"^larch \d+\.\d+\.\d+\n$")

    def test_usage(self):
        for arguments in [[], ["nope"], ["--nope"], [""], ["gatewa"], ["gateway", "--nope"], ["gateway", "x"],
                          ["gateway", "--listen"], ["gateway", "--listen", "nowhere:1:2"],
                          ["gateway", "--durability", "some"], ["gateway", "--state", ""],
                          ["gateway"] + ["--listen", "127.0.0.1:0"] * 5,
                          ["keys"], ["keys", "nope"], ["keys", "show", "--kem", "5"], ["keys", "rotate", "--kem", "512"],
                          ["demo", "x"]]:
            code, out, err = run(*arguments)
            self.assertEqual((code, out), (USAGE, ""), arguments)
            self.assertIn("--help'.\n", err, arguments)

    def test_help_nobody_reads(self):
        with open("/dev/full", "w") as full:
            p = subprocess.run([LARCH, "--help"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, FAILED)


class Config(Case):
    def start_with(self, text):
        path = self.folder.name + "/gateway.ini"
        with open(path, "w") as f:
            f.write(text)
        return path, run("gateway", "--config", path, "--listen", "127.0.0.1:0", "--state", "/proc/none", timeout=10)

    def test_mistakes(self):
        for text, line, word in [("[gateway]\nfoo = 1\n", 2, "foo"), ("[nope]\na=1\n", 2, "nope"),
                                 ("[gateway]\n\n# c\nreplay_slots = 1000\n", 4, "power of two"),
                                 ("[gateway]\ngrace = -1\n", 2, "grace"), ("[gateway]\ngrace = 1s\n", 2, "grace"),
                                 ("[limits]\nprefix_rate = 0\n", 2, "prefix_rate"), ("[gateway]\nhello\n", 2, "neither"),
                                 ("[limits]\nlisten = [::]:1\n", 2, "listen"),
                                 ("[gateway]\ndurability = never\n", 2, "durability"),
                                 ("[gateway]\n" + "listen = 127.0.0.1:0\n" * 5, 6, "listen")]:
            path, (code, out, err) = self.start_with(text)
            self.assertEqual((code, out), (USAGE, ""), text)
            self.assertIn(f"{path}:{line}: ", err)
            self.assertIn(word, err)

    def test_example_loads(self):
        code, _, err = run("gateway", "--config", SOURCE + "/docs/gateway.ini", "--state", "/proc/none", "--listen",
                           "127.0.0.1:0")
        self.assertEqual(code, FAILED)
        self.assertIn("/proc/none", err)

    def test_missing_file(self):
        code, _, err = run("gateway", "--config", self.folder.name + "/none.ini")
        self.assertEqual(code, USAGE)
        self.assertIn("none.ini: No such file", err)

    def test_command_line_wins(self):
        elsewhere = self.folder.name + "/elsewhere"
        g = self.gateway(config=f"[gateway]\nstate = {elsewhere}\nlisten = 127.0.0.1:1\n" + UNLIMITED)
        self.assertEqual(g.stop(), DONE)
        self.assertTrue(os.path.exists(self.state))
        self.assertFalse(os.path.exists(elsewhere))

    def test_replay_slots(self):
        g = self.gateway(config="[gateway]\nreplay_slots = 64\ngrace = 2\n" + UNLIMITED)
        pins = g.pins()
        payloads = dict(enumerate(self.seal(g, 70)))
        first = {n: payloads[n] for n in range(58)}
        self.assertEqual(set(g.post_all(first, window=1).values()), {OK})
        g.wait_for(rb"rotated: a new key is served: ML-KEM-512 generation 2")  # past 7/8 of 60 marks
        self.assertNotEqual(g.pins()[-1], pins[0])
        self.assertEqual(set(g.post_all(first).values()), {REPLAY})
        last = g.post_all({n: payloads[n] for n in range(58, 70)}, window=1)
        self.assertEqual([last[n] for n in range(58, 70)], [OK] * 2 + [AUTH_FAIL] * 10)
        g.wait_for(rb"forgotten: an old key was wiped: ML-KEM-512 generation 1")  # its grace is over
        self.assertEqual(set(g.post_all(payloads).values()), {AUTH_FAIL})
        self.assertEqual(g.stop(), DONE)


class State(Case):
    def test_start_and_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            g = self.gateway()
            self.assertEqual(g.stop(number), DONE)
            log = g.log().decode()
            self.assertIn(f"state in {self.state}\n", log)
            for n in SETS:
                self.assertRegex(log, rf"ML-KEM-{n} generation 1 larch1:[a-z2-7]{{32}}\n")
            self.assertEqual(g.lines(), [])

    def test_default_folder(self):
        for name, value, below in [("STATE_DIRECTORY", "a", ""), ("XDG_STATE_HOME", "b", "/larch"),
                                   ("HOME", "c", "/.local/state/larch")]:
            home = f"{self.folder.name}/{value}"
            g = subprocess.Popen([LARCH, "gateway", "--listen", "127.0.0.1:0"], env={name: home},
                                 stderr=subprocess.PIPE)
            while b"1024" not in g.stderr.readline():
                pass
            g.terminate()
            self.assertEqual(g.wait(20), DONE)
            g.stderr.close()
            self.assertTrue(os.path.exists(home + below + "/direct-512.key"))
        code, _, err = run("gateway", "--listen", "127.0.0.1:0", env={})
        self.assertEqual(code, FAILED)
        self.assertIn("--state DIR", err)

    def test_keys_persist(self):
        g = self.gateway()
        pins, key = g.pins(), g.key()
        self.assertEqual(g.stop(), DONE)
        g = self.gateway()
        self.assertEqual((g.pins(), g.key()), (pins, key))
        for n, pin in zip(SETS, pins):
            self.assertEqual(run("keys", "fingerprint", "--state", self.state, "--kem", str(n)), (DONE, pin + "\n", ""))

    def test_permissions(self):
        old = os.umask(0)
        try:
            self.gateway().stop()
        finally:
            os.umask(old)
        self.assertEqual(stat.S_IMODE(os.stat(self.state).st_mode), 0o700)
        for name in os.listdir(self.state):
            self.assertEqual(stat.S_IMODE(os.stat(f"{self.state}/{name}").st_mode), 0o600, name)

    def test_open_folder_is_refused(self):
        os.mkdir(self.state)
        os.chmod(self.state, 0o755)
        err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
        self.assertIn("chmod 700", err)
        self.assertEqual(os.listdir(self.state), [])

    def test_port_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            err = self.refused_start("--listen", f"127.0.0.1:{port}", "--state", self.state)
        one_line(self, err)
        self.assertIn(f"127.0.0.1:{port}", err)
        self.assertIn("--listen", err)
        self.assertFalse(os.path.exists(self.state))

    def test_state_in_use(self):
        g = self.gateway()
        err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
        one_line(self, err)
        self.assertIn(f"in use by process {g.child.pid}", err)
        self.assertEqual(g.stop(), DONE)

    def test_folder_cannot_be_made(self):
        for path in ["/proc/none/state", "/dev/null/state", "/dev/null"]:
            err = self.refused_start("--listen", "127.0.0.1:0", "--state", path)
            one_line(self, err)
            self.assertIn("/dev/null" if "null" in path else "/proc/none", err)

    def test_full_disk(self):
        if os.geteuid() != 0 or not os.path.isdir("/sys/fs"):
            self.skipTest("needs to mount")
        os.mkdir(self.state, 0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", self.state],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount")
        try:
            err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
            one_line(self, err)
            self.assertIn("No space left on device", err)
            self.assertIn("replay-512-1.log", err)
        finally:
            subprocess.run(["umount", self.state], check=True)

    def test_damage_is_named_and_left(self):
        g = self.gateway()
        g.post(self.seal(g, 1)[0], 1)
        self.assertEqual(g.stop(), DONE)
        with open(f"{self.state}/direct-768.key", "rb") as f:
            other = f.read()
        for name in ["direct-512.key", "direct-1024.key", "replay-512-1.log", "replay-768-1.log"]:
            path = f"{self.state}/{name}"
            with open(path, "rb") as f:
                sound = f.read()
            journal = name.endswith(".log")
            for what, content, word in [
                    ("foreign", b"Dear diary, this is not larch's." * 8, "not written by larch"),
                    ("flipped", sound[:20] + bytes([sound[20] ^ 1]) + sound[21:], "damaged"),
                    ("cut", sound[:-1] if journal else sound[:40], "cut short"),
                    ("empty", b"", ""),
                    ("other", other, "")]:
                with open(path, "wb") as f:
                    f.write(content)
                err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
                one_line(self, err)
                self.assertIn(path, err, what)
                self.assertIn(word, err, what)
                self.assertIn(name if journal and word else "", run("keys", "show", "--state", self.state)[2])
                with open(path, "rb") as f:
                    self.assertEqual(f.read(), content, what)
            with open(path, "wb") as f:
                f.write(sound)
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)

    def test_lost_journal_is_not_made_anew(self):
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)
        os.unlink(self.state + "/replay-512-1.log")
        err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
        self.assertIn("replay-512-1.log is not there", err)
        self.assertFalse(os.path.exists(self.state + "/replay-512-1.log"))

    def test_memory(self):
        with open(LARCH, "rb") as f:
            if b"__asan_init" in f.read():
                self.skipTest("sanitizers take memory of their own")
        g = self.gateway()
        answers = g.post_all(dict(enumerate(self.seal(g, 2000))))
        self.assertEqual(set(answers.values()), {OK})
        with open(f"/proc/{g.child.pid}/status") as f:
            kib = int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
        self.assertLess(kib, 10 * 1024)


class Keys(Case):
    def show(self):
        code, out, err = run("keys", "show", "--state", self.state, "--json")
        self.assertEqual((code, err), (DONE, ""))
        return [json.loads(line) for line in out.splitlines()]

    def test_no_state(self):
        for action in ("show", "fingerprint", "rotate"):
            code, out, err = run("keys", action, "--state", self.state)
            self.assertEqual((code, out), (FAILED, ""), action)
            self.assertIn("No such file", err)
            self.assertFalse(os.path.exists(self.state))
        os.mkdir(self.state, 0o700)
        for action in ("show", "fingerprint", "rotate"):
            code, out, err = run("keys", action, "--state", self.state)
            self.assertEqual((code, out), (FAILED, ""), action)
            self.assertIn("holds no ML-KEM-512 key", err)
            self.assertEqual(os.listdir(self.state), [])

    def test_show(self):
        g = self.gateway()
        for n, payload in enumerate(self.seal(g, 3)):
            self.assertEqual(g.post(payload, n), OK)
        for running in (True, False):
            sets = self.show()
            self.assertEqual([s["kem"] for s in sets], [f"ML-KEM-{n}" for n in SETS])
            self.assertEqual([s["fingerprint"] for s in sets], g.pins())
            self.assertEqual([(s["generation"], s["marks"], s["capacity"], s["old"]) for s in sets],
                             [(1, 3, 122880, None), (1, 0, 122880, None), (1, 0, 122880, None)])
            if running:
                self.assertEqual(g.stop(), DONE)
        self.assertIn("3 of 122880 marks", run("keys", "show", "--state", self.state)[1])

    def check_rotated(self, before, after):
        for old, new in zip(before, after):
            self.assertEqual(new["generation"], old["generation"] + 1)
            self.assertNotEqual(new["fingerprint"], old["fingerprint"])
            self.assertEqual(new["old"], {k: old[k] for k in ("generation", "fingerprint", "marks", "capacity")})
            self.assertEqual((new["marks"], new["capacity"]), (0, old["capacity"]))

    def test_rotate_offline(self):
        g = self.gateway(config="[gateway]\nreplay_slots = 1024\n" + UNLIMITED)
        payload = self.seal(g, 1)[0]
        self.assertEqual(g.post(payload, 1), OK)
        self.assertEqual(g.stop(), DONE)
        before = self.show()
        code, out, err = run("keys", "rotate", "--state", self.state)
        self.assertEqual(code, DONE, err)
        self.check_rotated(before, self.show())
        for s in self.show():
            self.assertIn(s["fingerprint"], out)
        g = self.gateway(config="[gateway]\nreplay_slots = 1024\n" + UNLIMITED)
        self.assertEqual(g.pins(), [s["fingerprint"] for s in self.show()])
        self.assertEqual(g.post(payload, 1), REPLAY)

    def test_rotate_online(self):
        g = self.gateway()
        payloads = self.seal(g, 2)
        self.assertEqual(g.post(payloads[0], 1), OK)
        before = self.show()
        code, out, err = run("keys", "rotate", "--state", self.state, "--json")
        self.assertEqual(code, DONE, err)
        self.assertIn("by the running gateway", err)
        self.check_rotated(before, self.show())
        self.assertEqual([json.loads(line)["generation"] for line in out.splitlines()], [2, 2, 2])
        self.assertEqual(g.post(payloads[0], 2), REPLAY)
        self.assertEqual(g.post(payloads[1], 3), OK)  # sealed to the old key, still within its grace
        self.assertEqual(g.stop(), DONE)

    def test_a_stranger_gets_no_signal(self):
        self.gateway().stop()
        holder = subprocess.Popen([sys.executable, "-c", f"""
import fcntl, os, sys, time
f = open({self.state + '/lock'!r}, "r+")
fcntl.flock(f, fcntl.LOCK_EX)
f.truncate(); f.write(str(os.getpid())); f.flush()
print(flush=True); time.sleep(60)"""], stdout=subprocess.PIPE)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        holder.stdout.readline()
        code, _, err = run("keys", "rotate", "--state", self.state)
        self.assertEqual(code, FAILED)
        self.assertIn("no gateway", err)
        self.assertIsNone(holder.poll())

    def test_grace_ends(self):
        g = self.gateway(config="[gateway]\ngrace = 1\n" + UNLIMITED)
        payload = self.seal(g, 1)[0]
        run("keys", "rotate", "--state", self.state)
        g.wait_for(rb"forgotten: an old key was wiped: ML-KEM-512 generation 1")
        self.assertEqual(g.post(payload, 1), AUTH_FAIL)
        self.assertIsNone(self.show()[0]["old"])
        self.assertFalse(os.path.exists(self.state + "/replay-512-1.log"))


class Messages(Case):
    def test_json(self):
        g = self.gateway("--json")
        for text in ["Hello", "w\u00f6rld \u20ac \U0001f332", "\"\\\n\t\x1b[2J", "\u202e", "x" * 470, ""]:
            self.assertEqual(self.send(g, text)[0], DONE)
            line = g.lines()[-1]
            self.assertTrue(all(b >= 0x20 for b in line))
            self.assertNotIn("\u202e".encode(), line)
            message = json.loads(line)
            self.assertEqual(list(message), ["time", "peer", "via", "kem", "text"])
            self.assertEqual((message["text"], message["via"], message["kem"]), (text, "direct", "ML-KEM-512"))
            self.assertRegex(message["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertRegex(message["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(self.send(g, b"a\xff\x80")[0], DONE)
        self.assertEqual(json.loads(g.lines()[-1])["text"], "a\xff\x80")
        self.assertEqual(json.loads(g.lines()[-1])["hex"], "61ff80")

    def test_plain(self):
        g = self.gateway()
        self.assertEqual(self.send(g, b"a\x1b[31m\\\xff\xc3\xb6")[0], DONE)
        self.assertRegex(g.lines()[-1], rb"^20\S+Z 127\.0\.0\.1:\d+ ML-KEM-512 a\\x1b\[31m\\\\\\xff\xc3\xb6$")

    def test_refusals(self):
        g = self.gateway()
        payload = self.seal(g, 1)[0]
        self.assertEqual(g.post(payload, 1), OK)
        self.assertEqual(g.post(payload, 2), REPLAY)
        self.assertEqual(g.post(payload[:-1] + bytes([payload[-1] ^ 1]), 3), REPLAY)  # by nonce and ciphertext
        self.assertEqual(g.post(payload[:100] + bytes([payload[100] ^ 1]) + payload[101:], 4), AUTH_FAIL)
        self.assertRegex(g.log(), rb"refused 127\.0\.0\.1:\d+ ML-KEM-512 replay: ")
        self.assertRegex(g.log(), rb"refused 127\.0\.0\.1:\d+ ML-KEM-512 auth: ")
        self.assertEqual(len(g.lines()), 1)

    def test_malformed_is_counted(self):
        g = self.gateway()
        begun = time.monotonic()
        for n in range(200):
            self.assertEqual(g.post(b"\x03\x00short", n), (0x80, b"BAD_LEN"))
        g.wait_for(rb"refused 199 times, the last from \S+ malformed: .* \(BAD_LEN\)\n")
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(g.log().count(b"malformed"), 2)

    def test_rate(self):
        g = self.gateway(config="[limits]\nprefix_rate = 1\nprefix_burst = 2\n")
        codes = [g.ask(request(POST, "pqkem-data", n, payload=b"\x03"))[0] for n in range(10)]
        codes += [g.ask(request(1, "pqkem-pk", n))[0] for n in range(10, 20)]
        self.assertIn(0x81, codes)
        g.wait_for(rb"rate: too many requests")
        self.assertEqual(self.send(g, "proven by an Echo")[0], DONE)

    def test_stdout_is_closed(self):
        read, write = os.pipe()
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)
        child = subprocess.Popen([LARCH, "gateway", "--listen", f"127.0.0.1:{g.address[1]}", "--state", self.state],
                                 stdout=write, stderr=g.err)
        self.addCleanup(child.kill)
        os.close(read)
        os.close(write)
        time.sleep(0.3)
        payload = self.seal(g, 1)[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.sendto(request(POST, "pqkem-data", 9, payload=payload), g.address)
            with self.assertRaises(OSError):  # what cannot be printed is not answered
                s.recv(100)
        self.assertEqual(child.wait(10), FAILED)
        self.assertIn(b"stdout: Broken pipe", g.log())

    def unlimited(self):
        with open(self.folder.name + "/unlimited", "w") as settings:
            settings.write(UNLIMITED)
        return settings.name

    def test_readers_stand_still(self):
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)
        settings = self.unlimited()
        for read_in_the_end in (True, False):
            (out, write), (err, write_err) = os.pipe(), os.pipe()
            fcntl.fcntl(write_err, fcntl.F_SETPIPE_SZ, 4096)
            child = subprocess.Popen([LARCH, "gateway", "--listen", f"127.0.0.1:{g.address[1]}", "--config",
                                      settings, "--state", self.state, "--durability", "process"],
                                     stdout=write, stderr=write_err)
            self.addCleanup(child.kill)
            os.close(write)
            os.close(write_err)
            while b"ML-KEM-1024" not in os.read(err, 4096):
                pass
            # More lines than a pipe holds, of messages and of talk, and still everyone is answered.
            answers = g.post_all(dict(enumerate(self.seal(g, 3000))))
            self.assertEqual((len(answers), set(answers.values())), (3000, {OK}))
            for i in range(40):
                child.send_signal(signal.SIGUSR1)
                self.assertEqual(g.post(bytes(40), 4000 + i)[0], 0x80)
            child.send_signal(signal.SIGTERM)
            with open(out, "rb") as lines, open(err, "rb") as talk:
                if read_in_the_end:
                    self.assertEqual(len(lines.read().splitlines()), 3000)
                    self.assertEqual(child.wait(20), DONE)
                else:
                    self.assertEqual(child.wait(20), FAILED)
                    self.assertLess(lines.read().count(b"\n"), 3000)

    def test_lines_lost_at_the_end_are_counted(self):
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)
        out, write = os.pipe()
        g.child = subprocess.Popen([LARCH, "gateway", "--listen", f"127.0.0.1:{g.address[1]}", "--config",
                                    self.unlimited(), "--state", self.state], stdout=write, stderr=g.err)
        os.close(write)
        g.err.truncate(0)
        g.wait_for(rb"ML-KEM-1024 generation")
        self.assertEqual(set(g.post_all(dict(enumerate(self.seal(g, 2000)))).values()), {OK})
        self.assertEqual(g.stop(), FAILED)
        lost = int(re.search(rb"stdout is read too slowly: (\d+) lines dropped", g.log())[1])
        with open(out, "rb") as lines:
            seen = lines.read().split(b"\n")
        self.assertEqual(len(seen) - 1 + lost, 2000)

    def test_display(self):
        g = self.gateway("--display")
        time.sleep(0.2)
        screen = b"\n".join(g.lines()).decode()
        self.assertIn("waiting for a message", screen)
        self.assertNotIn("\x1b", screen)
        self.assertEqual(self.send(g, "Pump 3: all's well,\x1b and no more to say")[0], DONE)
        screen = "\n".join(line.decode() for line in g.lines()[-11:])
        self.assertIn("| Pump 3: all's well,?  |", screen)
        self.assertIn("| and no more to say    |", screen)
        self.assertIn("(*) green: accepted", screen)
        g.post(b"\x03" * 900, 5)
        time.sleep(0.2)
        screen = "\n".join(line.decode() for line in g.lines()[-11:])
        self.assertIn("red: refused, malformed", screen)
        self.assertIn("Pump 3", screen)

    def test_several_sockets(self):
        g = self.gateway("--listen", "[::1]:0", "--json")
        ports = re.findall(rb"listening on (\S+):(\d+)", g.log())
        self.assertEqual([host for host, _ in ports], [b"127.0.0.1", b"[::1]"])
        for host, port in ports:
            g.uri = f"coap://{host.decode()}:{port.decode()}"
            self.assertEqual(self.send(g, "to " + host.decode())[0], DONE)
            self.assertEqual(json.loads(g.lines()[-1])["text"], "to " + host.decode())

    def test_answers_leave_from_where_they_were_asked(self):
        g = self.gateway(listen="[::]:0")
        for host in ("127.0.0.1", "127.0.0.2", "127.9.8.7"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.sendto(request(1, "pqkem-pk", 1), (host, g.address[1]))
                self.assertEqual(s.recvfrom(2048)[1], (host, g.address[1]))


class Demo(Case):
    def setUp(self):
        super().setUp()
        self.tmp = self.folder.name + "/tmp"
        os.mkdir(self.tmp)
        self.more = {"cwd": self.folder.name, "env": {**os.environ, "TMPDIR": self.tmp}}

    def test_demo(self):
        code, out, err = run("demo", timeout=60, **self.more)
        self.assertEqual((code, err), (DONE, ""), out)
        self.assertEqual(out.count("\u2713"), 7, out)
        self.assertNotIn("\u2717", out)
        self.assertLessEqual(out.count("\n"), 48)
        self.assertLessEqual(max(map(len, out.splitlines())), 100)
        self.assertEqual(os.listdir(self.tmp), [])
        with open(self.folder.name + "/demo.pcapng", "rb") as f:
            self.assertEqual(f.read(4), b"\x0a\x0d\x0d\x0a")

    def test_no_folder(self):
        self.more["env"]["TMPDIR"] = self.folder.name + "/none"
        code, _, err = run("demo", **self.more)
        self.assertEqual(code, FAILED)
        one_line(self, err)
        self.assertIn("TMPDIR", err)

    def test_capture_cannot_be_written(self):
        os.mkdir(self.folder.name + "/demo.pcapng")
        code, out, _ = run("demo", **self.more)
        self.assertEqual(code, FAILED)
        self.assertEqual(out.count("\u2717"), 1, out)
        self.assertEqual(os.listdir(self.tmp), [])

    def test_interrupted(self):
        for i, number in enumerate([signal.SIGINT, signal.SIGTERM] * 6):
            p = subprocess.Popen([LARCH, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.more)
            time.sleep(0.01 * i)
            p.send_signal(number)
            _, err = p.communicate(timeout=20)
            self.assertEqual(os.listdir(self.tmp), [], err)
            self.assertIn(p.returncode, (DONE, FAILED, -number), err)  # it may not have begun, or be at its end
            self.assertEqual(p.returncode == FAILED, b"interrupted" in err)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
