#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/wireshark/larch.lua in tshark: the direct exchange in the captures of make_captures.py, and serial records.

Usage: lua_test.py LARCH LUA
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import checks
from checks import check

LARCH, LUA = sys.argv[1], sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))
USER0 = 147


def tshark(path, *names):
    """Per frame that has one of them: {field: [values]}; and nothing of Lua on stderr."""
    got = subprocess.run(["tshark", "-n", "-X", f"lua_script:{LUA}", "-r", path, "-T", "fields", "-E", "separator=|",
                          "-e", "frame.number", *sum((["-e", name] for name in names), [])], capture_output=True, timeout=120)
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


def direct(path):
    """What larch sniff finds in the exchange, the dissector finds too."""
    found = tshark(path, "larch.kem", "larch.text_len", "larch.answer", "larch.nonce", "larch.ct", "larch.tag", "larch.ek",
                   "larch.next.present", "_ws.expert.message")
    compared = 0
    for o in ours(path):
        kind, seen = o.get("direct"), found.get(o["number"], {})
        if kind is None or o.get("block1", o.get("block2", {})).get("more") or "why" in o or "6000" in o["destination"] + o["source"]:
            continue
        if kind in ("sealed", "key", "next-ask"):
            check(seen.get("larch.kem") == o["kem"], f"{path} #{o['number']}: {seen} is not {o}")
        if kind == "sealed":
            check(int(seen["larch.text_len"]) == o["text_length"] and len(seen["larch.nonce"]) == 24 and
                  len(seen["larch.ct"]) == 2 * {"ML-KEM-512": 768, "ML-KEM-768": 1088}[o["kem"]] and
                  len(seen["larch.tag"]) == 32, f"{path} #{o['number']}: {seen}")
        if kind == "answer" and "answer" in o and "block1" not in o:
            check(seen.get("larch.answer") == o["answer"], f"{path} #{o['number']}: {seen} is not {o}")
            check(("refused it: " + o["answer"] in seen["_ws.expert.message"]) == (o["code"][0] != "2"), f"{path}: {seen}")
        if kind == "next-answer":
            check(len(seen["larch.next.present"]) == 64, f"{path} #{o['number']}: {seen}")
        compared += 1
    return compared, found


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


def main():
    if shutil.which("tshark") is None:
        print("skipped: tshark is not there")
        sys.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, os.path.join(HERE, "make_captures.py"), folder], check=True)
        compared, _ = direct(os.path.join(folder, "direct.pcap"))
        more, found = direct(os.path.join(folder, "attacks.pcap"))
        print(f"{compared + more} messages of the exchange read as larch sniff reads them")
        check(compared + more > 50, "too few messages compared")
        wrong(found)
        serial(folder)
    sys.exit(checks.failures != 0)


main()
