#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the captures that the sniffer's tests read, byte by byte and always the same.

Usage: make_captures.py FOLDER
"""
import gzip
import hashlib
import os
import random
import struct
import sys

ETHERNET, NULL, RAW, WIFI, LOOP, SLL, RADIOTAP, IPV4, IPV6, SLL2 = 1, 0, 101, 105, 108, 113, 127, 228, 229, 276
PPP, PPPOE = 9, 51
CON, NON, ACK, RST = 0, 1, 2, 3
GET, POST = 1, 2
SETS = {512: (800, 768), 768: (1184, 1088), 1024: (1568, 1568), 'xwing': (1216, 1120)}

GATEWAY, SENDER, ATTACKER, OTHER = '192.0.2.1', '192.0.2.7', '198.51.100.66', '203.0.113.9'
rng = random.Random(0x1a4c4)


def noise(n):
    return rng.randbytes(n)


# ---- files ------------------------------------------------------------------

class Pcap:
    def __init__(self, folder, name, link, snaplen=65535):
        self.file = open(os.path.join(folder, name + '.pcap'), 'wb')
        self.time = 1_795_186_800_000_000  # microseconds
        self.snaplen = snaplen
        self.file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link))

    def add(self, frame, after_ms=1.0):
        self.time += int(after_ms * 1000)
        kept = frame[:self.snaplen]
        self.file.write(struct.pack('<IIII', self.time // 10**6, self.time % 10**6, len(kept), len(frame)) + kept)


# ---- network ----------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(text):
    return bytes(int(part) for part in text.split('.'))


def ip6(text):
    head, _, tail = text.partition('::')
    groups = [[int(g, 16) for g in part.split(':') if g] for part in (head, tail)]
    groups = groups[0] + [0] * (8 - len(groups[0]) - len(groups[1])) + groups[1]
    return struct.pack('!8H', *groups)


def udp(src, sport, dst, dport, payload):
    length = 8 + len(payload)
    header = struct.pack('!HHHH', sport, dport, length, 0)
    total = checksum(src + dst + struct.pack('!IHBB', length, 0, 0, 17) + header + payload) or 0xffff
    return struct.pack('!HHHH', sport, dport, length, total) + payload


def ipv4_packet(src, dst, payload, ident=1, flags=0x4000, options=b'', ttl=64):
    header = struct.pack('!BBHHHBBH4s4s', 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident, flags,
                         ttl, 17, 0, ip4(src), ip4(dst)) + options
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + payload


def ipv4(src, sport, dst, dport, payload, **more):
    return ipv4_packet(src, dst, udp(ip4(src), sport, ip4(dst), dport, payload), **more)


def ipv4_fragments(src, sport, dst, dport, payload, size, ident):
    whole = udp(ip4(src), sport, ip4(dst), dport, payload)
    for at in range(0, len(whole), size):
        more = 0x2000 if at + size < len(whole) else 0
        yield ipv4_packet(src, dst, whole[at:at + size], ident=ident, flags=more | at // 8)


def ipv6(src, sport, dst, dport, payload, extensions=()):
    """extensions: (next header number, bytes whose first byte is to be filled in)"""
    body, following = udp(ip6(src), sport, ip6(dst), dport, payload), 17
    for number, header in reversed(extensions):
        body, following = bytes([following]) + header[1:] + body, number
    return struct.pack('!IHBB', 6 << 28, len(body), following, 64) + ip6(src) + ip6(dst) + body


def ethernet(packet, tags=()):
    kind = struct.pack('!H', 0x0800 if packet[0] >> 4 == 4 else 0x86dd)
    for tpid, vlan in reversed(tags):
        kind = struct.pack('!HH', tpid, vlan) + kind
    # the tag protocol stands where the type stood; (type, vlan) pairs nest outside in
    return b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02' + kind + packet


def pppoe(packet):
    return struct.pack('!BBHH', 0x11, 0, 5, 2 + len(packet)) + b'\0\x21' + packet


def llc(packet):
    return b'\xaa\xaa\x03\0\0\0' + struct.pack('!H', 0x0800 if packet[0] >> 4 == 4 else 0x86dd) + packet


def wifi(body, qos=False, four=False, protected=False, amsdu=False, ht=False):
    flags = (3 if four else 1) | (0x40 if protected else 0) | (0x80 if ht else 0)
    header = bytes([0x88 if qos else 0x08, flags, 0, 0]) + b'\x02\0\0\0\0\x01' * 3 + b'\x10\0'
    if four:
        header += b'\x02\0\0\0\0\x04'
    if qos:
        header += bytes([0x80 if amsdu else 0, 0]) + (b'\0\0\0\0' if ht else b'')
    return header + body


def radiotap(frame, fcs=False, tsft=True):
    present = (1 if tsft else 0) | 2
    fields = (b'\0' * 8 if tsft else b'') + bytes([0x10 if fcs else 0])
    return struct.pack('<BBHI', 0, 0, 8 + len(fields), present) + fields + frame + (b'\xde\xad\xbe\xef' if fcs else b'')


def amsdu(packets):
    out = b''
    for packet in packets:
        out += b'\0' * (-len(out) % 4)
        out += b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02' + struct.pack('!H', len(llc(packet))) + llc(packet)
    return out


# ---- CoAP -------------------------------------------------------------------

def option(delta, value):
    def nibble(n):
        return (n, b'') if n < 13 else (13, bytes([n - 13])) if n < 269 else (14, struct.pack('!H', n - 269))
    (d, more_d), (l, more_l) = nibble(delta), nibble(len(value))
    return bytes([d << 4 | l]) + more_d + more_l + value


def uint(n):
    return n.to_bytes((n.bit_length() + 7) // 8, 'big')


def coap(kind, code, mid, token=b'', path='', query=(), options=(), payload=b''):
    """code: a method's number, or '2.05'"""
    if isinstance(code, str):
        code = int(code[0]) << 5 | int(code[2:])
    listed = [(11, part.encode()) for part in path.split('/') if part] + [(15, q.encode()) for q in query]
    out, last = bytes([0x40 | kind << 4 | len(token), code]) + struct.pack('!H', mid) + token, 0
    for number, value in sorted(listed + list(options), key=lambda o: o[0]):
        out += option(number - last, value)
        last = number
    return out + (b'\xff' + payload if payload else b'')


