# SPDX-License-Identifier: Apache-2.0
"""A relay between clients and a gateway, which records what passes, and writes it as a capture."""
import socket
import threading

import make_captures


class Tap:
    """passed: (from the client, datagram). One client at a time."""

    def __init__(self, address):
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind(("127.0.0.1", 0))
        self.back.connect(address)
        self.uri = "coap://127.0.0.1:%d" % self.front.getsockname()[1]
        self.passed, self.client = [], None
        for forward in (self.ask, self.answer):
            threading.Thread(target=forward, daemon=True).start()

    def ask(self):
        while True:
            datagram, self.client = self.front.recvfrom(2048)
            self.passed.append((True, datagram))
            self.back.send(datagram)

    def answer(self):
        while True:
            datagram = self.back.recv(2048)
            self.passed.append((False, datagram))
            self.front.sendto(datagram, self.client)

    def capture(self, folder):
        """The path of a capture, in which all clients are one."""
        talk = make_captures.Talk(make_captures.Pcap(folder, "talk", make_captures.ETHERNET))
        for asks, datagram in self.passed:
            (talk.ask if asks else talk.answer)(datagram, after=1000)
        talk.pcap.file.close()
        return folder + "/talk.pcap"
