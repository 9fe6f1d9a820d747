#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway and its devices as a user has them: readings, requests to devices, restarts of either side, and what each
program says when something is wrong.

usage: test_device.py LARCH [unittest arguments]
"""
import datetime
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import UNLIMITED, GatewayCase  # noqa: E402

LARCH = os.path.abspath(sys.argv[1])
DONE, FAILED, USAGE, REFUSED = range(4)
WAIT_S = 20


class Device:
    """A "larch device run" that runs until it is stopped, or ends by itself."""

    def __init__(self, folder, context, uri, *options, stdin=subprocess.DEVNULL):
        self.out = tempfile.TemporaryFile("w+b", dir=folder)
        self.err = tempfile.TemporaryFile("w+b", dir=folder)
        self.child = subprocess.Popen([LARCH, "device", "run", "--oscore", context, uri, *options], stdin=stdin,
                                      stdout=self.out, stderr=self.err)

    def lines(self):
        return os.pread(self.out.fileno(), 1 << 20, 0).decode().splitlines()

    def log(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode()

    def wait_for(self, pattern, times=1):
        """The lines that match, once there are so many of them."""
        end = time.monotonic() + WAIT_S
        while len(found := [line for line in self.lines() if re.search(pattern, line)]) < times:
            if time.monotonic() > end:
                raise AssertionError(f"{len(found)} of {times} {pattern!r}: {self.lines()}, {self.log()!r}")
            time.sleep(0.01)
        return found

    def end(self, number=signal.SIGTERM):
        """Its exit code; number None: it ends by itself."""
        if number is not None:
            self.child.send_signal(number)
        return self.child.wait(WAIT_S)

    def close(self):
        self.child.kill()
        self.child.wait(WAIT_S)
        self.out.close()
        self.err.close()


class Case(GatewayCase):
    larch = LARCH

    def write(self, name, text, mode=0o600):
        path = f"{self.folder.name}/{name}"
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, mode)) as f:
            f.write(text)
        return path

    def contexts(self, name, secret=None):
        """Files of one context: the gateway's and the device's."""
        secret = secret or hashlib.sha256(name.encode()).hexdigest()[:32]
        ends = ("gateway", name)
        return [self.write(f"{name}-{me}.conf", f'master_secret,hex,"{secret}"\nsender_id,ascii,"{me}"\n'
                           f'recipient_id,ascii,"{peer}"\n') for me, peer in (ends, ends[::-1])]

    def run_larch(self, *arguments, code=DONE, **more):
        """(stdout, stderr) of a run that ends with that code."""
        done = subprocess.run([LARCH, *arguments], capture_output=True, timeout=60, check=False,
                              env=os.environ | {"HOME": self.folder.name}, **more)
        self.assertEqual(done.returncode, code, (arguments, done.stdout, done.stderr))
        return done.stdout.decode(), done.stderr.decode()

    def add(self, name, **more):
        """Gives the gateway a context; returns the device's file."""
        ours, theirs = self.contexts(name, **more)
        self.run_larch("keys", "add-context", "--state", self.state, name, ours)
        return theirs

    def device(self, context, gateway, *options, **more):
        d = Device(self.folder.name, context, gateway.uri, *options, **more)
        self.addCleanup(d.close)
        return d

    def ask(self, *words, code=DONE, **more):
        """larch device WORDS, for the gateway that runs."""
        return self.run_larch("device", *words, "--state", self.state, code=code, **more)

    def complaint(self, *words, code=FAILED, **more):
        """The one line on stderr of a request that fails, and nothing on stdout."""
        out, err = self.ask(*words, code=code, **more)
        self.assertEqual((out, err.count("\n")), ("", 1), err)
        self.assertTrue(err.startswith("larch device: "), err)
        return err.removeprefix("larch device: ")

    def readings(self, gateway, count):
        """[(name, text)] of the readings that the gateway printed, each of which stands there once."""
        lines = [json.loads(line) for line in gateway.lines(count)]
        self.assertEqual(len({line["id"] for line in lines}), len(lines), lines)
        return [(line["path"], line["text"]) for line in lines]


