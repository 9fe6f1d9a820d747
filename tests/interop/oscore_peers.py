# SPDX-License-Identifier: Apache-2.0
"""Runs the OSCORE peers: clients that have one face (ask, observe, next, restart), servers, and proxies in between.
The environment names their programs: OSCORE_PEERS is the folder that tools/oscore_peers.sh fills."""
import collections
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from peers import WAIT_S, free_port, wait_bound

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oscore")
sys.path.insert(1, HERE)
from contexts import Context  # noqa: E402,F401

PEERS = os.environ["OSCORE_PEERS"]
PYTHON, COAP_CLIENT, COAP_SERVER = (os.path.join(PEERS, name) for name in ("python3", "coap-client", "coap-server"))
# Each peer waits this long for an answer that does not come.
PATIENCE_S = 8

Answer = collections.namedtuple("Answer", "code text protected")


def read_line(process, seconds=WAIT_S):
    """A line of a process's unbuffered stdout, without its end."""
    line, end = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"no line within {seconds} s, {line!r}")
        byte = os.read(process.stdout.fileno(), 1)
        if not byte:
            raise AssertionError(f"the process has ended after {line!r}")
        line += byte
    return line[:-1].decode()


def start(*command, **more):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, **more)


def stop(process, number=signal.SIGKILL):
    process.send_signal(number)
    process.wait(WAIT_S)
    process.stdout.close()
    if process.stdin:
        process.stdin.close()


# ---- clients ----------------------------------------------------------------


class AiocoapClient:
    """context None: it does not protect its requests. Its numbers live in a folder below the given one."""
    def __init__(self, uri, context, folder):
        self.uri = uri
        self.keys = context and context.write_folder(os.path.join(folder, "aiocoap-client"))
        self.process = None
        self.run()

    def run(self):
        self.process = start(PYTHON, os.path.join(HERE, "aiocoap_client.py"), *([self.keys] if self.keys else []),
                             stdin=subprocess.PIPE)

    def order(self, **words):
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        answer = json.loads(read_line(self.process))
        if "code" not in answer:
            raise AssertionError(f"{words}: {answer}")
        return Answer(answer["code"], answer["text"], self.keys is not None and "error" not in answer)

    def ask(self, method, path, text="", content_format=None):
        more = {} if content_format is None else {"format": content_format}
        return self.order(do=method, uri=self.uri + path, text=text, **more)

    def observe(self, path):
        """The answer to the registration."""
        return self.order(do="observe", uri=self.uri + path).text

    def next(self):
        """The next notification."""
        return self.order(do="next").text

    def restart(self):
        """As from a clean stop."""
        self.process.stdin.write(b'{"do": "end"}\n')
        self.process.wait(WAIT_S)
        self.close()
        self.run()

    def crash(self):
        """It goes on with what it stored while it ran."""
        self.close()
        self.run()

    def forget_numbers(self):
        """It starts again from number 0, as a device that lost what it stored."""
        self.close()
        os.unlink(os.path.join(self.keys, "sequence.json"))
        self.run()

    def close(self):
        stop(self.process)