def block(number, num, more, szx=6):
    return (number, uint(num << 4 | (8 if more else 0) | szx))


# ---- the direct exchange ----------------------------------------------------

def key(kem=512):
    numbers = [rng.randrange(3329) for _ in range(768 if kem == 'xwing' else kem)]
    packed = b''.join(struct.pack('<I', numbers[i] | numbers[i + 1] << 12)[:3] for i in range(0, len(numbers), 2))
    return packed + noise(SETS[kem][0] - len(packed))


def sealed(kem=512, text=5, body=None):
    ct = SETS[kem][1]
    return struct.pack('<BBHH', 3, 0, ct, text) + noise(12) + (body or noise(ct + text + 16))


def etag(ek):
    return (4, hashlib.sha256(ek).digest()[:8])


OCTETS = (12, uint(42))


class Talk:
    """A capture on Ethernet between hosts that speak CoAP; each call is one packet."""

    def __init__(self, pcap, v6=False):
        self.pcap = pcap
        self.mid = 1000

    def ask(self, message, source=SENDER, port=40000, to=GATEWAY, dport=5683, after=1.0):
        self.pcap.add(ethernet(ipv4(source, port, to, dport, message)), after)

    def answer(self, message, to=SENDER, port=40000, source=GATEWAY, sport=5683, after=0.4):
        self.pcap.add(ethernet(ipv4(source, sport, to, port, message)), after)

    def next(self):
        self.mid += 1
        return self.mid, struct.pack('!I', 0x10000000 + self.mid)

    def fetch_key(self, ek, after=1000.0):
        mid, token = self.next()
        self.ask(coap(CON, GET, mid, token, 'pqkem-pk'), after=after)
        self.answer(coap(ACK, '2.05', mid, token, options=[etag(ek), OCTETS], payload=ek))

    def post(self, body, answer='OK', code='2.04', **who):
        mid, token = self.next()
        self.ask(coap(CON, POST, mid, token, 'pqkem-data', options=[OCTETS], payload=body), after=500.0, **who)
        self.answer(coap(ACK, code, mid, token, payload=answer.encode()), to=who.get('source', SENDER),
                    port=who.get('port', 40000))


