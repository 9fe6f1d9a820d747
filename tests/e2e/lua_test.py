#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/wireshark/larch.lua in tshark: the direct exchange in the captures of make_captures.py, and serial records.

Usage: lua_test.py LARCH LUA
"""
import base64
import hashlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import checks
import somebody
from checks import check

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH, LUA = sys.argv[1], sys.argv[2]
WHO = {}  # runs tshark
HERE = os.path.dirname(os.path.abspath(__file__))
DISSECTOR = os.path.join(HERE, "..", "..", "sniff", "dissect", "direct.c")
# What larch sniff calls a field, and where Wireshark shows the same; a fingerprint is one of a key's hash.
FIELDS = {"kem": ["larch.kem"], "text_length": ["larch.text_len"], "answer": ["larch.answer"],
          "fingerprint": ["larch.fingerprint", "larch.ek", "larch.next.present"], "document": ["larch.root.document"],
          "receipt": ["larch.receipt"]}
USER0 = 147


def tshark(path, *names):
    """Per frame that has one of them: {field: [values]}; and nothing of Lua on stderr."""
    got = subprocess.run(["tshark", "-n", "-X", f"lua_script:{LUA}", "-r", path, "-T", "fields", "-E", "separator=|",
                          "-e", "frame.number", *sum((["-e", name] for name in names), [])], capture_output=True, timeout=120, **WHO)
    check(got.returncode == 0 and b"lua" not in got.stderr.lower(), f"{path}: {got.stderr.decode()}")
    found = {}
    for line in got.stdout.decode().splitlines():
        number, *values = line.split("|")
        if any(values):
            found[int(number)] = dict(zip(names, values))
    return found


def ours(path):
    got = subprocess.run([LARCH, "sniff", "-r", path, "--json"], capture_output=True, check=True)
    return [o for o in map(json.loads, got.stdout.splitlines()) if o["event"] == "packet"]


def same_fields():
    """Each field of our dissector is one of Wireshark's too: who adds a row there has to add it here."""
    rows = set(re.findall(r'^    \{"(\w+)", ', open(DISSECTOR, encoding="utf-8").read(), re.M))
    declared = set(re.findall(r'ProtoField\.\w+\("([\w.]+)"', open(LUA, encoding="utf-8").read()))
    check(rows == {"direct", *FIELDS}, f"fields of {DISSECTOR}: {rows}")
    check(all(name in declared for names in FIELDS.values() for name in names), f"fields of {LUA}: {declared}")


def fingerprint(key_hash):
    return "larch1:" + base64.b32encode(key_hash[:20]).decode().lower()


def direct(path):
    """What larch sniff finds in the exchange, the dissector finds too."""
    found = tshark(path, "larch.kem", "larch.text_len", "larch.answer", "larch.nonce", "larch.ct", "larch.tag", "larch.ek",
                   "larch.next.present", "larch.fingerprint", "larch.root.document", "larch.receipt", "_ws.expert.message")
    compared = 0
    for o in ours(path):
        kind, seen = o.get("direct"), found.get(o["number"], {})
        if kind is None or o.get("block1", o.get("block2", {})).get("more") or "why" in o or "6000" in o["destination"] + o["source"]:
            continue
        if kind in ("sealed", "key", "next-ask", "root-key", "root-ask"):
            check(seen.get("larch.kem") == o["kem"], f"{path} #{o['number']}: {seen} is not {o}")
        if kind == "sealed":
            check(int(seen["larch.text_len"]) == o["text_length"] and len(seen["larch.nonce"]) == 24 and
                  len(seen["larch.ct"]) == 2 * {"ML-KEM-512": 768, "ML-KEM-768": 1088, "X-Wing": 1120}[o["kem"]] and
                  len(seen["larch.tag"]) == 32, f"{path} #{o['number']}: {seen}")
        if kind == "answer" and "answer" in o and "block1" not in o:
            check(seen.get("larch.answer") == o["answer"], f"{path} #{o['number']}: {seen} is not {o}")
            check(("refused it: " + o["answer"] in seen["_ws.expert.message"]) == (o["code"][0] != "2"), f"{path}: {seen}")
        for ours_name in ("receipt", "document"):
            check(seen.get(FIELDS[ours_name][0], "") == o.get(ours_name, ""), f"{path} #{o['number']}: {seen} is not {o}")
        if kind in ("key", "next-answer"):
            check(seen["larch.fingerprint"] == o["fingerprint"], f"{path} #{o['number']}: {seen} is not {o}")
        if kind == "key":
            key = bytes.fromhex(seen["larch.ek"].replace(":", ""))
            check(fingerprint(hashlib.sha256(key).digest()) == o["fingerprint"], f"{path} #{o['number']}: {seen}")
        if kind == "next-answer":
            check(fingerprint(bytes.fromhex(seen["larch.next.present"])) == o["fingerprint"], f"{path} #{o['number']}")
            check(len(seen["larch.next.present"]) == 64, f"{path} #{o['number']}: {seen}")
        compared += 1
    return compared, found


