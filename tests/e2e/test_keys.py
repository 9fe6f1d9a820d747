#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gateway's control socket, whom larch keys acts for, recovery, and what keeps a process's secrets inside it.

usage: test_keys.py LARCH SEALER [unittest arguments]
"""
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402
from gateway_process import OK, REPLAY, UNLIMITED, GatewayCase  # noqa: E402

LARCH, SEALER = (os.path.abspath(a) for a in sys.argv[1:3])
DONE, FAILED, USAGE = range(3)
NOBODY = 65534
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
IS_ROOT = os.geteuid() == 0
ROTATED = "larch keys: rotated by the running gateway\n"


def can(*command):
    return subprocess.run([*command, "true"], capture_output=True).returncode == 0


class Case(GatewayCase):
    larch, sealer = LARCH, SEALER

    def setUp(self):
        super().setUp()
        self.control = self.state + "/control"

    def open_to_nobody(self):
        """Somebody else gets to the state's folder, and runs a copy of the program that is his to run."""
        os.chmod(self.folder.name, 0o755)
        self.larch = shutil.copy(LARCH, self.folder.name + "/larch")
        os.chmod(self.larch, 0o755)

    def give_to_nobody(self):
        self.open_to_nobody()
        os.mkdir(self.state, 0o700)
        os.chown(self.state, NOBODY, NOBODY)

    def keys(self, *arguments, prefix=(), state=None, **more):
        """(exit code, stdout, stderr)"""
        p = subprocess.run([*prefix, self.larch, "keys", *arguments, "--state", state or self.state],
                           capture_output=True, timeout=60, text=True, **more)
        return p.returncode, p.stdout, p.stderr

    def check_rotates(self, generation, said=ROTATED, **more):
        code, out, err = self.keys("rotate", **more)
        self.assertEqual((code, err), (DONE, said))
        self.assertEqual(len(re.findall(rf"generation {generation}  larch1:\w{{32}}\n", out)), 4, out)
        return re.findall(r"larch1:\w+", out)

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(10)
        s.connect(self.control)
        return s

    def ask(self, request):
        s = self.connect()
        s.sendall(request)
        reply = b""
        while more := s.recv(4096):
            reply += more
        return reply


