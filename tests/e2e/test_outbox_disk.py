#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway whose disk gets full, at each write that there is, and has room again: what was answered OK is printed
once, and what was refused is accepted later.

Runs in a mount namespace of its own, with a file system of a few MB; exit code 77 where that is not to be had.

usage: test_outbox_disk.py LARCH SEALER [unittest arguments]
"""
import contextlib
import os
import subprocess
import sys
import time
import unittest

from gateway_process import NO_ROOM, OK, UNLIMITED, GatewayCase
from test_outbox import texts

SKIPPED, DONE, FAILED = 77, 0, 1
DISK = 6 << 20
PAGE = 4096
INSIDE = "LARCH_TEST_HAS_MOUNTS"
FULL = b"cannot be written: the disk is full"
CONFIG = "[gateway]\nreplay_slots = 16384\n" + UNLIMITED

# Bytes that are left: each write of the first batches fails in turn, then those of a log and a file that grow.
ROOMS = [*range(0, 40 * PAGE, PAGE), *range(40 * PAGE, 3 << 20, 50 * PAGE)]


class Disk(GatewayCase):
    @contextlib.contextmanager
    def fresh_disk(self, room):
        """An empty disk with a gateway on it, for what happens when so many bytes are left."""
        self.disk = f"{self.folder.name}/disk-{room}"
        self.state = self.disk + "/state"
        os.mkdir(self.disk, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "none", self.disk], check=True)
        try:
            with self.subTest(room=room):
                yield self.gateway_at_pipe("--json", config=CONFIG)
        finally:
            subprocess.run(["umount", "-l", self.disk], check=True)

    def leave(self, room):
        """Fills the disk up to so many bytes."""
        with open(self.disk + "/filler", "wb", buffering=0) as f:
            free = os.statvfs(self.disk)
            for _ in range(free.f_bavail * free.f_frsize // PAGE - room // PAGE):
                f.write(bytes(PAGE))

    def make_room(self):
        os.unlink(self.disk + "/filler")

    def read_lines(self, read, count):
        content = b""
        while content.count(b"\n") < count:
            content += os.read(read, 1 << 16)
        self.assertEqual(content.count(b"\n"), count)
        return content.splitlines()

    def fill(self, gateway, payloads):
        """Posts until the disk is full and a while longer; returns what was answered OK."""
        answers = gateway.post_all(payloads)
        self.assertEqual(set(answers), set(payloads))
        self.assertLessEqual(set(answers.values()), {OK, NO_ROOM})
        return {n for n, answer in answers.items() if answer == OK}

    def test_full_and_room_again(self):
        count, refused = 600, 0
        for room in ROOMS:
            with self.fresh_disk(room) as (g, read):
                payloads = dict(enumerate(self.seal(g, count)))
                self.leave(room)
                stored = self.fill(g, payloads)
                refused += count - len(stored)
                if len(stored) < count:
                    g.wait_for(FULL)
                    self.assertEqual(g.log().count(b"messages are answered 5.03 until there is room"), 1)
                self.make_room()
                again = g.post_all({1000 + n: payloads[n] for n in payloads if n not in stored})
                self.assertLessEqual(set(again.values()), {OK})
                lines = self.read_lines(read, count)
                self.assertEqual(sorted(texts(lines)), [f"m{n:09}" for n in range(count)])
                self.assertNotIn(b"repeat", b"".join(lines))
                self.assertEqual(g.stop(), DONE)
                os.close(read)
        self.assertGreater(refused, count * len(ROOMS) // 4)

    def test_killed_while_full(self):
        """The next start finds a full disk: it names it or works, and nothing is lost either way."""
        count = 300
        for room in ROOMS[::4]:
            with self.fresh_disk(room) as (g, read):
                payloads = dict(enumerate(self.seal(g, count)))
                self.leave(room)
                stored = self.fill(g, payloads)
                g.kill()
                os.close(read)
                g.close()
                try:
                    g = self.gateway("--json", config=CONFIG)
                except AssertionError as e:
                    self.assertRegex(str(e), "exit 1.*(No space left on device|the disk is full)")
                    self.make_room()
                    g = self.gateway("--json", config=CONFIG)
                else:
                    self.make_room()
                lines = g.lines(len(stored))
                self.assertEqual(sorted(texts(lines)), sorted(f"m{n:09}" for n in stored))
                self.assertEqual(g.stop(), DONE)
                self.assertEqual(len(g.lines()), len(stored))

    def test_rows_wait_for_room(self):
        """That a row may leave has to be written first. On a full disk it waits; then it comes without more traffic."""
        count = 1500  # the log of the file has not come to its end by then, and grows with each write
        with self.fresh_disk(0) as (g, read):
            payloads = dict(enumerate(self.seal(g, count)))
            self.assertEqual(self.fill(g, payloads), set(payloads))
            self.leave(0)
            content, end = b"", time.monotonic() + 20
            os.set_blocking(read, False)
            while b"what is stored waits there" not in g.log():
                self.assertLess(time.monotonic(), end)
                with contextlib.suppress(BlockingIOError):
                    content += os.read(read, 1 << 16)
                time.sleep(0.01)
            self.assertLess(content.count(b"\n"), count)
            self.assertRegex(g.log(), FULL + b".*what is stored waits there")
            self.make_room()
            os.set_blocking(read, True)
            while content.count(b"\n") < count:
                content += os.read(read, 1 << 16)
            self.assertEqual(sorted(texts(content.splitlines())), [f"m{n:09}" for n in range(count)])
            self.assertEqual(g.log().count(b"what is stored waits there"), 1)
            self.assertEqual(g.stop(), DONE)
            os.close(read)


def enter_namespace():
    """Runs this program again where it may mount; returns the exit code."""
    for unshare in (["unshare", "-m"], ["unshare", "-U", "-r", "-m"]):
        try:
            if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], stderr=subprocess.DEVNULL).returncode == 0:
                return subprocess.run([*unshare, sys.executable, *sys.argv], env={**os.environ, INSIDE: "1"}).returncode
        except FileNotFoundError:
            break
    print("skipped: e2e.outbox_disk: a file system cannot be mounted here")
    return SKIPPED


if __name__ == "__main__":
    if INSIDE not in os.environ:
        sys.exit(enter_namespace())
    GatewayCase.larch, GatewayCase.sealer = (os.path.abspath(a) for a in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