def oscore(path):
    """The number of each OSCORE message, as larch sniff reads it."""
    found, compared = tshark(path, "larch.oscore.number"), 0
    for o in ours(path):
        if "why" in o or "oscore" not in o or "unsupported" in o["oscore"]:
            continue
        wanted = str(o["oscore"].get("number", ""))
        check(found.get(o["number"], {}).get("larch.oscore.number", "") == wanted, f"{path} #{o['number']}: {found} {o}")
        compared += wanted != ""
    check(compared > 10, f"too few numbers compared: {compared}")


def wrong(found):
    """The attacks that break the format, by what PROTOCOL.md calls them."""
    experts = " ".join(seen["_ws.expert.message"] for seen in found.values())
    check("804 bytes; it must be 18 + 768 + 5 + 16 (BAD_LEN)" in experts, "a wrong length")
    check("Type must be 3" in experts, "a wrong type")


def record(body):
    return body + struct.pack("!I", zlib.crc32(body))


def frame(sequence, dropped, bytes_, length):
    return record(struct.pack("!BBIIQBbH", 1, 0, sequence, dropped, 7, 11, -60, length) + bytes_)


def serial(folder):
    path = os.path.join(folder, "records.pcap")
    beacon = b"\x80\0\0\0" + b"\xff" * 6 + b"\2\0\0\0\0\1" * 2 + b"\0\0" + b"\0" * 8 + b"\x64\0\1\0" + b"\0\5larch"
    records = [frame(10, 2, beacon, len(beacon)), frame(14, 4, beacon[:30], 400),
               record(struct.pack("!BBQIIHHIIBB", 2, 0, 8, 15, 4, 0, 64, 0, 20480, 11, 1)), record(b"\3\0ok: snap 64"),
               frame(15, 4, beacon, len(beacon))[:-1] + b"\0", b"\3\0", b"", record(b"\2\0"), record(b"\4\0")]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, USER0))
        for bytes_ in records:
            file.write(struct.pack("<IIII", 1, 0, len(bytes_), len(bytes_)) + bytes_)
    found = tshark(path, "larch_serial.sequence", "larch_serial.missing", "larch_serial.dropped", "larch_serial.channel",
                   "larch_serial.signal", "wlan.fc.type_subtype", "larch_serial.heard", "larch_serial.text",
                   "_ws.expert.message")
    check([found[n]["larch_serial.sequence"] for n in (1, 2)] == ["10", "14"], f"sequence: {found}")
    check((found[2]["larch_serial.missing"], found[2]["larch_serial.dropped"], found[2]["larch_serial.channel"],
           found[2]["larch_serial.signal"]) == ("3", "4", "11", "-60"), f"metadata: {found[2]}")
    check("3 frames are missing" in found[2]["_ws.expert.message"] and "30 of 400 bytes" in found[2]["_ws.expert.message"],
          f"experts: {found[2]}")
    check(int(found[1]["wlan.fc.type_subtype"], 0) == 8, f"802.11: {found[1]}")
    check(found[3]["larch_serial.heard"] == "15" and found[4]["larch_serial.text"] == "ok: snap 64", f"others: {found}")
    check("Wrong checksum" in found[5]["_ws.expert.message"] and not found[5]["larch_serial.sequence"], f"{found[5]}")
    check(all("Not a record" in found.get(n, {}).get("_ws.expert.message", "") for n in (6, 8, 9)), f"broken: {found}")