class LibcoapClient:
    """coap-client, which runs anew for each request. options: more for its command line."""
    def __init__(self, uri, context, folder, *options):
        self.uri, self.options = uri, options
        self.folder = os.path.join(folder, "libcoap-client")
        os.makedirs(self.folder)
        self.numbers = os.path.join(self.folder, "numbers")
        self.protect = ()
        if context:
            self.protect = ("-E", context.write_conf(os.path.join(self.folder, "conf")) + "," + self.numbers)
        self.observing = None

    def command(self, path, *options):
        # -U: with a proxy, coap-client could not protect the Uri-Port that it adds.
        return [COAP_CLIENT, "-U", "-B", str(PATIENCE_S), *self.protect, *self.options, *options, self.uri + path]

    def ask(self, method, path, text="", content_format=None):
        options = ["-v", "7", "-m", method, "-o", os.path.join(self.folder, "answer")]
        if text:
            with open(os.path.join(self.folder, "text"), "w", encoding="utf-8") as file:
                file.write(text)
            options += ["-f", file.name]
        if content_format is not None:
            options += ["-t", str(content_format)]
        log = subprocess.run(self.command(path, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=WAIT_S, check=False).stdout.decode("utf-8", "backslashreplace")
        return self.read_log(log)

    def read_log(self, log):
        """The last answer. Error texts stand in the log alone."""
        answers = re.findall(r"v:1 t:\w+ c:([245]\.\d\d)[^\n]*?\](?: :: (?:'([^\n]*)'|[^\n]*))?\n", log)
        if not answers:
            raise AssertionError(f"no answer: {log}")
        code, text = answers[-1]
        with contextlib.suppress(FileNotFoundError), open(os.path.join(self.folder, "answer"), "rb") as file:
            text = file.read().decode().removesuffix("\n")
            os.unlink(file.name)
        return Answer(code, text, log.rfind("Decrypted PDU") > log.rfind("PDU to encrypt"))

    def observe(self, path):
        self.observing = start(*self.command(path, "-w", "-s", "60"))
        return read_line(self.observing)

    def next(self):
        return read_line(self.observing)

    def restart(self):
        """Nothing to do: it starts anew for each request, from the number in its file."""

    crash = restart

    def forget_numbers(self):
        os.unlink(self.numbers)

    def close(self):
        if self.observing:
            stop(self.observing)


# ---- servers ----------------------------------------------------------------


class Server:
    """Has .uri; kill() loses what it has not stored, run() starts it again on its port."""
    def __init__(self):
        self.port = free_port()
        self.uri = f"coap://127.0.0.1:{self.port}"
        self.run()

    def kill(self):
        stop(self.process)

    close = kill


class AiocoapServer(Server):
    def __init__(self, context, folder):
        self.keys = context.write_folder(os.path.join(folder, "aiocoap-server"))
        super().__init__()

    def run(self):
        self.process = start(PYTHON, os.path.join(HERE, "aiocoap_server.py"), str(self.port), self.keys)
        if read_line(self.process) != "listening":
            raise AssertionError("aiocoap's server did not start")

    def request(self):
        """The next request that reached a resource."""
        return json.loads(read_line(self.process))

    def stored(self):
        """What /store holds: the last body that reached it, with all that came before taken off the list."""
        body = None
        while select.select([self.process.stdout], [], [], 0)[0]:
            request = self.request()
            body = request["payload"] if request["path"] == "store" else body
        return body


class LibcoapServer(Server):
    """It answers without protection too, and makes a resource of each path that is put."""
    def __init__(self, context, folder, **keywords):
        self.conf = context.write_conf(os.path.join(folder, "libcoap-server.conf"), **keywords)
        super().__init__()

    def run(self):
        self.process = start(COAP_SERVER, "-A", "127.0.0.1", "-p", str(self.port), "-d", "10", "-E",
                             f"{self.conf},{self.conf}.numbers")
        wait_bound(self.port)

    def stored(self):
        """What /store holds, or None."""
        answer = subprocess.run([COAP_CLIENT, "-B", str(PATIENCE_S), self.uri + "/store"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
        return None if answer.stderr else answer.stdout.decode().removesuffix("\n")


# ---- between them ------------------------------------------------------------


class Tap(threading.Thread):
    """Passes datagrams on to a port, and keeps what went there."""
    def __init__(self, port):
        super().__init__(daemon=True)
        self.target = ("127.0.0.1", port)
        self.front = self.socket()
        self.uri = f"coap://127.0.0.1:{self.front.getsockname()[1]}"
        self.requests = []
        self.ended = False
        self.start()

    @staticmethod
    def socket():
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("127.0.0.1", 0))
        return opened

    def run(self):
        behind, clients = {}, {}
        while not self.ended:
            for ready in select.select([self.front, *clients], [], [], 0.1)[0]:
                datagram, sender = ready.recvfrom(2048)
                if ready is not self.front:
                    self.front.sendto(datagram, clients[ready])
                    continue
                if sender not in behind:
                    behind[sender] = self.socket()
                    clients[behind[sender]] = sender
                self.requests.append(datagram)
                behind[sender].sendto(datagram, self.target)
        for opened in (self.front, *clients):
            opened.close()

    def replay(self):
        """Everything again, from another address; waits for the answers to what is answered."""
        with self.socket() as again:
            again.settimeout(0.2)
            for datagram in list(self.requests):
                again.sendto(datagram, self.target)
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    again.recv(2048)

    def close(self):
        self.ended = True
        self.join()


# ---- proxies ----------------------------------------------------------------


@contextlib.contextmanager
def aiocoap_proxy(target):
    """A reverse proxy to the target, "coap://ADDRESS:PORT"; gives its URI."""
    port = free_port()
    transports = {"AIOCOAP_CLIENT_TRANSPORT": "simple6", "AIOCOAP_SERVER_TRANSPORT": "simplesocketserver"}
    process = start(PYTHON, "-m", "aiocoap.cli.proxy", "--reverse", "--unconditional", target.removeprefix("coap://"),
                    "--bind", f"127.0.0.1:{port}", env=os.environ | transports)
    try:
        wait_bound(port)
        yield f"coap://127.0.0.1:{port}"
    finally:
        stop(process)


@contextlib.contextmanager
def libcoap_proxy():
    """A forward proxy; gives its URI, for coap-client -P."""
    port = free_port()
    process = start(COAP_SERVER, "-A", "127.0.0.1", "-p", str(port), "-P", ",a-name-of-its-own")
    try:
        wait_bound(port)
        yield f"coap://127.0.0.1:{port}"
    finally:
        stop(process)


class LibcoapClientOfProxy(LibcoapClient):
    """Through a forward proxy. Its paths go as options: coap-client would add those of the URI twice."""
    def __init__(self, proxy, uri, context, folder):
        super().__init__(uri, context, folder, "-P", proxy)

    def command(self, path, *options):
        segments = [word for segment in path.strip("/").split("/") for word in ("-O", "11," + segment)]
        return super().command("", *segments, *options)