class Readings(Case):
    def test_lines(self):
        context = self.add("kitchen")
        g = self.gateway("--json")
        out, err = self.run_larch("device", "run", "--oscore", context, g.uri, "--name", "oven", "--lines", "--json",
                                  input=b"180\n\n\xc3\xbc\x1b[1m\n190")
        self.assertEqual(err, "")
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([(e["event"], e["n"], e["name"], e["text"]) for e in events],
                         [("accepted", 1, "oven", "180"), ("accepted", 2, "oven", ""),
                          ("accepted", 3, "oven", "\u00fc\x1b[1m"), ("accepted", 4, "oven", "190")])
        self.assertEqual(self.readings(g, 4), [("oven", e["text"]) for e in events])
        first = json.loads(g.lines()[0])
        self.assertEqual((first["via"], first["device"]), ("oscore", "kitchen"))
        out, _ = self.run_larch("device", "run", "--oscore", context, g.uri, "--name", "oven", "--lines", input=b"200\n")
        self.assertRegex(out, r"(?m)^accepted +5  oven  200$")  # numbers go on where the run before ended
        self.assertEqual(self.readings(g, 5)[4:], [("oven", "200")])
        self.assertEqual(g.stop(), DONE)

    def test_simulated(self):
        context = self.add("kitchen")
        g = self.gateway("--json")
        d = self.device(context, g, "--interval", "0.1", "--count", "3")
        self.assertEqual(d.end(None), DONE)
        self.assertEqual([name for name, _ in self.readings(g, 3)], ["temperature"] * 3)
        self.assertRegex(d.lines()[0], r"^larch device: readings go to coap://127\.0\.0\.1:\d+/r/temperature; ")

    def test_either_side_restarts(self):
        """One device reports the numbers in their order while the gateway and the device are cut off and stopped."""
        context = self.add("kitchen")
        g = self.gateway("--json")
        printed, stops = [], [(signal.SIGKILL, None), (None, signal.SIGKILL), (signal.SIGTERM, None),
                              (None, signal.SIGTERM), (signal.SIGKILL, signal.SIGKILL), (signal.SIGTERM, None)]
        read, write = os.pipe()
        self.addCleanup(os.close, write)
        d = self.device(context, g, "--lines", stdin=read)
        sent = 0
        for of_gateway, of_device in stops:
            os.write(write, f"{sent}\n".encode())
            d.wait_for(rf"^accepted .* {sent}$")
            sent += 1
            if of_gateway is not None:
                listen = "%s:%d" % g.address
                g.stop(of_gateway)
                printed += g.lines()
                os.write(write, f"{sent}\n".encode())  # to nobody, as yet
                time.sleep(0.1)
            if of_device is not None:
                d.end(of_device)
                port = re.search(r"at port (\d+)", d.lines()[0])[1]
            if of_gateway is not None:
                g = self.gateway("--json", listen=listen)
            if of_device is not None:
                d = self.device(context, g, "--lines", stdin=read)
                d.wait_for("at port")
                self.assertNotEqual(re.search(r"at port (\d+)", d.lines()[0])[1], port)
            if of_gateway is not None:
                d.wait_for(rf"^accepted .* {sent}$")
                sent += 1
        os.write(write, b"last\n")
        d.wait_for(r"^accepted .* last$")
        self.assertEqual(d.end(), DONE)
        g.lines(1)
        self.assertEqual(g.stop(), DONE)
        os.close(read)
        printed += g.lines()
        stored = {}
        for line in map(json.loads, printed):  # a line may come again after a cut, and says so
            self.assertTrue(line["id"] not in stored or line.get("repeat"), line)
            stored[line["id"]] = line["text"]
        self.assertEqual(sorted(stored.values()), sorted([str(n) for n in range(sent)] + ["last"]))