def without_errors(folder):
    """11: no bytes of a stranger raise an error of Lua: malformed and cut 802.11 frames, records and messages."""
    rng = random.Random(11)
    beacon = b"\x80\0\0\0" + b"\xff" * 6 + b"\2\0\0\0\0\1" * 2 + b"\0\0" + b"\0" * 8 + b"\x64\0\1\0" + b"\0\5larch"
    types = [0x80, 0x50, 0xd0, 0x08, 0x88, 0x28, 0xb4, 0xc4, 0xd4, 0x84, 0x94, 0x74, 0xe0, 0xf0, 0x0c]
    frames = [beacon[:n] for n in range(1, len(beacon))]
    for n in range(600):
        bytes_ = bytes([rng.choice(types), rng.randrange(256)]) + rng.randbytes(rng.choice([0, 2, 8, 20, 22, 24, 30, 60]))
        frames.append(bytes_)
    records = [(frame(n, 0, bytes_, len(bytes_) + n % 3), None) for n, bytes_ in enumerate(frames)]
    whole = frame(0, 0, beacon, len(beacon))
    records += [(whole[:n], len(whole)) for n in range(len(whole))] + [(rng.randbytes(n % 50), None) for n in range(200)]
    records.append((whole, None))
    path = os.path.join(folder, "hostile.pcap")
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, USER0))
        for bytes_, length in records:
            file.write(struct.pack("<IIII", 1, 0, len(bytes_), length or len(bytes_)) + bytes_)
    for name in ("direct", "attacks", "oscore"):  # and the exchange, each frame cut somewhere
        with open(os.path.join(folder, name + ".pcap"), "rb") as source, \
                open(os.path.join(folder, name + "_cut.pcap"), "wb") as file:
            file.write(source.read(24))
            while head := source.read(16):
                kept, = struct.unpack_from("<I", head, 8)
                bytes_ = source.read(kept)
                cut = rng.randrange(min(kept, 43), kept + 1)
                file.write(head[:8] + struct.pack("<II", cut, kept) + bytes_[:cut])
    for file in (path, *(os.path.join(folder, name + "_cut.pcap") for name in ("direct", "attacks", "oscore"))):
        got = subprocess.run(["tshark", "-n", "-X", f"lua_script:{LUA}", "-r", file, "-V"], capture_output=True, timeout=120, **WHO)
        check(got.returncode == 0 and b"Lua Error" not in got.stdout and b"lua" not in got.stderr.lower(),
              f"{file}: {[line for line in got.stdout.splitlines() if b'Lua Error' in line][:3]} {got.stderr}")
    found = tshark(path, "larch_serial.sequence", "_ws.expert.message")
    check("802.11 frame in it is malformed" in found[1]["_ws.expert.message"], f"a malformed frame: {found[1]}")
    check(len(found) == len(records) and "malformed" not in found[len(records)]["_ws.expert.message"], "the frame behind them")
    check("does not hold the whole record" in found[len(frames) + 10]["_ws.expert.message"], f"a cut record: {found[len(frames) + 10]}")


def become_somebody(folder):
    """Who runs tshark may not be able to read the checkout, so the dissector comes along."""
    global LUA
    LUA = shutil.copy(LUA, folder)
    home = os.path.join(folder, "home")
    os.mkdir(home)
    WHO.update(somebody.arguments(folder, LUA), env=somebody.environment(home))


def main():
    same_fields()
    if shutil.which("tshark") is None:
        skips.skip("dissection by tshark", "tshark is not installed")
        sys.exit(checks.failures != 0)
    with tempfile.TemporaryDirectory() as folder:
        become_somebody(folder)
        subprocess.run([sys.executable, os.path.join(HERE, "make_captures.py"), folder], check=True)
        compared, _ = direct(os.path.join(folder, "direct.pcap"))
        more, found = direct(os.path.join(folder, "attacks.pcap"))
        print(f"{compared + more} messages of the exchange read as larch sniff reads them")
        check(compared + more > 50, "too few messages compared")
        wrong(found)
        oscore(os.path.join(folder, "oscore.pcap"))
        serial(folder)
        without_errors(folder)
    sys.exit(checks.failures != 0)


main()