class Control(Case):
    def test_file(self):
        g = self.gateway()
        for _ in range(2):
            st = os.stat(self.control)
            self.assertEqual((stat.S_ISSOCK(st.st_mode), stat.S_IMODE(st.st_mode), st.st_uid),
                             (True, 0o600, os.geteuid()))
            g.kill()
            self.assertTrue(os.path.exists(self.control))  # nobody is behind it
            self.assertRaises(ConnectionRefusedError, self.connect)
            g = self.gateway()
        self.check_rotates(2)
        self.assertEqual(g.stop(), DONE)
        self.assertFalse(os.path.exists(self.control))
        self.check_rotates(3, "larch keys: rotated while no gateway runs\n")

    def test_left_over(self):
        self.gateway().kill()
        self.check_rotates(2, "larch keys: rotated while no gateway runs\n")
        with open(self.control + ".", "w"):
            pass
        os.replace(self.control + ".", self.control)  # a file, which is no socket
        self.check_rotates(3, "larch keys: rotated while no gateway runs\n")
        self.gateway()
        self.check_rotates(4)

    def test_requests(self):
        self.gateway()
        self.assertRegex(self.ask(b"larch-control 1 rotate\n"),
                         rb"\A\+512 2 larch1:\w+\n\+768 2 larch1:\w+\n\+1024 2 larch1:\w+\n\+25722 2 larch1:\w+\nok\n\Z")
        for request, why in [(b"larch-control 1 reboot\n", b"the gateway does not know this request"),
                             (b"larch-control 2 rotate\n", b"the gateway is of another version than the command"),
                             (b"larch-control 1 rotate 512\n", b"the request has not the words that it needs"),
                             (b"larch-control 1 rotate\n\n", b"a connection carries one request"),
                             (b"\n", b"this is no request"), (b"x" * 16384, b"the request is too long")]:
            self.assertEqual(self.ask(request), b"no " + why + b"\n")
        self.assertIn("generation 2", self.keys("show")[1])

    def test_silent_clients(self):
        g = self.gateway()
        silent = [self.connect() for _ in range(7)]
        began = time.monotonic()
        self.check_rotates(2)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual([s.recv(1) for s in silent], [b""] * 7)
        self.assertEqual(g.stop(), DONE)

    def test_rotates_under_load(self):
        g = self.gateway()
        payloads = dict(enumerate(self.seal(g, 2000)))
        results, begun = [], threading.Event()

        def rotate():
            begun.wait()
            results.append(self.keys("rotate"))
        thread = threading.Thread(target=rotate)
        thread.start()
        begun.set()
        answers = g.post_all(payloads)
        thread.join()
        self.assertEqual((results[0][0], results[0][2]), (DONE, ROTATED))
        self.assertEqual((len(answers), set(answers.values())), (2000, {OK}))  # to the old key, within its grace
        self.assertEqual(len(set(g.lines(2000))), 2000)
        self.assertEqual(g.post(payloads[0], 5000), REPLAY)

    def test_many_ask(self):
        self.gateway()
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.keys("rotate"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([(code, err) for code, _, err in results], [(DONE, ROTATED)] * 8)
        self.assertEqual(sorted(re.search(r"generation (\d)", out)[1] for _, out, _ in results), list("23456789"))

    def test_deep_folder(self):
        deep = self.folder.name + "/" + "/".join(["deep" * 20] * 5)
        self.assertGreater(len(deep), 400)
        self.gateway(state=deep)
        self.check_rotates(2, state=deep)

    def test_no_socket(self):
        """Whoever holds the folder, it gets no signal."""
        g = self.gateway()
        os.unlink(self.control)
        code, out, err = self.keys("rotate")
        self.assertEqual((code, out), (FAILED, ""))
        self.assertIn("no gateway answers on its control socket", err)
        self.assertEqual(g.stop(), DONE)

    def test_socket_cannot_be_made(self):
        os.makedirs(self.control, 0o700)
        os.chmod(self.state, 0o700)
        g = self.gateway()
        self.assertIn(b"no control socket: " + self.control.encode() + b": Is a directory; 'larch keys' changes nothing",
                      g.log())
        self.assertEqual(g.post(self.seal(g, 1)[0], 1), OK)
        self.assertEqual(g.stop(), DONE)
        self.assertTrue(os.path.isdir(self.control))

    def test_medium_full(self):
        """The reply says what was not done."""
        g = self.gateway(prefix=["prlimit", "--fsize=2000000"])
        self.assertEqual(self.keys("rotate")[0], DONE)
        subprocess.run(["prlimit", "--fsize=100", "--pid", str(g.child.pid)], check=True)
        code, out, err = self.keys("rotate")
        self.assertEqual((code, out), (FAILED, ""))
        self.assertRegex(err, r"\Alarch keys: the running gateway: \S+ was not rotated: .*: File too large\n\Z")
        self.assertIsNone(g.child.poll())


@unittest.skipUnless(can("unshare", "-p", "-f"), "no PID namespaces for this user")
class PidNamespace(Case):
    """A number that names a process in one namespace is another one's, or nobody's, in the next."""
    NEW = ["unshare", "-p", "-f", "--kill-child"]

    def test_command_in_another(self):
        g = self.gateway()
        self.check_rotates(2, prefix=self.NEW)
        self.assertIsNone(g.child.poll())

    def test_gateway_in_another(self):
        g = self.gateway(prefix=self.NEW)  # its process is number 1, and init is that of this side
        self.check_rotates(2)
        self.check_rotates(3, prefix=self.NEW)
        os.unlink(self.control)
        self.assertEqual(self.keys("rotate", prefix=self.NEW)[0], FAILED)
        self.assertIsNone(g.child.poll())


@unittest.skipUnless(IS_ROOT, "needs root, to be other users")
class Users(Case):
    def test_owner(self):
        self.give_to_nobody()
        g = self.gateway(**AS_NOBODY)
        self.assertEqual(os.stat(self.control).st_uid, NOBODY)
        self.check_rotates(2, **AS_NOBODY)
        self.check_rotates(3)  # by root
        self.assertEqual(self.keys("show")[0], DONE)
        self.assertEqual(g.stop(), DONE)
        self.check_rotates(4, "larch keys: rotated while no gateway runs\n")
        self.assertEqual({os.stat(f"{self.state}/{n}").st_uid for n in os.listdir(self.state)}, {NOBODY})
        g = self.gateway(**AS_NOBODY)  # it can read what root made
        self.assertIn(b"generation 4", g.log())

    def test_path_of_root_alone(self):
        """As with DynamicUser: the folder's owner cannot walk to it; its unit shows it elsewhere."""
        self.give_to_nobody()
        shown = self.folder.name + "/shown"
        os.mkdir(shown)
        if not can("unshare", "-m", "sh", "-c", f"mount --bind {self.state} {shown}"):
            self.skipTest("no mount namespaces")
        hidden = self.folder.name + "/private"
        os.mkdir(hidden, 0o700)
        os.rename(self.state, hidden + "/state")
        os.symlink(hidden + "/state", self.state)
        script = f"mount --bind {hidden}/state {shown} && exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups \"$@\""
        g = self.gateway(state=shown, prefix=["unshare", "-m", "sh", "-c", script, "sh"])
        self.check_rotates(2)
        self.assertIn("generation 2", self.keys("show")[1])
        self.assertEqual(g.stop(), DONE)
        self.check_rotates(3, "larch keys: rotated while no gateway runs\n")
        self.assertEqual(self.keys("recover", "--yes")[0], DONE)
        self.assertEqual({os.stat(f"{self.state}/{n}").st_uid for n in os.listdir(self.state)}, {NOBODY})

    def test_stranger(self):
        self.open_to_nobody()
        g = self.gateway()
        code, out, err = self.keys("rotate", **AS_NOBODY)
        self.assertEqual((code, out), (FAILED, ""))
        self.assertIn("Permission denied", err)
        # Should both ever be open to others, the gateway still asks the kernel who connects.
        os.chmod(self.state, 0o755)
        os.chmod(self.control, 0o666)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            try:
                os.write(write, self.ask(b"larch-control 1 rotate\n"))
            finally:
                os._exit(0)
        os.close(write)
        with open(read, "rb") as reply:
            self.assertEqual(reply.read(), b"no only root and the gateway's own user may ask\n")
        os.waitpid(child, 0)
        self.assertNotIn(b"rotated", g.log())

    def test_folder_of_another(self):
        """What a user puts in place of his files does nothing with root's rights."""
        self.give_to_nobody()
        self.gateway(**AS_NOBODY).stop()
        secret = self.folder.name + "/secret"
        with open(secret, "w") as f:
            f.write("for root")
        os.chmod(secret, 0o600)
        os.unlink(self.state + "/state.head")
        os.symlink(secret, self.state + "/state.head")
        self.assertEqual(self.keys("rotate")[0], FAILED)
        with open(secret) as f:
            self.assertEqual(f.read(), "for root")
        self.assertEqual(os.stat(secret).st_uid, os.geteuid())


class Recover(Case):
    """A folder that is a copy, whole or in part."""
    RECOVERED = "every direct key was wiped"

    def refused(self, *words, prefix=()):
        """The gateway does not start, and says what to do."""
        p = subprocess.run([*prefix, self.larch, "gateway", "--listen", "127.0.0.1:0", "--state", self.state],
                           capture_output=True, timeout=20, text=True)
        self.assertEqual((p.returncode, p.stdout), (FAILED, ""))
        for word in (*words, "'larch keys recover'"):
            self.assertIn(word, p.stderr)

    def backup(self):
        shutil.copytree(self.state, self.folder.name + "/backup")

    def restore(self, *names):
        for name in names or os.listdir(self.folder.name + "/backup"):
            shutil.copy2(f"{self.folder.name}/backup/{name}", self.state)

    def accepted_since(self):
        """Messages that were accepted after the backup."""
        g = self.gateway()
        self.assertEqual(g.stop(), DONE)
        self.backup()
        g = self.gateway()
        self.identity = g.wait_for(rb"identity (larch2:\w{32})\n")[1]
        payloads = self.seal(g, 100)
        self.assertEqual([g.post(p, n) for n, p in enumerate(payloads)], [OK] * 100)
        self.assertEqual(len(g.lines(100)), 100)
        self.assertEqual(g.stop(), DONE)
        return payloads

    def check_recovers(self, payloads, **more):
        code, out, err = self.keys("recover", "--yes", **more)
        self.assertEqual((code, out), (DONE, ""), err)
        self.assertIn(self.RECOVERED, err)
        self.assertEqual([n for n in os.listdir(self.state) if n.startswith(("direct-", "replay-"))], [])
        g = self.gateway()
        self.assertEqual(g.wait_for(rb"identity (larch2:\w{32})\n")[1], self.identity)
        answers = [g.post(p, n) for n, p in enumerate(payloads)]
        self.assertNotIn(OK, answers)
        self.assertEqual(g.post(self.seal(g, 1)[0], 1000), OK)
        self.assertEqual(g.stop(), DONE)
        self.assertEqual(self.gateway().stop(), DONE)

    def test_one_old_file(self):
        payloads = self.accepted_since()
        self.restore("replay-512-1.log")
        self.refused("replay-512-1.log is older than the last start")
        self.assertEqual(self.keys("rotate")[0], FAILED)
        self.check_recovers(payloads)

    def test_whole_backup(self):
        payloads = self.accepted_since()
        shutil.rmtree(self.state)
        os.rename(self.folder.name + "/backup", self.state)
        self.check_recovers(payloads)

    def test_while_a_gateway_runs(self):
        g = self.gateway()
        before = self.keys("show")[1]
        code, out, err = self.keys("recover", "--yes")
        self.assertEqual((code, out), (FAILED, ""))
        self.assertIn("stop the gateway first", err)
        self.assertEqual(self.keys("show")[1], before)
        self.assertEqual(g.stop(), DONE)

    def test_question(self):
        self.gateway().stop()
        before = self.keys("show")[1]
        code, _, err = self.keys("recover", stdin=subprocess.DEVNULL)
        self.assertEqual(code, USAGE)
        self.assertIn("--yes", err)
        self.assertEqual(self.keys("recover", "--yes", "--kem", "512")[0], USAGE)
        for answer, expected in [("no", FAILED), ("y", FAILED), ("", FAILED), ("\x04", FAILED), ("yes", DONE)]:
            near, far = os.openpty()
            os.write(near, answer.encode() + b"\n")
            code, _, err = self.keys("recover", stdin=far)
            os.close(near)
            os.close(far)
            self.assertEqual(code, expected, err)
            self.assertIn(f"Every direct key in {self.state} will be wiped", err)
            if expected == FAILED:
                self.assertIn("nothing was changed", err)
                self.assertEqual(self.keys("show")[1], before)
        self.assertIn(self.RECOVERED, err)

    def test_messages_stay(self):
        """What waits for its reader is not lost with the keys."""
        g, pipe = self.gateway_at_pipe()
        os.close(pipe)
        self.assertEqual([g.post(p, n) for n, p in enumerate(self.seal(g, 5))], [OK] * 5)
        g.stop()
        self.assertEqual(self.keys("recover", "--yes")[0], DONE)
        g = self.gateway()
        self.assertEqual(len(g.lines(5)), 5)
        self.assertEqual(g.stop(), DONE)

    def test_nothing_there(self):
        code, _, err = self.keys("recover", "--yes")
        self.assertEqual(code, FAILED)
        self.assertIn("No such file", err)
        os.mkdir(self.state, 0o700)
        self.assertEqual(self.keys("recover", "--yes")[0], FAILED)

    @unittest.skipUnless(IS_ROOT and os.path.exists("/etc/machine-id"), "needs root and a machine-id")
    def test_other_machine(self):
        other = self.folder.name + "/machine-id"
        with open(other, "w") as f:
            f.write("0123456789abcdef" * 2 + "\n")
        if not can("unshare", "-m", "sh", "-c", f"mount --bind {other} /etc/machine-id"):
            self.skipTest("no mount namespaces")
        there = ["unshare", "-m", "sh", "-c", f"mount --bind {other} /etc/machine-id && exec \"$@\"", "sh"]
        g = self.gateway(prefix=there)
        self.identity = g.wait_for(rb"identity (larch2:\w{32})\n")[1]
        payloads = self.seal(g, 3)
        self.assertEqual([g.post(p, n) for n, p in enumerate(payloads)], [OK] * 3)
        self.assertEqual(g.stop(), DONE)
        self.refused("state.head is a copy")
        self.check_recovers(payloads)
        self.refused("state.head is a copy", prefix=there)


class Hardened(Case):
    def status(self, pid, field):
        with open(f"/proc/{pid}/status") as f:
            return re.search(rf"(?m)^{field}:\s*(\S+)", f.read())[1]

    def check(self, pid):
        with open(f"/proc/{pid}/limits") as f:
            self.assertRegex(f.read(), r"(?m)^Max core file size +0 +0 ")
        self.assertTrue(int(self.status(pid, "SigIgn"), 16) >> (signal.SIGXFSZ - 1) & 1)
        # A process that cannot be dumped is root's in /proc, whoever runs it.
        if os.geteuid() != 0:
            self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)

    def test_gateway(self):
        self.check(self.gateway().child.pid)

    def test_send(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            silent.settimeout(10)
            p = subprocess.Popen([LARCH, "send", f"coap://127.0.0.1:{silent.getsockname()[1]}", "x", "--known",
                                  self.folder.name + "/known"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(p.wait)
            self.addCleanup(p.kill)
            silent.recv(2000)
            self.check(p.pid)

    def test_demo(self):
        p = subprocess.Popen([LARCH, "demo"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        p.stdout.read(1)
        self.check(p.pid)

    def test_keys(self):
        self.gateway().stop()
        near, far = os.openpty()
        p = subprocess.Popen([LARCH, "keys", "recover", "--state", self.state], stdin=far, stderr=subprocess.PIPE)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.addCleanup(p.stderr.close)
        self.addCleanup(os.close, near)
        os.close(far)
        p.stderr.readline()  # it asks
        self.check(p.pid)

    def test_bench(self):
        p = subprocess.Popen([LARCH, "bench", "kem"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.addCleanup(p.stdout.close)
        self.check_when_ready(p.pid)

    def check_when_ready(self, pid):
        """Between the start of a process and that of its main."""
        end = time.monotonic() + 5
        while not int(self.status(pid, "SigIgn"), 16) >> (signal.SIGXFSZ - 1) & 1:
            self.assertLess(time.monotonic(), end)
        self.check(pid)

    @unittest.skipUnless(IS_ROOT, "needs root, to be another user")
    def test_not_dumpable(self):
        self.give_to_nobody()
        g = self.gateway(**AS_NOBODY)
        self.assertEqual(os.stat(f"/proc/{g.child.pid}/mem").st_uid, 0)
        p = subprocess.run(["cat", f"/proc/{g.child.pid}/maps"], capture_output=True, **AS_NOBODY)
        self.assertIn(b"Permission denied", p.stderr)

    @unittest.skipUnless(IS_ROOT, "needs root, to be another user")
    def test_locked_memory(self):
        """Whatever the limit, the gateway works; from a few megabytes on its own data are locked."""
        self.give_to_nobody()
        for kib in (0, 64, 1024, 4096, 8192):
            g = self.gateway(prefix=["prlimit", f"--memlock={kib * 1024}"], **AS_NOBODY)
            self.assertEqual(g.post(self.seal(g, 1)[0], 1), OK)
            self.check_rotates_at_all()
            locked = int(self.status(g.child.pid, "VmLck"))
            self.assertEqual(locked > 2048, kib >= 4096, (kib, locked))
            self.assertLessEqual(locked, kib)
            self.assertEqual(b"RLIMIT_MEMLOCK" in g.log(), kib < 4096)
            self.assertEqual(g.stop(), DONE)

    def check_rotates_at_all(self):
        self.assertEqual(self.keys("rotate")[0], DONE)

    def test_file_size_limit(self):
        """An error of the medium, not a death by SIGXFSZ."""
        g = self.gateway(config="[gateway]\nreplay_slots = 16\n" + UNLIMITED)
        subprocess.run(["prlimit", "--fsize=100", "--pid", str(g.child.pid)], check=True)
        self.assertRaises(TimeoutError, g.post, self.seal(g, 1)[0], 1)
        self.assertEqual(g.child.wait(20), FAILED)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    skips.main(argv=[sys.argv[0], *sys.argv[3:]])