class Requests(Case):
    def setUp(self):
        super().setUp()
        self.context = self.add("kitchen")
        self.g = self.gateway()
        self.d = self.device(self.context, self.g, "--interval", "60")
        self.d.wait_for("^accepted")

    def test_answers(self):
        out, _ = self.ask("get", "kitchen", "/time")
        said = datetime.datetime.fromisoformat(out.replace("Z", "+00:00"))
        self.assertLess(abs((datetime.datetime.now(datetime.timezone.utc) - said).total_seconds()), 60)
        self.assertEqual(self.ask("get", "kitchen", "led"), ("off", ""))
        self.assertEqual(self.ask("send", "kitchen", "led", "on"), ("", ""))
        self.assertEqual(self.ask("get", "kitchen", "/led"), ("on", ""))
        self.assertEqual(self.ask("send", "kitchen", "led", "-", "--method", "put", input=b"off\n"), ("", ""))
        self.assertEqual(json.loads(self.ask("get", "kitchen", "led", "--json")[0]),
                         {"device": "kitchen", "code": "2.05", "text": "off"})
        self.assertEqual(json.loads(self.ask("send", "kitchen", "interval", "0.5", "--method", "put", "--json")[0]),
                         {"device": "kitchen", "command": 3, "state": "done", "code": "2.04", "text": ""})
        self.d.wait_for("^accepted", 2)
        self.assertEqual(self.ask("get", "kitchen", "interval"), ("0.5", ""))
        self.assertEqual([line.split() for line in self.d.lines() if line.startswith("command")][1:4],
                         [["command", "GET", "/led", "2.05"], ["command", "POST", "/led", "2.04", "on"],
                          ["command", "GET", "/led", "2.05"]])

    def test_refusals_of_the_device(self):
        self.assertEqual(self.complaint("get", "kitchen", "nothing"), "kitchen answered 4.04\n")
        self.assertEqual(self.complaint("send", "kitchen", "led", "perhaps"), "kitchen answered 4.00\n")
        self.assertEqual(self.complaint("send", "kitchen", "time", "0"), "kitchen answered 4.05\n")
        out, err = self.ask("get", "kitchen", "nothing", "--json", code=FAILED)
        self.assertEqual(json.loads(out), {"device": "kitchen", "code": "4.04", "text": ""})
        self.assertEqual(err, "larch device: kitchen answered 4.04\n")

    def test_observe(self):
        """The device sends one answer and observes nothing: the command prints it, and says that it is over."""
        out, err = self.ask("observe", "kitchen", "led", code=FAILED)
        self.assertEqual(out, "off\n")
        self.assertIn("does not report changes of led", err)
        self.assertEqual(self.ask("observe", "kitchen", "led", "--count", "1"), ("off\n", ""))
        self.assertEqual(self.complaint("observe", "kitchen", "nothing"), "kitchen answered 4.04\n")

    def test_a_device_observes(self):
        watcher = self.add("hall")
        w = self.device(watcher, self.g, "--interval", "60", "--name", "hall", "--observe", "r/temperature")
        text = w.wait_for("^observed")[0].split()[-1]
        self.assertIn(f"temperature  {text}", self.d.wait_for("^accepted")[0])
        self.ask("send", "kitchen", "interval", "0.1", "--method", "put")
        w.wait_for("^observed", 3)
        self.assertEqual(w.end(), DONE)

    def test_list(self):
        self.add("cellar")
        kid = b"kitchen".hex()
        out, err = self.ask("list", "--json")
        self.assertEqual(err, "")
        rows = {row["device"]: row for row in map(json.loads, out.splitlines())}
        self.assertEqual(set(rows), {"kitchen", "cellar"})
        self.assertEqual((rows["cellar"]["peer"], rows["cellar"]["sent"], rows["cellar"]["left"]), (None, 0, 1 << 20))
        port = re.search(r"at port (\d+)", self.d.lines()[0])[1]
        self.assertEqual((rows["kitchen"]["peer"], rows["kitchen"]["kid"]), (f"127.0.0.1:{port}", kid))
        self.assertRegex(self.ask("list")[0], rf"(?m)^kitchen +kid {kid} +at 127\.0\.0\.1:{port}  \d+ sent  \d+ left"
                         r"  seen 20\S+Z  fixed context$")

    def test_another_address(self):
        self.ask("get", "kitchen", "led")
        self.assertEqual(self.d.end(), DONE)
        self.d = self.device(self.context, self.g, "--interval", "60")
        self.d.wait_for("^accepted")
        self.assertEqual(self.ask("get", "kitchen", "led"), ("off", ""))

    def test_the_gateway_restarts(self):
        self.ask("get", "kitchen", "led")
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.ask("send", "kitchen", "interval", "0.2", "--method", "put")
            self.g.stop(number)
            self.g = self.gateway(listen="%s:%d" % self.g.address)
            accepted = len(self.d.wait_for("^accepted"))
            self.d.wait_for("^accepted", accepted + 1)
            self.assertEqual(self.ask("get", "kitchen", "led"), ("off", ""))

    def test_nobody_answers(self):
        self.d.child.send_signal(signal.SIGSTOP)
        self.assertIn("did not answer within 0.5 s", self.complaint("get", "kitchen", "led", "--timeout", "0.5"))
        self.assertIn("did not answer within 0.5 s", self.complaint("observe", "kitchen", "led", "--timeout", "0.5"))
        self.d.child.send_signal(signal.SIGCONT)
        self.assertEqual(self.ask("get", "kitchen", "led"), ("off", ""))

    def test_unknown(self):
        self.assertEqual(self.complaint("get", "nobody", "led"), "there is no device 'nobody'\n")
        self.add("cellar")
        self.assertIn("cellar has not been heard of since the gateway's start", self.complaint("get", "cellar", "led"))


