# SPDX-License-Identifier: Apache-2.0
"""Ten honest senders as real programs, a message a second each: four known ones and three new ones run larch send, three
are prototypes that were noted before."""
import collections
import socket
import subprocess
import threading
import time

import prototype

import network

KINDS = {"known": range(1, 5), "new": range(5, 8), "prototype": range(8, 11)}
TRIES, FIRST_WAIT = 5, 2  # a confirmable message and its retransmissions [RFC7252 4.2]
SEND_TIMEOUT = 60


class Senders:
    def __init__(self, net, larch, proto_crypto, folder, pin):
        self.net, self.larch, self.folder, self.pin = net, larch, folder, pin
        self.crypto = prototype.Crypto(proto_crypto)
        self.port = 0
        self.number = 0
        self.ek = None
        self.results = collections.defaultdict(list)  # of each kind: (text, whether it was through, why not)

    def close(self):
        self.crypto.close()

    # ---- one message --------------------------------------------------------

    def send_larch(self, place, kind, text, kem):
        known = f"{self.folder}/known-{place}" if kind == "known" else f"{self.folder}/new-{place}-{text}"
        arguments = [self.larch, "send", f"coap://{network.gateway_at(place)}:{self.port}", text, "--kem", kem,
                     "--pin", self.pin, "--known", known, "--timeout", "30"]
        result = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SEND_TIMEOUT)
        return result.returncode == 0, f"exit {result.returncode}: {result.stderr.decode()[-200:]}"

    def ask_as_prototype(self, place, path, payload):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            self.number += 1
            datagram = prototype.build(prototype.CON, prototype.POST, self.number & 0xFFFF, b"", [path], payload)
            s.bind((network.sender_at(place), 30000 + place))  # as a board, which keeps its port
            for i in range(TRIES):
                s.sendto(datagram, (network.gateway_at(place), self.port))
                s.settimeout(FIRST_WAIT << i)
                try:
                    return prototype.parse(s.recv(2048))
                except TimeoutError:
                    continue
        return None

    def send_prototype(self, place, text):
        if self.ek is None:
            answer = self.ask_as_prototype(place, "pqkem-pk", b"")
            if answer is None or len(answer.payload) != prototype.EK_LEN:
                return False, "no key"
            self.ek = answer.payload
        answer = self.ask_as_prototype(place, "pqkem-data", prototype.seal(self.crypto, self.ek, text.encode()))
        return answer is not None and answer.payload == b"OK", str(answer)

    # ---- all of them ----------------------------------------------------------

    def run_one(self, row, place, kind, kem, count, end):
        self.net.enter_outside()
        begin = time.monotonic()
        for i in range(count):
            time.sleep(max(0, begin + i + place / 10 - time.monotonic()))
            text = f"{row}-{place}-{i}"
            try:
                good, why = self.send_prototype(place, text) if kind == "prototype" else self.send_larch(
                    place, kind, text, kem)
            except (subprocess.TimeoutExpired, OSError) as e:
                good, why = False, str(e)
            self.results[kind].append((text, good, why))
            if time.monotonic() > end:
                break

    def run(self, row, count, kem="512", kinds=tuple(KINDS), seconds=120):
        """Each sends so many messages, one a second. Returns {kind: (through, offered)}."""
        self.results.clear()
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.run_one, args=(row, place, kind, kem, count, end))
                   for kind in kinds for place in KINDS[kind]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {kind: (sum(good for _, good, _ in self.results[kind]), count * len(KINDS[kind])) for kind in kinds}

    def texts(self, good):
        return [text for kind in self.results.values() for text, was, _ in kind if was == good]

    def reasons(self):
        return [f"{text}: {why}" for kind in self.results.values() for text, good, why in kind if not good]
