# SPDX-License-Identifier: Apache-2.0
"""A larch gateway as a child process, the few bytes of CoAP that tests post to it, and a test case around both."""
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

CON, NON, ACK = 0, 1, 2
GET, POST = 1, 2
OK, REPLAY, NO_ROOM = (0x44, b"OK"), (0x81, b"REPLAY"), (0xa3, b"")
SEALED_LEN = 18 + 768 + 10 + 16  # what tests/e2e/sealer.c makes of each text
UNLIMITED = "[limits]\n" + "".join(
    f"{scope}_{what} = 1000000\n" for scope in ("prefix", "total", "proven") for what in ("rate", "burst")) + "marks = 0\n"


def request(method, path, message_id, token=b"", payload=b"", kind=CON):
    datagram = struct.pack("!BBH", 0x40 | kind << 4 | len(token), method, message_id & 0xFFFF) + token
    number = 0
    for segment in path.encode().split(b"/"):
        delta, number = 11 - number, 11
        datagram += bytes([delta << 4 | (len(segment) if len(segment) < 13 else 13)])
        datagram += (bytes([len(segment) - 13]) if len(segment) >= 13 else b"") + segment
    return datagram + (b"\xff" + payload if payload else b"")


def read_options(datagram):
    """{number: the last value} of an answer's options, and where its payload begins."""
    at, number, options = 4 + (datagram[0] & 15), 0, {}
    while at < len(datagram) and datagram[at] != 0xFF:
        delta, length = datagram[at] >> 4, datagram[at] & 15
        at += 1
        if delta >= 13:
            delta, at = (datagram[at] + 13, at + 1) if delta == 13 else (
                struct.unpack_from("!H", datagram, at)[0] + 269, at + 2)
        if length >= 13:
            length, at = (datagram[at] + 13, at + 1) if length == 13 else (
                struct.unpack_from("!H", datagram, at)[0] + 269, at + 2)
        number += delta
        options[number] = datagram[at:at + length]
        at += length
    return options, at + 1


def parse(datagram):
    """(code, token, payload) of an answer."""
    return datagram[1], datagram[4:4 + (datagram[0] & 15)], datagram[read_options(datagram)[1]:]


class Gateway:
    """Runs until stop() or kill(); out and err are files, so no pipe can fill up. stdout: a descriptor instead.
    prefix: a command that runs it; more: for Popen."""

    def __init__(self, larch, state, *options, listen="127.0.0.1:0", config=UNLIMITED, folder=None, stdout=None,
                 prefix=(), **more):
        self.out = tempfile.TemporaryFile("w+b", dir=folder)
        self.err = tempfile.TemporaryFile("w+b", dir=folder)
        arguments = [*prefix, larch, "gateway", "--listen", listen, "--state", state, *options]
        with tempfile.TemporaryFile("w+", dir=folder) as settings:
            settings.write(config)
            settings.seek(0)
            os.fchmod(settings.fileno(), 0o644)  # another user may open it anew
            arguments += ["--config", "/dev/stdin"]
            self.child = subprocess.Popen(arguments, stdin=settings,
                                          stdout=self.out if stdout is None else stdout, stderr=self.err, **more)
        try:
            found = self.wait_for(rb"listening on \S*:(\d+)[\s\S]*X-Wing generation \d+ larch1:\w+\n")
        except AssertionError:
            self.close()
            raise
        self.address = ("127.0.0.1", int(found[1]))
        self.uri = f"coap://127.0.0.1:{self.address[1]}"

    def log(self):
        return os.pread(self.err.fileno(), 1 << 24, 0)

    def lines(self, at_least=0, seconds=20):
        """What was printed. A line follows the answer to its message: at_least says how many to wait for."""
        end = time.monotonic() + seconds
        while len(lines := os.pread(self.out.fileno(), 1 << 26, 0).splitlines()) < at_least:
            if time.monotonic() > end:
                raise AssertionError(f"{len(lines)} of {at_least} lines, {self.log()!r}")
            time.sleep(0.002)
        return lines

    def pins(self):
        return [m.decode() for m in re.findall(rb"generation \d+ (larch1:\w+)", self.log())[-4:]]

    def wait_for(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log())):
            if self.child.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no {pattern!r}; exit {self.child.poll()}, {self.log()!r}")
            time.sleep(0.002)
        return found

    def ask_raw(self, datagram, seconds=5):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            s.sendto(datagram, self.address)
            return s.recv(2048)

    def ask(self, datagram, seconds=5):
        """One request's answer: (code, token, payload)."""
        return parse(self.ask_raw(datagram, seconds))

    def key(self):
        code, _, payload = self.ask(request(GET, "pqkem-pk", 1))
        assert code == 0x45 and len(payload) == 800, (code, len(payload))
        return payload

    def post(self, payload, message_id):
        code, _, answer = self.ask(request(POST, "pqkem-data", message_id, payload=payload))
        return code, answer

    def post_all(self, payloads, window=48, until=None):
        """Posts {number: payload} as new requests, several at once, again where an answer stays away. Returns
        {number: (code, answer)} of those answered until the time, or until the gateway is gone."""
        answers, waiting, open_ = {}, list(payloads), {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setblocking(False)
            while waiting or open_:
                now = time.monotonic()
                if until is not None and now >= until:
                    break
                lost = [n for n, sent in open_.items() if now > sent + 1]
                for n in lost:
                    del open_[n]
                waiting += lost
                while waiting and len(open_) < window:
                    n = waiting.pop(0)
                    open_[n] = now
                    s.sendto(request(POST, "pqkem-data", n, struct.pack("!I", n), payloads[n], NON), self.address)
                select.select([s], [], [], 0.02 if until is None else max(0, min(0.02, until - now)))
                while True:
                    try:
                        code, token, payload = parse(s.recv(2048))
                    except (BlockingIOError, ConnectionRefusedError):
                        break
                    n = struct.unpack("!I", token)[0]
                    open_.pop(n, None)
                    answers.setdefault(n, (code, payload))
        return answers

    def stop(self, number=signal.SIGTERM):
        self.child.send_signal(number)
        return self.child.wait(20)

    def kill(self):
        self.child.kill()
        self.child.wait(20)

    def close(self):
        self.kill()
        self.out.close()
        self.err.close()


class GatewayCase(unittest.TestCase):
    """A folder for each test, with gateways over one state folder in it. larch and sealer: paths of the programs."""
    larch = sealer = ""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="larch-test-")
        self.addCleanup(self.folder.cleanup)
        self.state = self.folder.name + "/state"

    def gateway(self, *options, **more):
        g = Gateway(self.larch, more.pop("state", self.state), *options, folder=self.folder.name, **more)
        self.addCleanup(g.close)
        return g

    def gateway_at_pipe(self, *options, **more):
        """And the end to read of the pipe that is its stdout."""
        read, write = os.pipe()
        try:
            return self.gateway(*options, stdout=write, **more), read
        finally:
            os.close(write)

    def seal(self, gateway, count):
        with open(self.folder.name + "/ek", "wb") as f:
            f.write(gateway.key())
        sealed = subprocess.run([self.sealer, f.name, str(count)], stdout=subprocess.PIPE, check=True).stdout
        return [sealed[i:i + SEALED_LEN] for i in range(0, len(sealed), SEALED_LEN)]