class Refusals(Case):
    def refused(self, code, context, *options, uri="coap://127.0.0.1:9", **more):
        """The complaint of a device that ends at once."""
        out, err = self.run_larch("device", "run", "--oscore", context, uri, "--lines", *options, code=code, **more)
        self.assertEqual(out, "")
        self.assertTrue(err.startswith("larch device: "), err)
        return err

    def test_no_gateway(self):
        for words in (("get", "a", "b"), ("send", "a", "b", "c"), ("observe", "a", "b"), ("list",)):
            self.assertIn(f"{self.state}: No such file or directory; --state DIR names", self.complaint(*words))
        g = self.gateway()
        g.kill()
        for words in (("get", "a", "b"), ("list",)):
            self.assertIn(f"no gateway runs over {self.state}", self.complaint(*words))

    def test_usage(self):
        context = self.contexts("kitchen")[1]
        for words, says in (([], "say what to do: run, list, show, get, observe, send, commands, add, import, revoke, forget, rotate, card, request, accept or qkd"), (["gte", "a", "b"], "no 'gte'"),
                            (["get", "a"], "get takes a device's name and a path"), (["list", "x"], "'x' is one argument"),
                            (["get", "a", "b", "c"], "'c' is one argument"), (["get", "a/b", "c"], "a device's name is"),
                            (["get", "a", "b c"], "a path is printable ASCII without spaces"),
                            (["send", "a", "b", "c", "d"], "quote the value"),
                            (["get", "a", "b", "--oscore", "x"], "'get' takes no --oscore"),
                            (["list", "--timeout", "3"], "'list' takes no --timeout"),
                            (["get", "a", "b", "--method", "put"], "'get' takes no --method"),
                            (["send", "a", "b", "--method", "get"], "--method"),
                            (["get", "a", "b", "--count", "2"], "'get' takes no --count"),
                            (["run", "--state", "x", "coap://h", "--oscore", "x"], "--enrolment"),
                            (["run"], "which gateway?"), (["run", "coap://h"], "which keys?"),
                            (["add", "a"], "--out FILE"), (["add"], "add takes a device's name"),
                            (["revoke", "a", "--out", "x"], "'revoke' takes no --out"),
                            (["run", "coap://h", "--oscore", context, "--enrolment", "x"], "exclude each other"),
                            (["run", "coap://127.0.0.1/r/x", "--oscore", context], "leave the path out"),
                            (["run", "coap://127.0.0.1:0", "--oscore", context], "port 0"),
                            (["run", "coap://127.0.0.1", "x", "--oscore", context], "'x' is one argument"),
                            (["run", "coap://127.0.0.1", "--oscore", context, "--interval", "0"], "--interval"),
                            (["run", "coap://127.0.0.1", "--oscore", context, "--interval", "86401"], "a day"),
                            (["run", "coap://127.0.0.1", "--oscore", context, "--lines", "--interval", "1"], "exclude"),
                            (["run", "coap://127.0.0.1", "--oscore", context, "--name", "a/b"], "no slashes"),
                            (["run", "coap://127.0.0.1", "--oscore", context, "--name", "x" * 33], "--name")):
            if words and words[0] in ("get", "send", "list"):
                self.gateway_once()
                words = words + ["--state", self.state]
            out, err = self.run_larch("device", *words, code=USAGE)
            self.assertEqual(out, "", words)
            self.assertIn(says, err)
            self.assertTrue(err.endswith("Try 'larch device --help'.\n"), err)

    def gateway_once(self):
        if not hasattr(self, "g"):
            self.g = self.gateway()

    def test_context_file(self):
        good = 'master_secret,hex,"000102030405060708090a0b0c0d0e0f"\nsender_id,ascii,"a"\nrecipient_id,ascii,"b"\n'
        for text, where in (("nonsense\n" + good, ":1: is not of the form key,type,value"),
                            (good + "# c\nnonce,hex,\"00\"\n", ":5: larch does not know the key 'nonce'"),
                            (good + 'sender_id,ascii,"c"\n', ":4: 'sender_id' is given twice: first in line 2"),
                            (good.replace("0f", "0"), ":1: 'master_secret'"),
                            (good.replace('"b"', '"12345678"'), ":3: 'recipient_id' has 8 bytes"),
                            (good.replace('sender_id,ascii,"a"\n', "", 1), ": 'sender_id' is missing"), ("", " is missing")):
            path = self.write("wrong.conf", text)
            self.assertIn(f"{path}{where}" if where[0] == ":" else where, self.refused(USAGE, path))
            self.assertFalse(os.path.exists(path + ".state"))
        path = self.write("open.conf", good)
        os.chmod(path, 0o640)
        self.assertIn(f"chmod 600 '{path}'", self.refused(REFUSED, path))
        os.chmod(path, 0o600)
        os.symlink(path, path + "2")
        self.assertIn("symbolic link", self.refused(REFUSED, path + "2"))
        os.link(path, path + "3")
        self.assertIn("second name", self.refused(REFUSED, path))
        self.assertIn("No such file", self.refused(FAILED, path + "4"))

    def test_state_file(self):
        context = self.add("kitchen")
        g = self.gateway("--json")
        d = self.device(context, g, "--interval", "60")
        d.wait_for("^accepted")
        self.assertEqual(self.refused(FAILED, context, uri=g.uri),
                         f"larch device: {context}.state is in use by another larch\n")
        self.assertEqual(self.run_larch("send", "--oscore", context, g.uri + "/r/x", "1", code=FAILED)[1],
                         f"larch send: {context}.state is in use by another larch\n")
        self.assertEqual(d.end(), DONE)
        os.chmod(context + ".state", 0o644)
        self.assertIn(f"chmod 600 '{context}.state'", self.refused(REFUSED, context, uri=g.uri))
        with open(context + ".state", "r+b") as f:
            os.fchmod(f.fileno(), 0o600)
            state = f.read()
            f.seek(len(state) // 2)
            f.write(bytes([state[len(state) // 2] ^ 1]))
        self.assertIn(f"{context}.state is damaged", self.refused(REFUSED, context, uri=g.uri))
        with open(context + ".state", "wb") as f:
            f.write(state)
        other = self.contexts("hall")[1]
        os.rename(context + ".state", other + ".state")
        self.assertIn("belongs to another context", self.refused(REFUSED, other, uri=g.uri))
        os.rename(other + ".state", context + ".state")
        self.run_larch("device", "run", "--oscore", context, g.uri, "--lines", input=b"again\n")
        self.assertEqual(self.readings(g, 2)[1], ("temperature", "again"))

    def test_state_cannot_be_written(self):
        context = self.contexts("kitchen")[1]
        cannot = self.refused_without_space(context)
        self.assertIn(f"{context}.state: ", cannot)
        self.assertFalse(os.path.exists(context + ".state"))

    def refused_without_space(self, context):
        """No file may grow: what a full medium does to any user, root too."""
        shell = 'ulimit -f 0; trap "" XFSZ; exec "$0" "$@"'
        done = subprocess.run(["bash", "-c", shell, LARCH, "device", "run", "--oscore", context, "coap://127.0.0.1:9",
                               "--lines"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (FAILED, b""), done.stderr)
        return done.stderr.decode()

    def test_wrong_key(self):
        """The gateway cannot open what the device sends: anybody can say so, so the device goes on, and says what it
        heard."""
        self.add("kitchen")
        theirs = self.contexts("kitchen", secret="00" * 16)[1]
        g = self.gateway("--json")
        d = self.device(theirs, g, "--interval", "60", "--json")
        event = json.loads(d.wait_for("unverified")[0])
        self.assertEqual((event["event"], event["n"], event["code"]), ("unverified", 1, "4.00"))
        self.assertEqual(d.end(), DONE)
        err = self.run_larch("send", "--oscore", theirs, g.uri + "/r/x", "1", "--timeout", "3", code=FAILED)[1]
        self.assertIn("check that both sides hold this context", err)
        self.assertEqual(g.lines(), [])
        self.assertEqual(g.stop(), DONE)

    def test_unknown_context(self):
        theirs = self.contexts("kitchen")[1]
        g = self.gateway()
        d = self.device(theirs, g, "--interval", "60")
        self.assertEqual(d.wait_for("^unverified"),
                         ["unverified 1  temperature: 4.01 Unauthorized without protection: not believed, trying on"])
        self.assertEqual(d.end(), DONE)


if __name__ == "__main__":
    skips.main(argv=[sys.argv[0], *sys.argv[2:]])