def in_blocks(t, kem, sender=SENDER):
    """A key and a message of a larger set. Each has a sender of its own: tshark keeps bodies apart by addresses alone."""
    ek, body = key(kem), sealed(kem, 11)
    for num, at in enumerate((0, 1024)):
        mid, token = t.next()
        asked = [block(23, num, False)] if num else []
        t.ask(coap(CON, GET, mid, token, 'pqkem-pk', [f'kem={kem}'], asked), source=sender, after=500)
        t.answer(coap(ACK, '2.05', mid, token, options=[etag(ek), OCTETS, block(23, num, at + 1024 < len(ek))],
                      payload=ek[at:at + 1024]), to=sender)
    for num, at in enumerate((0, 1024)):
        mid, token = t.next()
        last = at + 1024 >= len(body)
        t.ask(coap(CON, POST, mid, token, 'pqkem-data', options=[OCTETS, block(27, num, not last)],
                   payload=body[at:at + 1024]), source=sender, after=5)
        t.answer(coap(ACK, '2.04' if last else '2.31', mid, token, options=[block(27, num, not last)],
                      payload=b'OK' if last else b''), to=sender)


def direct(folder):
    """What a healthy network looks like: nothing here may raise an alert."""
    t = Talk(Pcap(folder, 'direct', ETHERNET))
    t.fetch_key(key())
    t.post(sealed(text=5))
    t.post(sealed(text=64))
    # a lost answer: the request comes again, and so does the answer
    mid, token = t.next()
    message = coap(CON, POST, mid, token, 'pqkem-data', payload=sealed())
    t.ask(message, after=500)
    t.ask(message, after=2000)
    t.answer(coap(ACK, '2.04', mid, token, payload=b'OK'))
    t.answer(coap(ACK, '2.04', mid, token, payload=b'OK'))
    # an answer on its own, acknowledged
    mid, token = t.next()
    t.ask(coap(CON, GET, mid, token, '.well-known/core'), after=500)
    t.answer(coap(ACK, 0, mid))
    t.answer(coap(CON, '2.05', 7, token, options=[(12, uint(40))], payload=b'</pqkem-pk>;rt="larch.key"'), after=30)
    t.ask(coap(ACK, 0, 7))
    # a gateway under load asks for an Echo, and gets the same message with it
    body = sealed()
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, 'pqkem-data', payload=body), after=500)
    t.answer(coap(ACK, '4.01', mid, token, options=[(252, noise(8))]))
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, 'pqkem-data', options=[(252, noise(8))], payload=body))
    t.answer(coap(ACK, '2.04', mid, token, payload=b'OK'))
    in_blocks(t, 768)
    # the prototype: broadcast, no token, an answer that names its path
    t.ask(coap(CON, POST, 1, b'', 'pqkem-pk'), to='192.0.2.255', after=500)
    t.answer(coap(ACK, '2.04', 1, b'', 'pqkem-pk', payload=key()), source='192.0.2.50', after=5)
    # a rotated key that the old one names before it is shown, as NON
    old, new = key(), key()
    mid, token = t.next()
    t.ask(coap(NON, GET, mid, token, 'pqkem-pk'), to='192.0.2.80', after=500)
    t.answer(coap(NON, '2.05', 90, token, payload=old), source='192.0.2.80')
    mid, token = t.next()
    t.ask(coap(NON, POST, mid, token, 'pqkem-next', payload=hashlib.sha256(old).digest()[:4] + noise(768)),
          to='192.0.2.80', after=500)
    t.answer(coap(NON, '2.04', 91, token, payload=hashlib.sha256(new).digest() + noise(16)), source='192.0.2.80')
    mid, token = t.next()
    t.ask(coap(NON, GET, mid, token, 'pqkem-pk'), to='192.0.2.80', after=500)
    t.answer(coap(NON, '2.05', 92, token, payload=new), source='192.0.2.80')
    # a server on a port of its own, learnt by its path; other UDP is none of ours
    t.ask(coap(CON, GET, 77, b'\x01', 'pqkem-pk'), dport=6000, after=500)
    t.answer(coap(ACK, '4.29', 77, b'\x01', payload=b'slow down'), sport=6000)
    t.ask(noise(40), dport=53, after=500)
    in_blocks(t, 'xwing', '192.0.2.8')
    identity(t)


