# SPDX-License-Identifier: Apache-2.0
"""The prototype's two boards as a network sees them, for tests.

Written from PROTOCOL.md alone: its CoAP, layouts and key derivation are its own,
so that a mistake in larch is not repeated here. Only ML-KEM and AES-CCM come
from proto_crypto, because Python's library has neither.
"""
import base64
import collections
import hashlib
import hmac
import os
import select
import socket
import struct
import subprocess
import threading
import time

CON, NON, ACK, RST = range(4)
EMPTY, GET, POST = 0, 1, 2
CHANGED, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 0x44, 0x80, 0x81, 0x84
URI_PATH = 11
EK_LEN, CT_LEN, TAG_LEN, TEXT_MAX, NONCES = 800, 768, 16, 64, 32

Message = collections.namedtuple("Message", "type code mid token options payload")


# ---- CoAP -------------------------------------------------------------------


def build(kind, code, mid, token=b"", path=(), payload=b""):
    out = bytes([0x40 | kind << 4 | len(token), code]) + struct.pack(">H", mid) + token
    delta = URI_PATH
    for segment in path:
        assert len(segment) < 13
        out += bytes([delta << 4 | len(segment)]) + segment.encode()
        delta = 0
    return out + (b"\xff" + payload if payload else b"")


def parse(datagram):
    first, code, mid = struct.unpack_from(">BBH", datagram)
    assert first >> 6 == 1, "not CoAP version 1"
    at = 4 + (first & 15)
    token, options, number = datagram[4:at], [], 0
    while at < len(datagram) and datagram[at] != 0xFF:
        fields = [datagram[at] >> 4, datagram[at] & 15]
        at += 1
        for i, value in enumerate(fields):
            if value == 13:
                fields[i], at = datagram[at] + 13, at + 1
            elif value == 14:
                fields[i], at = struct.unpack_from(">H", datagram, at)[0] + 269, at + 2
        number += fields[0]
        options.append((number, datagram[at : at + fields[1]]))
        at += fields[1]
    return Message(first >> 4 & 3, code, mid, token, options, datagram[at + 1 :])


def path_of(message):
    return "/".join(v.decode() for n, v in message.options if n == URI_PATH)


# ---- cryptography -----------------------------------------------------------


class Crypto:
    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def __call__(self, what, *arguments):
        with self.lock:
            self.child.stdin.write(" ".join([what] + [a.hex() or "-" for a in arguments]) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline().strip()
        assert line not in ("", "ERROR"), what
        if line == "AUTH":
            return None
        words = [b"" if w == "-" else bytes.fromhex(w) for w in line.split()]
        return words[0] if len(words) == 1 else words

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()


def derive_key(ss):
    """HKDF-SHA-256, no salt, info "ML-KEM-AEAD", 16 bytes."""
    prk = hmac.new(bytes(32), ss, hashlib.sha256).digest()
    return hmac.new(prk, b"ML-KEM-AEAD\x01", hashlib.sha256).digest()[:16]


def seal(crypto, ek, text):
    ct, ss = crypto("encaps", ek)
    nonce = os.urandom(12)
    return struct.pack("<BBHH", 3, 0, len(ct), len(text)) + nonce + ct + crypto("seal", derive_key(ss), nonce, text)


# ---- the gateway board ------------------------------------------------------


class PrototypeGateway(threading.Thread):
    """Answers POST /pqkem-pk and POST /pqkem-data, with Uri-Path in its answers, which are
    acknowledgements of NON requests too; silent to all else."""

    def __init__(self, crypto, address="127.0.0.1"):
        super().__init__(daemon=True)
        self.crypto = crypto
        self.ek, self.dk = crypto("keygen")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.nonces = collections.deque(maxlen=NONCES)
        self.texts, self.requests = [], []
        self.verdict = None  # what to answer instead of opening
        self.running = True
        self.start()

    def fingerprint(self):
        return "larch1:" + base64.b32encode(hashlib.sha256(self.ek).digest()[:20]).decode().lower()

    def run(self):
        while self.running:
            if select.select([self.socket], [], [], 0.1)[0]:
                datagram, peer = self.socket.recvfrom(2048)
                self.take(parse(datagram), peer)

    def stop(self):
        self.running = False
        self.join()
        self.socket.close()

    def take(self, m, peer):
        self.requests.append((m.code, path_of(m)))
        if m.code != POST:
            return
        if path_of(m) == "pqkem-pk":
            code, payload = CHANGED, self.ek
        elif path_of(m) == "pqkem-data":
            words = self.verdict or self.open(m.payload)
            code = {"OK": CHANGED, "REPLAY": UNAUTHORIZED}.get(words, BAD_REQUEST)
            payload = words.encode()
        else:
            return
        self.socket.sendto(build(ACK, code, m.mid, m.token, [path_of(m)], payload), peer)

    def open(self, payload):
        if len(payload) < 18:
            return "BAD_LEN"
        kind, _, ct_len, text_len = struct.unpack_from("<BBHH", payload)
        nonce, ct, sealed = payload[6:18], payload[18 : 18 + ct_len], payload[18 + ct_len :]
        if kind != 3:
            return "BAD_TYPE"
        if ct_len != CT_LEN:
            return "BAD_CT"
        if text_len > TEXT_MAX:
            return "BAD_TEXTLEN"
        if len(sealed) != text_len + TAG_LEN:
            return "BAD_LEN"
        if nonce in self.nonces:
            return "REPLAY"
        text = self.crypto("open", derive_key(self.crypto("decaps", self.dk, ct)), nonce, sealed)
        if text is None:
            return "AUTH_FAIL"
        self.nonces.append(nonce)
        self.texts.append(text)
        return "OK"


# ---- the sender board -------------------------------------------------------


class PrototypeSender:
    """Finds its gateway by broadcast; knows no Echo, no block and no token."""

    KEY_WAIT = 5

    def __init__(self, crypto):
        self.crypto = crypto
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.mid = int.from_bytes(os.urandom(2), "big")

    def close(self):
        self.socket.close()

    def ask(self, to, path, payload=b""):
        """The answer to a confirmable POST without a token, and who sent it; None if there is none."""
        self.mid = (self.mid + 1) & 0xFFFF
        self.socket.sendto(build(CON, POST, self.mid, b"", [path], payload), to)
        end = time.monotonic() + self.KEY_WAIT
        while (left := end - time.monotonic()) > 0 and select.select([self.socket], [], [], left)[0]:
            datagram, peer = self.socket.recvfrom(2048)
            m = parse(datagram)
            if path == "pqkem-pk" and path_of(m) != "pqkem-pk":
                continue  # that is how it tells the key from everything else
            return m, peer
        return None, None

    def find(self, to):
        """The gateway's key and address."""
        m, peer = self.ask(to, "pqkem-pk")
        return (m.payload, peer) if m is not None and len(m.payload) == EK_LEN else (None, None)

    def send(self, ek, to, text):
        """What the gateway answers to a sealed text; and the message, for a replay."""
        message = seal(self.crypto, ek, text)
        m, _ = self.ask(to, "pqkem-data", message)
        return (m.payload.decode() if m is not None else None), message
