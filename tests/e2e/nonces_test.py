#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway, devices and senders that restart and are killed, each with its nonces logged: no nonce protects two messages
under one key. At last a state file is put back, and the check must find the nonces that then come again.

usage: nonces_test.py LARCH TOOLS-FOLDER
"""
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
LARCH, TOOLS = sys.argv[1:3]
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[1:1] = [TOOLS, os.path.join(TESTS, "interop", "oscore")]
from contexts import Context  # noqa: E402
from gateway_process import Gateway  # noqa: E402
from nonce_log import check  # noqa: E402

ROUNDS = 6
DONE = 0


class World:
    """A folder with a gateway's state, the context files of two devices and the logs of all processes."""
    def __init__(self, folder):
        self.folder, self.state, self.uri, self.runs = folder, os.path.join(folder, "state"), "", 0
        self.kinds = set()
        for number, name in enumerate(("runner", "sender")):
            context = Context(sender=bytes([number + 1]), recipient=b"gw",
                              secret=hashlib.sha256(bytes([number])).digest()[:16])
            context.write_conf(self.path(name))
            conf = context.other_side().write_conf(self.path(name + "-of-gateway"))
            self.larch("keys", "add-context", name, conf, "--state", self.state)

    def path(self, name):
        return os.path.join(self.folder, name)

    def environment(self, kind):
        """Each process has a log of its own."""
        self.runs += 1
        self.kinds.add(kind)
        return os.environ | {"HOME": self.folder, "XDG_STATE_HOME": self.folder, "XDG_RUNTIME_DIR": self.folder,
                             "LARCH_NONCE_LOG_FILE": self.path(f"nonces-{kind}-{self.runs}")}

    def larch(self, *arguments, may_fail=False):
        done = subprocess.run([LARCH, *arguments], capture_output=True, timeout=60, check=False,
                              env=self.environment(arguments[0]))
        if done.returncode != DONE and not may_fail:
            raise AssertionError(f"{arguments}: {done.returncode}, {done.stderr.decode()}")
        return done

    def gateway(self):
        gateway = Gateway(LARCH, self.state, "--json", folder=self.folder, env=self.environment("gateway"))
        self.uri = gateway.uri
        return gateway

    def device(self):
        """A process that reports as often as it may, and observes what the other one sends."""
        return subprocess.Popen([LARCH, "device", "run", "--oscore", self.path("runner"), self.uri, "--interval", "0.1",
                                 "--observe", "r/note"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=self.environment("device"))

    def send(self, text, may_fail=False):
        return self.larch("send", "--oscore", self.path("sender"), self.uri + "/r/note", text, may_fail=may_fail)

    def command(self, method, path, body):
        """A request to the device that runs, through the gateway's control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(1)
            control.connect(os.path.join(self.state, "control"))
            control.sendall(f"larch-control 1 ask runner {method} {path} {body.hex()}\n".encode())
            reply, end = b"", time.monotonic() + 30
            while not reply.endswith((b"ok\n", b"no\n")) and time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    reply += control.recv(4096)
        assert b"2.04" in reply and reply.endswith(b"ok\n"), reply

    def logs(self, kind=""):
        return [self.path(name) for name in sorted(os.listdir(self.folder)) if name.startswith(f"nonces-{kind}")]


def finish(process, number):
    process.send_signal(number)
    process.wait(20)


def wait_for_readings(gateway, at_least):
    """Of the device that runs: its lines come between those of the sender."""
    end = time.monotonic() + 30
    while sum(b'"runner"' in line for line in gateway.lines()) < at_least:
        if time.monotonic() > end:
            raise AssertionError(f"too few readings, {gateway.lines()}, {gateway.log()!r}")
        time.sleep(0.02)


def run_round(world, number):
    """Ends of every kind, in turn: the gateway's, and within its life the device's."""
    gateway = world.gateway()
    with contextlib.closing(gateway):
        device = world.device()
        try:
            for i in range(3):
                world.send(f"round {number}, {i}")
            wait_for_readings(gateway, 3)
            world.command("put", "/led", b"on")
            finish(device, signal.SIGKILL if number % 2 else signal.SIGTERM)
            device = world.device()
            world.send(f"round {number}, again")
            wait_for_readings(gateway, 6)
            gateway.child.send_signal(signal.SIGTERM if number % 3 == 0 else signal.SIGKILL)
            gateway.child.wait(20)
        finally:
            device.kill()
            device.wait(20)


def count_lines(files):
    total = 0
    for file in files:
        with open(file, encoding="ascii") as log:
            total += len(log.readlines())
    return total


def see_reuse(world):
    """The sender's state file of before is put back: its numbers come again, for another text."""
    state = world.path("sender.state")
    with contextlib.closing(world.gateway()):
        shutil.copy(state, state + ".copy")
        world.send("one")
        shutil.move(state + ".copy", state)
        world.send("two", may_fail=True)
    complaints, _, _ = check(world.logs())
    assert any("protects another message" in complaint for complaint in complaints), complaints


def main():
    with tempfile.TemporaryDirectory(prefix="larch-test-") as folder:
        world = World(folder)
        for number in range(ROUNDS):
            run_round(world, number)
        for kind, least in (("gateway", 20 * ROUNDS), ("device", 6 * ROUNDS), ("send", 4 * ROUNDS)):
            lines = count_lines(world.logs(kind))
            assert lines >= least, f"{kind}: {lines} encryptions are too few"
        complaints, lines, keys = check(world.logs())
        print(*complaints[:20], f"{lines} encryptions under {keys} keys of {world.runs} processes", sep="\n")
        assert not complaints and keys == 4
        see_reuse(world)
    return 0


if __name__ == "__main__":
    sys.exit(main())