def document(entries):
    """An identity document, all of whose entries are founding ones."""
    return b'larch-id' + bytes([1, len(entries)]) + b''.join(
        struct.pack('!BH', kind, algorithm) + hashlib.sha256(public).digest() for kind, algorithm, public in entries)


def identity(t):
    """The identity, its root key and what that says; receipts. Root keys are not direct keys that changed."""
    root = key()
    known = document([(1, 512, root), (1, 768, key(768)), (2, 44, noise(1312))])
    for query, payload in (([], known), (['kem=512'], root)):
        mid, token = t.next()
        t.ask(coap(CON, GET, mid, token, 'pqkem-root', query), after=500)
        t.answer(coap(ACK, '2.05', mid, token, options=[etag(payload), OCTETS], payload=payload))
    for path, said in (('pqkem-root', known), ('pqkem-next', key())):
        mid, token = t.next()
        t.ask(coap(CON, POST, mid, token, path, payload=hashlib.sha256(root).digest()[:4] + noise(768)), after=500)
        t.answer(coap(ACK, '2.04', mid, token, payload=hashlib.sha256(said).digest() + noise(16)))
    body = sealed()
    for code, text in (('2.04', b'OK'), ('4.01', b'REPLAY')):
        mid, token = t.next()
        t.ask(coap(CON, POST, mid, token, 'pqkem-data', ['receipt'], payload=body if text == b'OK' else sealed()), after=500)
        t.answer(coap(ACK, code, mid, token, payload=text + noise(16)))

def attacks(folder):
    """Each attack once; the expected text names every one."""
    t = Talk(Pcap(folder, 'attacks', ETHERNET))
    first, body = key(), sealed()
    t.fetch_key(first)
    t.post(body)
    # replay: from elsewhere, then altered under a new message ID
    t.post(body, 'REPLAY', '4.01', source=ATTACKER, port=50000)
    t.post(body[:-1] + bytes([body[-1] ^ 1]), 'AUTH_FAIL', '4.00')
    # another key without endorsement; named by the old one only afterwards
    second = key()
    t.fetch_key(second)
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, 'pqkem-next', payload=hashlib.sha256(first).digest()[:4] + noise(768)), after=500)
    t.answer(coap(ACK, '2.04', mid, token, payload=hashlib.sha256(second).digest() + noise(16)))
    # the answer again, under a number of its own
    mid, token = t.next()
    t.ask(coap(CON, GET, mid, token, 'pqkem-pk'), after=500)
    t.answer(coap(ACK, '2.05', mid, token, payload=second))
    t.answer(coap(ACK, '2.05', mid, token, payload=key()), after=0.1)
    # text in the clear where a ciphertext should be; a generator that repeats itself
    clear = (b'the pump in hall 3 runs at 1450 rpm and 61 degrees; ' * 20)[:768 + 5 + 16]
    t.post(sealed(body=clear))
    mid, token = t.next()
    t.ask(coap(CON, GET, mid, token, 'pqkem-pk'), to='192.0.2.90', after=500)
    t.answer(coap(ACK, '2.05', mid, token, payload=bytes(i & 0x7f for i in range(768)) + noise(32)), source='192.0.2.90')
    # broken bytes
    for broken in (b'\x40\x01', b'\x80\x01\0\x01', b'\x49\x01\0\x01' + noise(9), b'\x40\x01\0\x02\xff',
                   b'\x40\x01\0\x03\xf0', b'\x40\x01\0\x04\xb9pqkem', b'\x70\x01\0\x05', b'\x60\x00\0\x06\x01',
                   coap(CON, GET, 9, b'', '\x1b[2J\x1b]0;pwned\x07')):
        t.ask(broken, source=OTHER, port=1234, after=100)
    t.post(sealed()[:-3], 'BAD_LEN', '4.00')
    t.post(b'\x02' + sealed()[1:], 'BAD_TYPE', '4.00')
    mid, token = t.next()
    t.ask(coap(CON, GET, mid, token, 'x'), after=500)
    t.answer(coap(ACK, '5.00', mid, token, payload=b'\x1b[31mred\r\n"quoted"'))
    # an identity document that is cut, and a question and an answer that are
    for code, payload in (('2.05', document([(1, 512, key())])[:-1]), ('2.04', noise(47))):
        mid, token = t.next()
        asked = coap(CON, GET, mid, token, 'pqkem-root') if code == '2.05' else coap(
            CON, POST, mid, token, 'pqkem-root', payload=noise(771))
        t.ask(asked, after=500)
        t.answer(coap(ACK, code, mid, token, payload=payload))
    # probing
    for _ in range(12):
        t.post(sealed(), 'AUTH_FAIL', '4.00', source=ATTACKER, port=50001)


