#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The outbox of a gateway as its user has it: what is wrong with its file is named, a bound loses nothing, and
neither do marks that cannot be kept.

usage: test_outbox.py LARCH SEALER FAILING_SYNC [unittest arguments]
"""
import json
import os
import sqlite3
import subprocess
import sys
import time
import unittest

from gateway_process import NO_ROOM, OK, POST, REPLAY, UNLIMITED, GatewayCase, parse, read_options, request

DONE, FAILED = 0, 1
MAX_AGE = 14
FULL = b"messages are answered 5.03 until they are read"
APPLICATION_ID = 0x6C72684F


def bounded(number):
    return f"[gateway]\noutbox_bytes = {number}\n" + UNLIMITED


def texts(lines):
    return [json.loads(line)["text"] for line in lines]


class File(GatewayCase):
    """Messages wait in the file; then something happens to it."""
    COUNT = 30

    def setUp(self):
        super().setUp()
        self.path = self.state + "/outbox.db"
        g, read = self.gateway_at_pipe()
        sealed = dict(enumerate(self.seal(g, self.COUNT)))
        for part in range(3):  # at least three batches, whatever the timing
            self.assertEqual(set(g.post_all({n: m for n, m in sealed.items() if n % 3 == part}).values()), {OK})
        self.assertEqual(g.stop(), DONE)
        os.close(read)
        with sqlite3.connect(self.path, isolation_level=None) as db:  # so that no page is free: damage to it would not count
            db.execute("VACUUM")
        db.close()
        with open(self.path, "rb") as f:
            self.sound = f.read()

    def refused(self, what, *words):
        """The gateway does not start, says why in one line, and leaves the file as it is."""
        before = os.lstat(self.path) if os.path.lexists(self.path) else None
        content = self.content()
        try:
            done = subprocess.run([self.larch, "gateway", "--listen", "127.0.0.1:0", "--state", self.state],
                                  capture_output=True, timeout=20)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"{what}: it runs: {e.stderr}") from e
        err = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout, err.count("\n")), (FAILED, b"", 1), f"{what}: {err}")
        for word in (self.path, *words):
            self.assertIn(word, err, what)
        self.assertEqual(self.content(), content, what)
        if before is not None:
            self.assertEqual(os.lstat(self.path).st_mode, before.st_mode, what)

    def content(self):
        if not os.path.isfile(self.path):
            return None
        with open(self.path, "rb") as f:
            return f.read()

    def put(self, content):
        if os.path.lexists(self.path):
            os.unlink(self.path)
        with open(self.path, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(content)

    def all_come(self):
        """Nothing was lost or doubled meanwhile."""
        g = self.gateway("--json")
        self.assertEqual(sorted(texts(g.lines(self.COUNT))), [f"m{n:09}" for n in range(self.COUNT)])
        self.assertEqual(g.stop(), DONE)
        self.assertEqual(len(g.lines()), self.COUNT)

    def with_sql(self, *statement):
        with sqlite3.connect(self.path) as db:
            db.execute(*statement)
        db.close()
        content = self.content()
        self.put(self.sound)
        return content

    def test_content(self):
        with sqlite3.connect(self.path) as db:
            batches = db.execute("SELECT first, bytes FROM batch ORDER BY first").fetchall()
        db.close()
        self.assertGreaterEqual(len(batches), 3)
        for what, content, word in [
                *[(f"a flipped bit in the batch of row {first}",
                   self.with_sql("UPDATE batch SET bytes = ? WHERE first = ?",
                                 [batch[:-1] + bytes([batch[-1] ^ 32]), first]), "is damaged") for first, batch in batches],
                ("a flipped page", self.sound[:8192] + bytes(b ^ 255 for b in self.sound[8192:16384]) +
                 self.sound[16384:], "is damaged"),
                ("cut", self.sound[:len(self.sound) // 2 // 8192 * 8192], "is damaged"),
                ("empty", b"", "is empty"),
                ("text", b"Dear diary, this is not larch's. " * 300, "is not the outbox of a gateway"),
                ("another program's", self.with_sql(f"PRAGMA application_id = {APPLICATION_ID + 1}"),
                 "is not the outbox of a gateway"),
                ("newer", self.with_sql("PRAGMA user_version = 77"), "was written by a newer version of larch (schema 77")]:
            self.put(content)
            self.refused(what, word)
        self.put(self.sound)
        self.all_come()

    def test_access(self):
        for mode in (0o644, 0o620, 0o606):
            os.chmod(self.path, mode)
            self.refused(oct(mode), f"is open to other users (mode {mode:04o})", "mode 0600")
        os.chmod(self.path, 0o400)
        self.refused("read-only", "is read-only")
        os.chmod(self.path, 0o600)
        if os.geteuid() == 0:
            os.chown(self.path, 65534, 65534)
            self.refused("another's", "belongs to another user")
            os.chown(self.path, 0, 0)
        os.rename(self.path, self.path + ".away")
        os.symlink(self.path + ".away", self.path)
        self.refused("a link", "is not a regular file")
        os.unlink(self.path)
        os.mkdir(self.path)
        self.refused("a folder", "is not a regular file")
        os.rmdir(self.path)
        os.mkfifo(self.path)
        self.refused("a pipe", "is not a regular file")
        os.unlink(self.path)
        os.rename(self.path + ".away", self.path)
        self.all_come()

    def test_held_by_another_process(self):
        program = f"""
