#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the captures of make_captures.py into inputs for fuzz_sniff_link and fuzz_sniff_flow.

Usage: make_fuzz_corpus.py CAPTURES CORPUS
"""
import glob
import os
import struct
import sys

LINKS = [0, 1, 101, 105, 108, 113, 127, 228, 229, 276, 9, 50, 51, 104, 166, 204]


def frames(path):
    data = open(path, 'rb').read()
    at, link = 24, struct.unpack('<I', data[20:24])[0]
    while at < len(data):
        _, _, kept, wire = struct.unpack('<IIII', data[at:at + 16])
        yield link, data[at + 16:at + 16 + kept], wire
        at += 16 + kept


def main():
    captures, corpus = sys.argv[1:]
    for name in ('sniff_link', 'sniff_flow'):
        os.makedirs(os.path.join(corpus, name), exist_ok=True)
    for path in sorted(glob.glob(os.path.join(captures, '*.pcap'))):
        name, links, flow, size = os.path.basename(path)[:-5], b'', b'', 0
        for link, frame, wire in frames(path):
            if not links:
                links = bytes([LINKS.index(link)])
            if len(links) < 3000:
                links += struct.pack('!HB', len(frame), min(wire - len(frame), 255)) + frame
            if link == 1 and frame[12:14] == b'\x08\0' and len(frame) > 42 and len(flow) < 12000:
                payload = frame[42:]
                flow += struct.pack('!BBH', 4 if frame[29] == 1 and frame[26] == 192 else frame[29] & 3, 2,
                                    len(payload)) + payload
        open(os.path.join(corpus, 'sniff_link', name), 'wb').write(links)
        if name in ('direct', 'attacks', 'oscore', 'snap'):
            open(os.path.join(corpus, 'sniff_flow', name), 'wb').write(flow)


main()