def nat(folder):
    """Both sides of a router that rewrites the sender's address, in one capture; then an attacker who imitates that."""
    p, body = Pcap(folder, 'nat', ETHERNET), sealed()
    def message(mid, payload, kind=CON, code=POST, path='pqkem-data'):
        return coap(kind, code, mid, b'\x21', path, payload=payload)
    def seen(src, sport, dst, dport, payload, ttl, after=0.05):
        p.add(ethernet(ipv4(src, sport, dst, dport, payload, ttl=ttl)), after)
    ask, answer = message(1, body), message(1, b'OK', ACK, '2.04', '')
    seen('10.0.0.7', 40000, GATEWAY, 5683, ask, 64)
    seen(OTHER, 61000, GATEWAY, 5683, ask, 63)
    seen(GATEWAY, 5683, OTHER, 61000, answer, 64, 2)
    seen(GATEWAY, 5683, '10.0.0.7', 40000, answer, 63)
    ask = message(2, sealed())
    seen(SENDER, 40000, GATEWAY, 5683, ask, 64, 1000)
    seen(ATTACKER, 50000, GATEWAY, 5683, ask, 63)
    seen(GATEWAY, 5683, SENDER, 40000, message(2, b'OK', ACK, '2.04', ''), 64, 2)
    seen(GATEWAY, 5683, ATTACKER, 50000, message(2, b'REPLAY', ACK, '4.01', ''), 64)


def rfc8613():
    """The protected messages of RFC 8613, C.4 to C.8, by section."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'vectors', 'data', 'rfc', 'rfc8613_messages.txt')
    found, section = {}, None
    for line in open(path, encoding='ascii') if os.path.exists(path) else gzip.open(path + '.gz', 'rt', encoding='ascii'):
        key, _, value = line.strip().partition(' = ')
        if key == 'section':
            section = value
        elif key == 'protected':
            found[section] = bytes.fromhex(value)
    return found


# The key log to them: C.1.1, C.2.1 and C.3.1.
RFC8613_KEY_LOG = """# RFC 8613, appendix C
"","01","0102030405060708090a0b0c0d0e0f10","9e7ca92223786340","","AES-CCM-16-64-128 (CCM*)"
"00","01","0102030405060708090a0b0c0d0e0f10","","","AES-CCM-16-64-128 (CCM*)"

