#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends requests from forged addresses, whole Ethernet frames, at a rate; prints how many were sent.

usage: forger.py INTERFACE FROM_MAC TO_MAC REQUEST SOURCE RATE SECONDS [SEALED_MESSAGES]
RATE 0: as fast as it goes.
"""
import os
import random
import socket
import struct
import sys
import time

FRAMES = 4096
PORT, OWN_PORT = 5683, 5000
MESSAGE_ID_AT = 14 + 20 + 8 + 2
NEIGHBOURS = range(100, 120)
SEALED_LEN = 18 + 768 + 10 + 16
CON, GET, POST = 0x40, 1, 2


def coap(code, path, options=b"", payload=b""):
    segments, delta = b"", 11
    for segment in path.split("/"):
        segments += bytes([delta << 4 | len(segment)]) + segment.encode()
        delta = 0
    return bytes([CON, code, 0, 0]) + segments + options + (b"\xff" + payload if payload else b"")


def false_message(number):
    return struct.pack("<BBHHQ", 3, 0, 768, 16, number) + bytes(4 + 768 + 16 + 16)


REQUESTS = {
    "key": lambda n, sealed: coap(GET, "pqkem-pk"),
    "prototype-key": lambda n, sealed: coap(POST, "pqkem-pk"),
    "false-message": lambda n, sealed: coap(POST, "pqkem-data", payload=false_message(n)),
    "message": lambda n, sealed: coap(POST, "pqkem-data", payload=sealed[n]),
    # Block1 (27 - 11 = 13 + 3): number 0, more, 16 bytes
    "block": lambda n, sealed: coap(POST, "pqkem-data", b"\xd1\x03\x08", bytes([3, 0, 0, 6]) + bytes(12)),
}

SOURCES = {
    "anywhere": lambda n: bytes([20 + n % 100, random.randrange(256), random.randrange(256), 1 + n % 250]),
    # A third of a network of which nobody but the senders is there.
    "dead": lambda n: bytes([10, 77, 1 + n % 10, 130 + n // 10 % 80]),
    "senders": lambda n: bytes([10, 77, 1 + n % 10, NEIGHBOURS[n // 10 % len(NEIGHBOURS)]]),  # all their networks
}


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def frame(from_mac, to_mac, source, destination, payload):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    udp = struct.pack("!HHHH", OWN_PORT, PORT, 8 + len(payload), 0)  # no checksum, which IPv4 allows
    return bytearray(to_mac + from_mac + b"\x08\x00" + ip + udp + payload)


def main():
    interface, from_mac, to_mac, request, source, rate, seconds, *files = sys.argv[1:]
    from_mac, to_mac = (bytes.fromhex(mac.replace(":", "")) for mac in (from_mac, to_mac))
    rate, seconds, sealed = int(rate), float(seconds), []
    if files:
        with open(files[0], "rb") as f:
            content = f.read()
        sealed = [content[i:i + SEALED_LEN] for i in range(0, len(content), SEALED_LEN)]
    count = len(sealed) or FRAMES
    frames = [frame(from_mac, to_mac, SOURCES[source](n), bytes([10, 77, 1 + n % 10, 1]), REQUESTS[request](n, sealed))
              for n in range(count)]
    sent, identity = 0, random.randrange(1 << 16)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((interface, 0))
        print("ready", flush=True)
        sys.stdin.readline()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            due = sent + 64 if rate == 0 else int(rate * passed)
            while sent < due:
                if sent % count == 0:
                    identity += 1
                out = frames[sent % count]
                struct.pack_into("!H", out, MESSAGE_ID_AT, (identity + sent // count) & 0xFFFF)
                sent += 1
                try:
                    s.send(out)
                except OSError:  # the queue of the cable is full
                    time.sleep(0.001)
            if rate != 0:
                time.sleep(0.001)
    print(sent, sent / (time.monotonic() - begin))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