import sqlite3, sys
db = sqlite3.connect({self.path!r}, isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print(db.execute("SELECT count(*) FROM batch").fetchone()[0], flush=True)
sys.stdin.read()
"""
        holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with holder:
            self.assertGreater(int(holder.stdout.readline()), 0)
            self.refused("held", "is in use by another process")
        self.assertEqual(holder.returncode, 0)
        self.all_come()

    def test_file_moved_away_from_its_log(self):
        g, read = self.gateway_at_pipe()
        g.kill()
        os.close(read)
        self.assertTrue(os.path.exists(self.path + "-wal"))
        os.rename(self.path, self.path + ".away")
        self.refused("without its file", "its -wal file is")
        self.assertFalse(os.path.exists(self.path))
        os.rename(self.path + ".away", self.path)
        self.all_come()


class Bound(GatewayCase):
    COUNT = 120

    def test_no_room(self):
        """Answered 5.03 with Max-Age, and as if it had never come: its bytes are accepted later."""
        g, read = self.gateway_at_pipe("--json", config=bounded(4096))
        payloads = self.seal(g, self.COUNT)
        accepted = []
        for n, payload in enumerate(payloads):
            raw = g.ask_raw(request(POST, "pqkem-data", n, payload=payload))
            code, _, body = parse(raw)
            self.assertIn((code, body), (OK, NO_ROOM))
            if (code, body) == OK:
                self.assertEqual(accepted, list(range(n)), "later messages of one size do not overtake")
                accepted.append(n)
            else:
                self.assertEqual(read_options(raw)[0].get(MAX_AGE), b"\x1e")
        self.assertTrue(20 < len(accepted) < 60, len(accepted))
        for n in range(len(accepted), self.COUNT):
            self.assertEqual(g.post(payloads[n], 1000 + n), NO_ROOM)
        self.assertEqual([g.post(payloads[n], 2000 + n) for n in accepted], [REPLAY] * len(accepted))
        self.assertEqual(g.log().count(FULL), 1)
        g.wait_for(rb"\"event\":\"full\",.*\"reason\":\"no room to store messages\"")
        # The reader takes what is there, and everything fits bit by bit.
        os.set_blocking(read, False)
        with open(read, "rb", buffering=0) as lines:
            content, message_id = b"", 3000
            for n in range(len(accepted), self.COUNT):
                while (answer := g.post(payloads[n], message_id := message_id + 1)) != OK:
                    self.assertEqual(answer, NO_ROOM)
                    content += lines.read(1 << 16) or b""
            os.set_blocking(read, True)
            while content.count(b"\n") < self.COUNT:
                content += lines.read(1 << 16)
        self.assertEqual(texts(content.splitlines()), [f"m{n:09}" for n in range(self.COUNT)])
        self.assertNotIn(b"repeat", content)
        self.assertEqual(g.log().count(FULL), 1)
        self.assertEqual(g.stop(), DONE)

    def test_no_room_for_some_of_a_batch(self):
        """Many at once, each twice: of a message some copies are answered OK or REPLAY if and only if it is stored."""
        for number in (4096, 6000, 9000):
            g, read = self.gateway_at_pipe("--json", config=bounded(number), state=f"{self.state}-{number}")
            payloads = self.seal(g, self.COUNT)
            twice = {2 * n + copy: payloads[n] for n in range(self.COUNT) for copy in (0, 1)}
            answers = g.post_all(twice)
            stored = {n // 2 for n, answer in answers.items() if answer == OK}
            self.assertEqual({n // 2 for n, answer in answers.items() if answer == REPLAY} - stored, set())
            self.assertEqual(set(answers.values()) - {OK, REPLAY}, {NO_ROOM})
            self.assertEqual(sum(answer == OK for answer in answers.values()), len(stored))
            g.wait_for(FULL)
            self.assertEqual(g.log().count(FULL), 1)
            g.kill()
            os.close(read)
            g = self.gateway("--json", state=f"{self.state}-{number}")
            self.assertEqual(sorted(texts(g.lines(len(stored)))), sorted(f"m{n:09}" for n in stored))
            rest = {n: payloads[n] for n in range(self.COUNT)}
            again = g.post_all({1000 + n: payload for n, payload in rest.items()})
            self.assertEqual({n - 1000 for n, answer in again.items() if answer == OK}, set(rest) - stored)
            self.assertEqual(sorted(texts(g.lines(self.COUNT))), [f"m{n:09}" for n in range(self.COUNT)])
            self.assertEqual(g.stop(), DONE)

    def test_bound_is_lowered(self):
        """What is there stays, and nothing is added until it has been read."""
        g, read = self.gateway_at_pipe("--json")
        payloads = self.seal(g, 101)
        self.assertEqual(set(g.post_all(dict(enumerate(payloads[:100]))).values()), {OK})
        self.assertEqual(g.stop(), DONE)
        os.close(read)
        g, read = self.gateway_at_pipe("--json", config=bounded(4096))
        self.assertEqual(g.post(payloads[100], 1), NO_ROOM)
        with open(read, "rb", buffering=0) as lines:
            content = b""
            while content.count(b"\n") < 100:
                content += lines.read(1 << 16)
            message_id = 2
            while (answer := g.post(payloads[100], message_id)) == NO_ROOM:  # the gateway looks now and then
                message_id += 1
            self.assertEqual(answer, OK)
            content += lines.read(1 << 16)
        self.assertEqual(sorted(texts(content.splitlines())), [f"m{n:09}" for n in range(101)])
        self.assertEqual(g.stop(), DONE)


class Marks(GatewayCase):
    failing_sync = ""

    def test_marks_cannot_be_kept(self):
        """A batch is stored, and its marks are refused by the disk: nothing is answered, the gateway ends and says why.
        The next start prints what is stored, and knows it."""
        with open(self.larch, "rb") as f:
            if b"__asan_init" in f.read():
                self.skipTest("sanitizers want to be preloaded first")
        failing = self.folder.name + "/failing"
        os.environ.update(LD_PRELOAD=self.failing_sync, LARCH_TEST_FAILING=failing)
        try:
            g = self.gateway("--json")
        finally:
            del os.environ["LD_PRELOAD"], os.environ["LARCH_TEST_FAILING"]
        payloads = self.seal(g, 6)
        self.assertEqual(g.post(payloads[0], 0), OK)
        self.assertEqual(len(g.lines(1)), 1)
        with open(failing, "wb"):
            pass
        begun = time.monotonic()
        with self.assertRaises(OSError):
            g.ask(request(POST, "pqkem-data", 1, payload=payloads[1]), seconds=2)
        self.assertEqual(g.child.wait(10), FAILED)
        self.assertLess(time.monotonic() - begun, 4)
        self.assertIn(b"replay-512-1.log: Input/output error; nothing is accepted that cannot be kept", g.log())
        self.assertEqual(texts(g.lines()), ["m000000000"])  # nothing is shown before its mark is durable
        g = self.gateway("--json")
        self.assertEqual(texts(g.lines(1)), ["m000000001"])
        self.assertEqual([g.post(payloads[n], 10 + n) for n in range(3)], [REPLAY, REPLAY, OK])
        self.assertEqual(g.stop(), DONE)
        self.assertEqual(texts(g.lines(2)), ["m000000001", "m000000002"])


if __name__ == "__main__":
    GatewayCase.larch, GatewayCase.sealer = (os.path.abspath(a) for a in sys.argv[1:3])
    Marks.failing_sync = os.path.abspath(sys.argv[3])
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
