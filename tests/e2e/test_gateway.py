#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch gateway, keys and demo as a user has them: state, exit codes, what is printed.

usage: test_gateway.py LARCH SEALER SOURCE_FOLDER [unittest arguments]
"""
import fcntl
import json
import mmap
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

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import OK, POST, REPLAY, UNLIMITED, GatewayCase, request  # noqa: E402

LARCH, SEALER, SOURCE = (os.path.abspath(a) for a in sys.argv[1:4])
DONE, FAILED, USAGE = range(3)
AUTH_FAIL = (0x80, b"AUTH_FAIL")
COMMANDS = ["gateway", "send", "device", "discover", "sniff", "oled", "keys", "bench", "demo"]
SETS = [512, 768, 1024, "xwing"]
NAMES = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "X-Wing"]


def run(*arguments, timeout=60, **more):
    """Runs larch to its end: (exit code, stdout, stderr)."""
    p = subprocess.run([LARCH, *arguments], capture_output=True, timeout=timeout, **more)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def private(path, flags):
    return os.open(path, flags, 0o600)


def lends_zeros():
    """Whether the pages of fresh memory that a process only reads are one page of zeros, and count for nobody."""
    def own():
        with open("/proc/self/status") as f:
            return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])

    with mmap.mmap(-1, 8 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        before = own()
        read = sum(memory[at] for at in range(0, len(memory), mmap.PAGESIZE))
        return own() - before < len(memory) >> 11 and read == 0


def one_line(case, text):
    case.assertEqual(text.count("\n"), 1, text)


class Case(GatewayCase):
    larch, sealer = LARCH, SEALER

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
        for words in (["-V"], ["--vers"], ["--version", "gateway"]):
            self.assertEqual(run(*words), run("--version"))

    def test_ways_to_the_help(self):
        for words in (["-h"], ["help"], ["--he"]):
            self.assertEqual(run(*words), run("--help"))
        for command in COMMANDS:
            for words in (["help", command], [command, "-h"], [command, "--he"]):
                self.assertEqual(run(*words), run(command, "--help"))
        self.assertEqual(run("help", "help"), run("help", "--help"))
        self.assertTrue(run("help", "help")[1].startswith("Usage: larch help [COMMAND]\n"))

    def test_did_you_mean(self):
        for words, who, what in ((["gatewya"], "larch", "command 'gatewya'; did you mean 'gateway'?"),
                                 (["gate"], "larch", "command 'gate'; did you mean 'gateway'?"),
                                 (["hepl"], "larch", "command 'hepl'; did you mean 'help'?"),
                                 (["help", "sned"], "larch", "command 'sned'; did you mean 'send'?"),
                                 (["--versoin"], "larch", "option '--versoin'; did you mean '--version'?"),
                                 (["gateway", "--lisen", "x"], "larch gateway", "'--lisen'; did you mean '--listen'?"),
                                 (["sniff", "--alert-only"], "larch sniff", "unknown option '--alert-only'\n"),
                                 (["nope"], "larch", "there is no command 'nope'\n"),
                                 (["gateway", "--d"], "larch gateway", "may be any of --display, --durability\n")):
            code, out, err = run(*words)
            self.assertEqual((code, out), (USAGE, ""), words)
            self.assertTrue(err.startswith(who + ": "), err)
            self.assertIn(what, err)
            self.assertTrue(err.endswith(f"\nTry '{who} --help'.\n"), err)
            self.assertEqual(err.count("\n"), 2)

    def test_usage(self):
        for arguments in [[], ["nope"], ["--nope"], [""], ["gatewa"], ["gateway", "--nope"], ["gateway", "x"],
                          ["gateway", "--listen"], ["gateway", "--listen", "nowhere:1:2"],
                          ["gateway", "--durability", "some"], ["gateway", "--state", ""],
                          ["gateway"] + ["--listen", "127.0.0.1:0"] * 5,
                          ["keys"], ["keys", "nope"], ["keys", "show", "--kem", "5"], ["keys", "rotate", "--kem", "512"],
                          ["demo", "x"]]:
            # On a machine where no gateway ever ran there is no state folder.
            code, out, err = run(*arguments, env={"HOME": "/nonexistent"})
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
                                 ("[limits]\nprefix_rate = 0\n", 2, "prefix_rate"), ("[limits]\naddresses = 5000\n", 2, "power of two"), ("[gateway]\nhello\n", 2, "neither"),
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

    def test_what_is_no_file(self):
        code, out, err = run("gateway", "--config", self.folder.name)
        self.assertEqual((code, out), (USAGE, ""))
        self.assertIn(f"{self.folder.name}: Is a directory", err)
        self.assertNotIn("listening", err)
        code, _, err = run("gateway", "--config", "/proc/self/mem")  # it can be opened, and not be read
        self.assertEqual(code, USAGE)
        self.assertIn("/proc/self/mem: ", err)

    def test_systemd_names_the_folder(self):
        def start(**environment):
            return subprocess.run([LARCH, "gateway", "--state", "/proc/none", "--listen", "127.0.0.1:0"], timeout=20,
                                  env=dict(os.environ, **environment), capture_output=True, text=True, check=False)

        folder = self.folder.name
        self.assertEqual(start(CONFIGURATION_DIRECTORY=folder).returncode, FAILED)  # none is there
        with open(folder + "/gateway.ini", "w") as f:
            f.write("[gateway]\nnonsense = 1\n")
        for value in (folder, folder + ":/elsewhere"):
            done = start(CONFIGURATION_DIRECTORY=value)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn(f"{folder}/gateway.ini:2: ", done.stderr)
        self.assertEqual(start(CONFIGURATION_DIRECTORY="").returncode, FAILED)

    def test_reload(self):
        path = self.folder.name + "/gateway.ini"

        def write(text):
            with open(path, "w") as f:
                f.write(text)

        write("[gateway]\nlisten = 127.0.0.1:0\n[limits]\ntotal_rate = 1\ntotal_burst = 2\n")
        log = tempfile.TemporaryFile("w+b")
        self.addCleanup(log.close)
        child = subprocess.Popen([LARCH, "gateway", "--state", self.state, "--config", path], stderr=log,
                                 stdout=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)

        def wait_for(pattern, seconds=20):
            end = time.monotonic() + seconds
            while not (found := re.search(pattern, os.pread(log.fileno(), 1 << 20, 0))):
                self.assertLess(time.monotonic(), end, os.pread(log.fileno(), 1 << 20, 0))
                time.sleep(0.01)
            return found

        address = ("127.0.0.1", int(wait_for(rb"listening on \S*:(\d+)[\s\S]*X-Wing generation \d+ \S+\n")[1]))

        def codes(first):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                return [s.sendto(request(POST, "pqkem-data", n, payload=b"\x03"), address) and s.recv(2048)[1]
                        for n in range(first, first + 20)]

        self.assertIn(0x81, codes(0))
        write("[gateway]\nlisten = 127.0.0.1:1\nreplay_slots = 64\ngrace = 5\n[limits]\naddresses = 64\n"
              "total_rate = 100000\ntotal_burst = 100000\nprefix_rate = 100000\nprefix_burst = 100000\n")
        child.send_signal(signal.SIGHUP)
        wait_for(rb"changed: prefix_rate, prefix_burst, total_rate, total_burst\n")
        wait_for(rb"a restart is needed for: listen, replay_slots, grace, addresses\n")
        end, first = time.monotonic() + 10, 100
        while set(codes(first)) != {0x80}:  # what was used of the old limits stays used
            self.assertLess(time.monotonic(), end)
            first += 20
            time.sleep(0.2)
        write("[limits]\ntotal_rate = never\n")
        child.send_signal(signal.SIGHUP)
        wait_for(re.escape(path.encode()) + rb":2: .*total_rate.*; nothing was changed\n")
        self.assertEqual(set(codes(10000)), {0x80})
        child.terminate()
        self.assertEqual(child.wait(20), DONE)

    def test_unit(self):
        with open(SOURCE + "/docs/larch-gateway.service") as f:
            unit = f.read()
        for line in ("ConfigurationDirectory=larch", "ExecReload=/bin/kill -HUP $MAINPID", "RestartPreventExitStatus=2 3"):
            self.assertIn("\n" + line + "\n", unit)

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
            for name in NAMES:
                self.assertRegex(log, rf"{name} generation 1 larch1:[a-z2-7]{{32}}\n")
            self.assertEqual(g.lines(), [])

    def test_default_folder(self):
        for name, value, below in [("STATE_DIRECTORY", "a", ""), ("XDG_STATE_HOME", "b", "/larch"),
                                   ("HOME", "c", "/.local/state/larch")]:
            home = f"{self.folder.name}/{value}"
            g = subprocess.Popen([LARCH, "gateway", "--listen", "127.0.0.1:0"], env={name: home},
                                 stderr=subprocess.PIPE)
            while b"X-Wing" not in g.stderr.readline():
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
        if not lends_zeros():
            self.skipTest("on this kernel memory that was only read takes pages too")
        g = self.gateway()
        answers = g.post_all(dict(enumerate(self.seal(g, 2000))))
        self.assertEqual(set(answers.values()), {OK})
        with open(f"/proc/{g.child.pid}/status") as f:
            status = f.read()
        # Its own, and with the pages of libraries that differ between systems.
        for name, most in (("RssAnon", 6), ("VmHWM", 16)):
            self.assertLess(int(re.search(name + r":\s+(\d+)", status)[1]), most * 1024, name)


class OldFolder(Case):
    """A state folder of format 1, as tests/format_1_folder.h describes it."""
    PRESENT = "larch1:fwyulmolrvhmvo3i3vqig6hxccf4txdx"

    def setUp(self):
        super().setUp()
        self.old = {}
        os.mkdir(self.state, 0o700)
        for name in os.listdir(SOURCE + "/tests/format_1"):
            with open(f"{SOURCE}/tests/format_1/{name}", encoding="ascii") as f:
                self.old[name.removesuffix(".hex")] = bytes.fromhex(f.read())
        self.sealed = [self.old.pop("accepted-by-previous"), self.old.pop("accepted-by-present")]
        for name, content in self.old.items():
            with open(f"{self.state}/{name}", "wb", opener=private) as f:
                f.write(content)

    def content(self):
        content = {}
        for name in os.listdir(self.state):
            with open(f"{self.state}/{name}", "rb") as f:
                content[name] = f.read()
        content.pop("lock", None)
        return content

    def test_gateway_moves_it(self):
        g = self.gateway()
        self.assertIn(b"its 9 files were moved to the present format", g.log())
        self.assertIn(self.PRESENT, g.pins())
        self.assertEqual([g.post(s, n) for n, s in enumerate(self.sealed)], [REPLAY] * 2)
        self.assertEqual(g.post(self.seal(g, 1)[0], 9), OK)
        self.assertEqual(g.stop(), DONE)
        content = self.content()
        for name, old in self.old.items():
            self.assertEqual(content[name + ".v1"], old, name)
            self.assertEqual(content[name][4], 2, name)
        g = self.gateway()
        self.assertNotIn(b"moved", g.log())
        self.assertEqual(run("keys", "rotate", "--state", self.state)[0], DONE)
        self.assertEqual(g.stop(), DONE)
        self.assertEqual([n for n in self.content() if n.endswith(".v1")], [])

    def test_keys(self):
        for action in ("show", "fingerprint"):
            code, out, err = run("keys", action, "--state", self.state)
            self.assertEqual((code, out), (FAILED, ""))
            one_line(self, err)
            self.assertIn("'larch gateway' moves the folder to the present format", err)
            self.assertEqual(self.content(), self.old)
        code, _, err = run("keys", "rotate", "--state", self.state)
        self.assertEqual(code, DONE, err)
        self.assertNotIn("direct-512.key.v1", self.content())
        code, out, _ = run("keys", "show", "--state", self.state)
        self.assertEqual(code, DONE)
        self.assertIn(self.PRESENT, out)  # the old key now

    def test_lost_head(self):
        self.assertEqual(self.gateway().stop(), DONE)
        for name in [n for n in self.content() if n.endswith(".v1")]:
            os.unlink(f"{self.state}/{name}")
        for what, content in [("is not there", None), ("not written by larch", b"Dear diary"), ("cut short", b"")]:
            os.unlink(self.state + "/state.head")
            if content is not None:
                with open(self.state + "/state.head", "wb", opener=private) as f:
                    f.write(content)
            before = self.content()
            err = self.refused_start("--listen", "127.0.0.1:0", "--state", self.state)
            one_line(self, err)
            self.assertIn("state.head", err)
            self.assertIn(what, err)
            for action in ("show", "rotate"):
                code, _, err = run("keys", action, "--state", self.state)
                self.assertEqual(code, FAILED)
                self.assertIn(f"state.head {what}" if content is None else what, err)
            self.assertEqual(self.content(), before)
            if content is None:
                with open(self.state + "/state.head", "wb", opener=private):
                    pass


class Keys(Case):
    def show(self):
        code, out, err = run("keys", "show", "--state", self.state, "--json")
        self.assertEqual((code, err), (DONE, ""))
        identity, *sets = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(list(identity), ["identity"])
        return sets

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
            self.assertEqual([s["kem"] for s in sets], NAMES)
            self.assertEqual([s["fingerprint"] for s in sets], g.pins())
            self.assertEqual([(s["generation"], s["marks"], s["capacity"], s["old"]) for s in sets],
                             [(1, 3, 122880, None)] + 3 * [(1, 0, 122880, None)])
            if running:
                self.assertEqual(g.stop(), DONE)
        self.assertIn("3 of 122880 marks", run("keys", "show", "--state", self.state)[1])

    def test_fingerprint(self):
        g = self.gateway()
        identity = g.wait_for(rb"(?m)^identity (larch2:\w{32})$")[1].decode()
        expected = [identity] + [f"{pin}  {name}" for pin, name in zip(g.pins(), NAMES)]
        code, out, err = run("keys", "fingerprint", "--state", self.state)
        self.assertEqual((code, out.splitlines(), err), (DONE, expected, ""))
        code, out, err = run("keys", "fingerprint", "--state", self.state, "--json")
        self.assertEqual([json.loads(line) for line in out.splitlines()],
                         [{"identity": identity}] + [{"kem": n, "fingerprint": p} for p, n in zip(g.pins(), NAMES)])
        self.assertEqual(run("keys", "show", "--state", self.state)[1].splitlines()[0], identity)
        self.assertEqual(run("keys", "rotate", "--state", self.state)[0], DONE)
        code, out, err = run("keys", "fingerprint", "--state", self.state)
        self.assertEqual(out.splitlines()[0], identity)
        self.assertFalse(set(out.splitlines()[1:]) & set(expected))
        self.assertEqual(g.stop(), DONE)
        with open(self.state + "/identity.key", "r+b") as f:
            f.seek(60)
            f.write(b"\0\1\2")
        code, out, err = run("keys", "fingerprint", "--state", self.state)
        self.assertEqual((code, out), (FAILED, ""))
        self.assertIn("identity.key is damaged", err)

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
        self.assertEqual([json.loads(line)["generation"] for line in out.splitlines()], [2, 2, 2, 2])
        self.assertEqual(g.post(payloads[0], 2), REPLAY)
        self.assertEqual(g.post(payloads[1], 3), OK)  # sealed to the old key, still within its grace
        self.assertEqual(g.stop(), DONE)

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
        number, ids = 0, set()
        for text in ["Hello", "w\u00f6rld \u20ac \U0001f332", "\"\\\n\t\x1b[2J", "\u202e", "x" * 470, ""]:
            self.assertEqual(self.send(g, text)[0], DONE)
            number += 1
            line = g.lines(number)[-1]
            self.assertTrue(all(b >= 0x20 for b in line))
            self.assertNotIn("\u202e".encode(), line)
            message = json.loads(line)
            self.assertEqual(list(message), ["time", "peer", "via", "kem", "text", "id"])
            self.assertEqual((message["text"], message["via"], message["kem"]), (text, "direct", "ML-KEM-512"))
            self.assertRegex(message["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertRegex(message["peer"], r"^127\.0\.0\.1:\d+$")
            self.assertRegex(message["id"], r"^D020000000001[0-9a-f]{16}$")  # set, generation, mark
            ids.add(message["id"])
        self.assertEqual(len(ids), number)
        self.assertEqual(self.send(g, b"a\xff\x80")[0], DONE)
        self.assertEqual(json.loads(g.lines(number + 1)[-1])["text"], "a\xff\x80")
        self.assertEqual(json.loads(g.lines()[-1])["hex"], "61ff80")

    def test_plain(self):
        g = self.gateway()
        self.assertEqual(self.send(g, b"a\x1b[31m\\\xff\xc3\xb6")[0], DONE)
        self.assertRegex(g.lines(1)[-1], rb"^20\S+Z 127\.0\.0\.1:\d+ ML-KEM-512 a\\x1b\[31m\\\\\\xff\xc3\xb6$")

    def test_refusals(self):
        g = self.gateway()
        payload = self.seal(g, 1)[0]
        self.assertEqual(g.post(payload, 1), OK)
        self.assertEqual(g.post(payload, 2), REPLAY)
        for mid, at in enumerate(range(6, len(payload), 11), 3):  # a mark is made of nonce and 32 bytes of ciphertext
            altered = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1:]
            self.assertEqual(g.post(altered, mid), AUTH_FAIL if at < 18 + 32 else REPLAY, at)
        g.wait_for(rb"refused 127\.0\.0\.1:\d+ ML-KEM-512 replay: ")
        g.wait_for(rb"refused 127\.0\.0\.1:\d+ ML-KEM-512 auth: ")
        self.assertEqual(len(g.lines(1)), 1)

    def test_json_covers_refusals_rotations_and_totals(self):
        g = self.gateway("--json")
        payload = self.seal(g, 1)[0]
        self.assertEqual((g.post(payload, 1), g.post(payload, 2)), (OK, REPLAY))
        for n in range(3, 103):
            g.post(b"\x03\x00short", n)
        g.wait_for(rb'"malformed","count":99')
        subprocess.run([LARCH, "keys", "rotate", "--state", self.state], check=True, capture_output=True)
        self.assertEqual(g.stop(), DONE)
        events = [json.loads(line) for line in g.log().splitlines() if line.startswith(b"{")]
        self.assertNotIn(b" refused ", g.log())
        for event in events:
            self.assertRegex(event["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        kinds = {e["event"]: e for e in events}
        replay = kinds["replay"]
        self.assertEqual((replay["count"], replay["kem"], replay["reason"]),
                         (1, "ML-KEM-512", "these bytes were accepted before"))
        self.assertRegex(replay["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual([(e["count"], e["detail"]) for e in events if e["event"] == "malformed"],
                         [(1, "BAD_LEN"), (99, "BAD_LEN")])
        self.assertEqual([(e["kem"], e["generation"]) for e in events if e["event"] == "rotated"],
                         [(kem, 2) for kem in ("ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "X-Wing")])
        self.assertRegex(kinds["rotated"]["fingerprint"], r"^larch1:[a-z2-7]{32}$")
        totals = events[-1]
        self.assertEqual((totals["event"], totals["accepted"], totals["replay"], totals["malformed"], totals["rotated"]),
                         ("totals", 1, 1, 100, 4))

    def test_malformed_is_counted(self):
        g = self.gateway()
        begun = time.monotonic()
        for n in range(200):
            self.assertEqual(g.post(b"\x03\x00short", n), (0x80, b"BAD_LEN"))
        g.wait_for(rb"refused 199 times, the last from \S+ malformed: .* \(BAD_LEN\)\n")
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(g.log().count(b"malformed"), 2)

    def test_rate(self):
        g = self.gateway(config="[limits]\ntotal_rate = 1\ntotal_burst = 2\n")
        codes = [g.ask(request(POST, "pqkem-data", n, payload=b"\x03"))[0] for n in range(10)]
        codes += [g.ask(request(1, "pqkem-pk", n))[0] for n in range(10, 20)]
        self.assertIn(0x81, codes)
        g.wait_for(rb"rate: too many requests")
        self.assertEqual(self.send(g, "proven by an Echo")[0], DONE)

    def test_stdout_is_closed(self):
        g, read = self.gateway_at_pipe()
        payloads = self.seal(g, 20)
        self.assertEqual(g.post(payloads[0], 0), OK)
        os.read(read, 4096)
        os.close(read)
        for n in range(1, 10):  # what cannot be printed now is stored, and answered
            self.assertEqual(g.post(payloads[n], n), OK)
        g.wait_for(rb"stdout has no reader any more; messages wait in the outbox for the next start\n")
        self.assert_idle(g)
        begun = time.monotonic()
        self.assertEqual(g.stop(), DONE)
        self.assertLess(time.monotonic() - begun, 1.9)  # there is nobody to wait for
        self.assertEqual(g.log().count(b"no reader"), 1)
        self.assertIn(b"messages that wait in the outbox for a reader of stdout: 9\n", g.log())
        g = self.gateway()
        texts = [re.search(rb"m\d{9}( \(repeat\))?$", line) for line in g.lines(9)]
        self.assertEqual([t[0][:10] for t in texts], [f"m{n:09}".encode() for n in range(1, 10)])
        self.assertEqual({n: a for n, a in g.post_all(dict(enumerate(payloads))).items() if a != OK},
                         {n: REPLAY for n in range(10)})
        self.assertEqual(len(g.lines(19)), 19)
        self.assertEqual(g.stop(), DONE)

    def assert_idle(self, gateway, seconds=0.5):
        """It waits, and does not poll something that is always ready."""
        def ticks():
            with open(f"/proc/{gateway.child.pid}/stat") as f:
                return sum(int(field) for field in f.read().rsplit(")", 1)[1].split()[11:13])
        before = ticks()
        time.sleep(seconds)
        self.assertLess(ticks() - before, seconds * os.sysconf("SC_CLK_TCK") / 4)

    def test_stdout_was_never_open(self):
        g = self.gateway()
        payload = self.seal(g, 1)[0]
        self.assertEqual(g.stop(), DONE)
        with open(self.folder.name + "/err", "w+b") as err:
            child = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&- >&-', LARCH, "gateway", "--listen",
                                      f"127.0.0.1:{g.address[1]}", "--state", self.state], stderr=err)
            self.addCleanup(child.kill)
            g.err.close()
            g.err, g.child = err, child
            g.wait_for(rb"X-Wing generation")
            self.assertEqual(g.post(payload, 1), OK)
            g.wait_for(rb"stdout: Bad file descriptor; messages wait in the outbox\n")
            self.assert_idle(g)
            self.assertEqual(g.stop(), DONE)
            self.assertEqual(g.log().count(b"Bad file descriptor"), 1)
        g = self.gateway()
        self.assertTrue(g.lines(1)[0].endswith(b" m000000000"))
        self.assertEqual(g.stop(), DONE)

    def test_stdout_is_a_socket_or_a_terminal(self):
        for make in (socket.socketpair, os.openpty):
            near, far = make()
            g = self.gateway("--json", stdout=far)
            (os.close if make is os.openpty else socket.socket.close)(far)
            payloads = self.seal(g, 200)
            self.assertEqual(set(g.post_all(dict(enumerate(payloads))).values()), {OK})
            read = near.recv if make is socket.socketpair else lambda n, fd=near: os.read(fd, n)
            got = b""
            while got.count(b"\n") < 200:
                got += read(65536)
            self.assertEqual(sorted(json.loads(line)["text"] for line in got.splitlines()),
                             [f"m{n:09}" for n in range(200)])
            self.assert_idle(g)
            self.assertEqual(g.stop(), DONE)
            self.assertNotIn(b"messages that wait", g.log())
            (os.close if make is os.openpty else socket.socket.close)(near)

    def test_readers_stand_still(self):
        for read_in_the_end in (True, False):
            (out, write), (err, write_err) = os.pipe(), os.pipe()
            fcntl.fcntl(write_err, fcntl.F_SETPIPE_SZ, 4096)
            first = self.gateway()  # for its port
            self.assertEqual(first.stop(), DONE)
            with open(self.folder.name + "/unlimited", "w") as settings:
                settings.write(UNLIMITED)
            child = subprocess.Popen([LARCH, "gateway", "--listen", f"127.0.0.1:{first.address[1]}", "--config",
                                      settings.name, "--state", self.state, "--durability", "process"],
                                     stdout=write, stderr=write_err)
            self.addCleanup(child.kill)
            os.close(write)
            os.close(write_err)
            while b"X-Wing" not in os.read(err, 4096):
                pass
            # More lines than a pipe holds, of messages and of talk, and still everyone is answered.
            answers = first.post_all(dict(enumerate(self.seal(first, 3000))))
            self.assertEqual((len(answers), set(answers.values())), (3000, {OK}))
            for i in range(40):
                self.assertEqual(run("keys", "rotate", "--state", self.state)[0], DONE)
                self.assertEqual(first.post(bytes(40), 4000 + i)[0], 0x80)
            child.send_signal(signal.SIGTERM)
            with open(out, "rb") as lines, open(err, "rb") as talk:
                if read_in_the_end:
                    self.assertEqual(len(lines.read().splitlines()), 3000)
                    self.assertEqual(child.wait(20), DONE)
                else:
                    self.assertEqual(child.wait(20), DONE)
                    self.assertLess(lines.read().count(b"\n"), 3000)
        g = self.gateway()
        self.assertEqual(len(g.lines(3000)), 3000)  # none of them was read in time
        self.assertEqual(g.stop(), DONE)

    def test_a_reader_pauses(self):
        """Without more traffic: what waits in the outbox follows as the reader takes what is in the pipe."""
        g, read = self.gateway_at_pipe()
        self.assertEqual(set(g.post_all(dict(enumerate(self.seal(g, 3000)))).values()), {OK})
        time.sleep(0.5)
        lines = b""
        while lines.count(b"\n") < 3000:
            lines += os.read(read, 1 << 16)
        self.assertNotIn(b"(repeat)", lines)
        self.assertEqual(len(set(lines.splitlines())), 3000)
        self.assertEqual(g.stop(), DONE)
        self.assertNotIn(b"messages that wait", g.log())
        os.close(read)

    def test_an_unread_pipe_at_the_end(self):
        g, read = self.gateway_at_pipe()
        self.assertEqual(set(g.post_all(dict(enumerate(self.seal(g, 2000)))).values()), {OK})
        begun = time.monotonic()
        self.assertEqual(g.stop(), DONE)
        self.assertLess(time.monotonic() - begun, 5)  # two seconds for the reader
        waiting = int(re.search(rb"messages that wait in the outbox for a reader of stdout: (\d+)\n", g.log())[1])
        with open(read, "rb") as lines:
            held = lines.read().splitlines()
        self.assertEqual(waiting, 2000)  # nothing was read by then, and what the pipe holds may be lost
        g = self.gateway()
        again = g.lines(2000)
        self.assertEqual(len(again), 2000)
        marked = [line for line in again if line.endswith(b" (repeat)")]
        self.assertEqual(marked, again[:len(marked)])
        self.assertEqual([m[:-9] for m in marked], held)  # those that the pipe held, and no others
        self.assertEqual(g.stop(), DONE)

    def await_screen(self, gateway, words, seconds=20):
        """The display that stands there now, when it shows the words."""
        end = time.monotonic() + seconds
        while words not in (screen := b"\n".join(gateway.lines()[-11:]).decode()):
            self.assertLess(time.monotonic(), end, screen)
            time.sleep(0.01)
        return screen

    def test_display(self):
        g = self.gateway("--display")
        self.assertNotIn("\x1b", self.await_screen(g, "waiting for a message"))
        self.assertEqual(self.send(g, "Pump 3: all's well,\x1b and no more to say")[0], DONE)
        screen = self.await_screen(g, "(*) green: accepted")
        self.assertIn("| Pump 3: all's well,?  |", screen)
        self.assertIn("| and no more to say    |", screen)
        g.post(b"\x03" * 900, 5)
        self.assertIn("Pump 3", self.await_screen(g, "red: refused, malformed"))

    def test_several_sockets(self):
        g = self.gateway("--listen", "[::1]:0", "--json")
        ports = re.findall(rb"listening on (\S+):(\d+)", g.log())
        self.assertEqual([host for host, _ in ports], [b"127.0.0.1", b"[::1]"])
        for host, port in ports:
            g.uri = f"coap://{host.decode()}:{port.decode()}"
            self.assertEqual(self.send(g, "to " + host.decode())[0], DONE)
            self.assertEqual(json.loads(g.lines(ports.index((host, port)) + 1)[-1])["text"], "to " + host.decode())

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
        self.assertEqual(out.count("\u2713"), 15, out)
        self.assertNotIn("\u2717", out)
        self.assertIn("3 readings sent, 3 stored, each once", out)
        self.assertIn("OSCORE kid 03, Partial IV 01", out)
        self.assertIn("the session was renewed", out)
        self.assertIn("valve-3 sleeps: command 2 is queued", out)
        self.assertIn("could not prove that it is the gateway", out)
        self.assertLessEqual(out.count("\n"), 128)
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
        after_s = [0.01 * i for i in range(12)] + [0.4, 0.8, 1.2, 2, 2.8, 3.4]  # the last ones in the session, its crash, and the handshakes
        for i, wait_s in enumerate(after_s):
            number = (signal.SIGINT, signal.SIGTERM)[i % 2]
            p = subprocess.Popen([LARCH, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.more)
            time.sleep(wait_s)
            p.send_signal(number)
            _, err = p.communicate(timeout=20)
            self.assertEqual(os.listdir(self.tmp), [], err)
            self.assertIn(p.returncode, (DONE, FAILED, -number), err)  # it may not have begun, or be at its end
            self.assertEqual(p.returncode == FAILED, b"interrupted" in err)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    skips.main(argv=[sys.argv[0], *sys.argv[4:]])
