# SPDX-License-Identifier: Apache-2.0
"""The sealed message in the form of COSE as another implementation would read and write it, for tests.

Written from PROTOCOL.md, RFC 8949, RFC 9052 and SP 800-185 alone: CBOR, KMAC256, header maps and the KDF's context are its
own, so that a mistake in larch is not repeated here. Only ML-KEM and AES-CCM come from proto_crypto.
"""
import hashlib
import os
import struct

import prototype

CONTENT_FORMAT, FORMAT = 12, b"\x60"  # 96: application/cose; cose-type="cose-encrypt"
ML_KEM_512, AES_CCM_16_128_128 = -66048, 30
ALG, KID, IV, EK = 1, 4, 5, -4


# ---- CBOR [RFC 8949] ----------------------------------------------------------


class Tagged:
    def __init__(self, number, value):
        self.number, self.value = number, value


def head(major, argument):
    for info, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32)):
        if argument < 24:
            return bytes([major << 5 | argument])
        if argument < limit:
            return bytes([major << 5 | info]) + struct.pack(form, argument)
    raise ValueError(argument)


def encode(item):
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(encode, item))
    if isinstance(item, dict):
        return head(5, len(item)) + b"".join(sorted(encode(k) + encode(v) for k, v in item.items()))
    return head(6, item.number) + encode(item.value)


def decode(data, at=0):
    """The item that begins there, and where the next one would."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info >= 24:
        size = 1 << (info - 24)
        assert size <= 8, "indefinite length"
        info, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return info, at
    if major == 1:
        return -1 - info, at
    if major in (2, 3):
        assert at + info <= len(data), "cut short"
        return data[at : at + info] if major == 2 else data[at : at + info].decode(), at + info
    if major == 6:
        value, at = decode(data, at)
        return Tagged(info, value), at
    items = []
    for _ in range(info * (major - 3)):
        item, at = decode(data, at)
        items.append(item)
    return items if major == 4 else dict(zip(items[::2], items[1::2])), at


def decode_all(data):
    """One item, whose deterministic encoding data is."""
    item, end = decode(data)
    assert end == len(data) and encode(item) == data, "not deterministic"
    return item


# ---- KMAC256 [SP 800-185] -----------------------------------------------------


def permute(a):
    """Keccak-f[1600] on 25 lanes."""
    mask, rc = (1 << 64) - 1, 1
    rotate = lambda x, n: (x << n | x >> (64 - n)) & mask if n else x  # noqa: E731
    for _ in range(24):
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        a = [a[i] ^ c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1) for i in range(25)]
        b = [a[0]] + [0] * 24
        x, y = 1, 0
        for t in range(24):
            b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(a[x + 5 * y], (t + 1) * (t + 2) // 2 % 64)
            x, y = y, (2 * x + 3 * y) % 5
        a = [b[i] ^ (~b[i // 5 * 5 + (i + 1) % 5] & mask & b[i // 5 * 5 + (i + 2) % 5]) for i in range(25)]
        for j in range(7):
            if rc & 1:
                a[0] ^= 1 << ((1 << j) - 1)
            rc = rc << 1 ^ (0x171 if rc & 0x80 else 0)
    return a


def sponge(data, suffix, out_len, rate=136):
    """out_len: no more than one block."""
    data = bytearray(data) + bytes([suffix]) + bytes(-(len(data) + 1) % rate)
    data[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(data), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(data[at + 8 * i : at + 8 * i + 8], "little")
        state = permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state)[:out_len]


def number(n):
    return n.to_bytes(max(1, (n.bit_length() + 7) // 8), "big")


def string(s):
    n = number(8 * len(s))
    return bytes([len(n)]) + n + s


def pad(s, rate=136):
    s = b"\x01" + bytes([rate]) + s
    return s + bytes(-len(s) % rate)


def kmac256(key, context, out_len):
    right = number(8 * out_len)
    right += bytes([len(right)])
    return sponge(pad(string(b"KMAC") + string(b"")) + pad(string(key)) + context + right, 0x04, out_len)


assert sponge(b"larch", 0x1F, 32) == hashlib.shake_256(b"larch").digest(32)


# ---- the message ----------------------------------------------------------------


def content_key(ss, recipient_protected):
    return kmac256(ss, encode([AES_CCM_16_128_128, [128, recipient_protected]]), 16)


AAD = encode(["Encrypt", encode({ALG: AES_CCM_16_128_128}), b""])


def seal(crypto, ek, text):
    ct, ss = crypto("encaps", ek)
    iv = os.urandom(13)
    protected = encode({ALG: ML_KEM_512, KID: hashlib.sha256(ek).digest()[:4]})
    sealed = crypto("seal", content_key(ss, protected), iv, text, AAD)
    return encode(Tagged(96, [encode({ALG: AES_CCM_16_128_128}), {IV: iv}, sealed, [[protected, {EK: ct}, b""]]]))


def open_message(crypto, ek, dk, payload):
    """The text of a message, every field of which is checked."""
    message = decode_all(payload)
    assert message.number == 96
    body, unprotected, sealed, [[recipient, keys, encrypted_key]] = message.value
    assert decode_all(body) == {ALG: AES_CCM_16_128_128}
    assert decode_all(recipient) == {ALG: ML_KEM_512, KID: hashlib.sha256(ek).digest()[:4]}
    assert list(unprotected) == [IV] and len(unprotected[IV]) == 13
    assert list(keys) == [EK] and len(keys[EK]) == 768 and encrypted_key == b""
    ss = crypto("decaps", dk, keys[EK])
    return crypto("open", content_key(ss, recipient), unprotected[IV], sealed, AAD)


def request(mid, payload, content_format=FORMAT):
    options = bytes([0xB0 | len("pqkem-data")]) + b"pqkem-data" + bytes([0x10 | len(content_format)]) + content_format
    return bytes([0x40, prototype.POST]) + struct.pack(">H", mid) + options + b"\xff" + payload


class CoseGateway(prototype.PrototypeGateway):
    """Answers GET /pqkem-pk, and POST /pqkem-data in the form of COSE."""

    def take(self, m, peer):
        self.requests.append(m)
        path = prototype.path_of(m)
        if m.code == prototype.GET and path == "pqkem-pk":
            answer = bytes([0x60 | len(m.token), 0x45]) + struct.pack(">H", m.mid) + m.token + b"\xff" + self.ek
        elif m.code == prototype.POST and path == "pqkem-data" and (CONTENT_FORMAT, FORMAT) in m.options:
            text = open_message(self.crypto, self.ek, self.dk, m.payload)
            self.texts.append(text)
            answer = prototype.build(prototype.ACK, prototype.CHANGED, m.mid, m.token, (), b"OK" if text else b"?")
        else:
            answer = prototype.build(prototype.ACK, prototype.NOT_FOUND, m.mid, m.token)
        self.socket.sendto(answer, peer)