"","01","0102030405060708090a0b0c0d0e0f10","9e7ca92223786340","37cbf3210017a2d3","AES-CCM-16-64-128 (CCM*)"
"""


def with_mid(message, mid):
    return message[:2] + struct.pack('!H', mid) + message[4:]


def oscore(folder):
    """The messages of RFC 8613 as they should be, and then each attack on them."""
    t, rfc = Talk(Pcap(folder, 'oscore', ETHERNET)), rfc8613()
    t.ask(rfc['C.4'])
    t.ask(rfc['C.4'], after=2000)  # a retransmission
    t.answer(rfc['C.7'])
    t.ask(rfc['C.5'], after=500)
    t.ask(rfc['C.6'], after=500)
    # a device that counts on, and a gateway with numbers of its own
    for number, own in ((1000, 7), (1001, 8)):
        mid, token = t.next()
        t.ask(coap(CON, POST, mid, token, options=[(9, b'\x0a' + struct.pack('!H', number) + b'\7')], payload=noise(40)), after=500)
        t.answer(coap(ACK, '2.04', mid, token, options=[(9, bytes([1, own]))], payload=noise(12)))
    # an answer that OSCORE does not protect
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, options=[(9, b'\x09\0\x09')], payload=noise(20)), after=500)
    t.answer(coap(ACK, '4.01', mid, token, payload=b'Security context not found'))
    # attacks: sent again under another message ID, and from elsewhere
    t.ask(with_mid(rfc['C.5'], 1), after=500)
    t.ask(rfc['C.6'], source=ATTACKER, port=50000, after=500)
    # another message under the same number, of a device and of the gateway
    t.ask(with_mid(rfc['C.4'][:-1] + b'\0', 2), after=500)
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, options=[(9, b'\x0a' + struct.pack('!H', 1002) + b'\7')], payload=noise(40)), after=500)
    t.answer(coap(ACK, '2.04', mid, token, options=[(9, b'\1\7')], payload=noise(12)))
    # a number far below the last
    mid, token = t.next()
    t.ask(coap(CON, POST, mid, token, options=[(9, b'\x09\3\7')], payload=noise(40)), after=500)
    # two answers to one request
    t.answer(rfc['C.8'], after=500)
    # Group OSCORE; an option that breaks its format, flags without meaning, no kid, no ciphertext, too little of it
    for value, payload in ((b'\x29\x14\0', noise(24)), (b'\x0e\x14\0', noise(24)), (b'\x49\x14\0', noise(24)), (b'', noise(24)),
                           (b'\x09\x14\0', b''), (b'\x09\x15\0', noise(8))):
        mid, token = t.next()
        t.ask(coap(CON, POST, mid, token, options=[(9, value)], payload=payload), source=OTHER, port=1234, after=500)


def flood(folder):
    """130 requests within 650 ms from one /24, and Resets."""
    t = Talk(Pcap(folder, 'flood', ETHERNET))
    for i in range(130):
        t.ask(coap(NON, POST, i, b'', 'pqkem-pk'), source='198.51.100.%d' % (i + 1), port=50000 + i, after=5)
    for i in range(25):
        t.ask(coap(RST, 0, 500 + i), after=20)


def links(folder):
    """The same request on every link layer: the sniffer must print the same line."""
    packet = ipv4(SENDER, 40000, GATEWAY, 5683, coap(CON, GET, 1, b'\xca\xfe', 'pqkem-pk'))
    padded = packet + b'\0' * 6
    frames = {
        'ethernet': (ETHERNET, ethernet(padded)),
        'vlan': (ETHERNET, ethernet(packet, [(0x8100, 7)])),
        'qinq': (ETHERNET, ethernet(packet, [(0x88a8, 9), (0x8100, 7)])),
        'llc': (ETHERNET, b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02' + struct.pack('!H', len(llc(packet))) + llc(packet)),
        'null_le': (NULL, struct.pack('<I', 2) + packet),
        'null_be': (NULL, struct.pack('>I', 2) + packet),
        'loop': (LOOP, struct.pack('>I', 2) + packet),
        'pppoe': (ETHERNET, ethernet(packet)[:12] + b'\x88\x64' + pppoe(packet) + b'\0\0'),
        'pppoe_session': (PPPOE, pppoe(packet)),
        'ppp': (PPP, b'\xff\3\0\x21' + packet),
        'raw': (RAW, packet),
        'ipv4': (IPV4, packet),
        'sll': (SLL, struct.pack('!HHH8sH', 0, 1, 6, b'\x02\0\0\0\0\x01', 0x0800) + packet),
        'sll2': (SLL2, struct.pack('!HHIHBB8s', 0x0800, 0, 2, 1, 0, 6, b'\x02\0\0\0\0\x01') + packet),
        'wifi': (WIFI, wifi(llc(packet))),
        'wifi_qos': (WIFI, wifi(llc(packet), qos=True)),
        'wifi_ht': (WIFI, wifi(llc(packet), qos=True, ht=True)),
        'wifi_four': (WIFI, wifi(llc(packet), four=True)),
        'radiotap': (RADIOTAP, radiotap(wifi(llc(packet), qos=True), fcs=True)),
        'radiotap_plain': (RADIOTAP, radiotap(wifi(llc(packet)), tsft=False)),
        'amsdu': (RADIOTAP, radiotap(wifi(amsdu([packet]), qos=True, amsdu=True))),
        'options': (ETHERNET, ethernet(ipv4(SENDER, 40000, GATEWAY, 5683, coap(CON, GET, 1, b'\xca\xfe', 'pqkem-pk'),
                                            options=b'\x94\x04\0\0'))),
    }
    for name, (link, frame) in frames.items():
        Pcap(folder, 'link_' + name, link).add(frame)


def network(folder):
    """IPv6, fragments, aggregates, and what was not captured."""
    p = Pcap(folder, 'network', ETHERNET)
    a, b = '2001:db8::7', '2001:db8::1'
    ask = coap(CON, GET, 21, b'\x21', 'pqkem-pk')
    p.add(ethernet(ipv6(a, 40000, b, 5683, ask)))
    p.add(ethernet(ipv6(a, 40000, 'ff02::fd', 5683, coap(NON, GET, 22, b'\x22', '.well-known/core'),
                        [(0, b'\0\0\5\2\0\0\1\0'), (60, b'\0\0\1\4\0\0\0\0')])))
    ek = key(512)
    for fragment in ipv4_fragments(GATEWAY, 5683, SENDER, 40000,
                                   coap(ACK, '2.05', 23, b'\x23', payload=ek), 400, 77):
        p.add(ethernet(fragment))
    whole = udp(ip6(b), 5683, ip6(a), 40000, coap(ACK, '2.05', 21, b'\x21', payload=ek))
    for at in (448, 0):  # out of order
        part = whole[at:at + 448]
        header = struct.pack('!BBHI', 17, 0, at | (1 if at + 448 < len(whole) else 0), 99)
        p.add(ethernet(struct.pack('!IHBB', 6 << 28, 8 + len(part), 44, 64) + ip6(b) + ip6(a) + header + part))
    # overlapping fragments: dropped, and said
    first, second = list(ipv4_fragments(ATTACKER, 1, GATEWAY, 5683, noise(64), 40, 5))
    p.add(ethernet(first))
    p.add(ethernet(second[:6] + struct.pack('!H', 4) + second[8:]))
    # a UDP length past the packet
    bad = bytearray(ipv4(OTHER, 1, GATEWAY, 5683, ask))
    bad[24:26] = struct.pack('!H', 500)
    p.add(ethernet(bytes(bad)))
    # a wrong checksum, and one that the network card was to fill in
    bad = bytearray(ipv4(OTHER, 2, GATEWAY, 5683, coap(CON, GET, 24, b'\x24', 'a')))
    bad[26] ^= 0x55
    p.add(ethernet(bytes(bad)))
    message = coap(CON, GET, 25, b'\x25', 'a')
    off = bytearray(ipv4(OTHER, 3, GATEWAY, 5683, message))
    pseudo = ip4(OTHER) + ip4(GATEWAY) + struct.pack('!BBH', 0, 17, 8 + len(message))
    off[26:28] = struct.pack('!H', ~checksum(pseudo) & 0xffff)
    p.add(ethernet(bytes(off)))
    p.add(b'\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\x06' + b'\0' * 46)  # ARP

    p = Pcap(folder, 'air', RADIOTAP)
    one = ipv4(SENDER, 40000, GATEWAY, 5683, coap(CON, GET, 31, b'\x31', 'a'))
    two = ipv4(SENDER, 40000, GATEWAY, 5683, coap(CON, GET, 32, b'\x32', 'b'))
    p.add(radiotap(wifi(amsdu([one, two]), qos=True, amsdu=True), fcs=True))
    p.add(radiotap(wifi(noise(120), qos=True, protected=True), fcs=True))
    p.add(radiotap(b'\x80\0' + b'\0' * 34))  # a beacon

    p = Pcap(folder, 'snap', ETHERNET, snaplen=96)
    t = Talk(p)
    t.post(sealed())
    t.fetch_key(key())
    p.snaplen = 30
    t.post(sealed())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for scene in (direct, attacks, nat, oscore, flood, links, network):
        rng.seed(scene.__name__)
        scene(sys.argv[1])


if __name__ == '__main__':
    main()
