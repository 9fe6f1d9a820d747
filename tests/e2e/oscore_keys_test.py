#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What larch protects, tshark and larch sniff open with the lines that larch writes for a key log.

Usage: oscore_keys_test.py LARCH OSCORE_TALK
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import checks
import make_captures
import somebody
from checks import check

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH, TALK = sys.argv[1], sys.argv[2]


def record(folder):
    """A capture and the key log to it; what stands inside each frame, as (code, path, payload)."""
    key_log = os.path.join(folder, "oscore_contexts")
    lines = subprocess.run([TALK, key_log], capture_output=True, check=True, text=True).stdout.splitlines()
    talk = make_captures.Talk(make_captures.Pcap(folder, "talk", make_captures.ETHERNET))
    inside = []
    for line in lines:
        who, datagram, code, path, payload = line.split(" ")
        (talk.ask if who == ">" else talk.answer)(bytes.fromhex(datagram), after=1000)
        inside.append((code, path, bytes.fromhex(payload).decode()))
    talk.pcap.file.close()
    check(len(inside) == 16, f"{len(inside)} messages")
    return os.path.join(folder, "talk.pcap"), key_log, inside


def ours(path, key_log):
    got = subprocess.run([LARCH, "sniff", "-r", path, "--json", "--keylog", key_log], capture_output=True, timeout=60)
    check(got.returncode == 0 and b"no alerts" in got.stderr, f"larch sniff: {got.returncode} {got.stderr}")
    found = []
    for line in got.stdout.splitlines():
        inner = json.loads(line)["oscore"].get("inner", {})
        found.append((inner.get("code"), inner.get("path", "/"), inner.get("payload", "")))
    return found


def theirs(path, folder):
    """By the file that Wireshark keeps its own contexts in, which is the key log as it is."""
    fields = ("oscore.code", "oscore.opt.uri_path_recon", "oscore.opt.uri_path", "text", "_ws.expert.message")
    home = os.path.join(folder, "home")
    os.mkdir(home)
    contexts = shutil.copy(os.path.join(folder, "oscore_contexts"), home)
    got = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|",
                          *sum((["-e", field] for field in fields), [])], capture_output=True, timeout=120,
                         env=somebody.environment(home), **somebody.arguments(folder, path, contexts))
    check(got.returncode == 0 and b"oscore" not in got.stderr, f"tshark: {got.stderr}")
    found = []
    for line in got.stdout.decode().splitlines():
        code, whole, segments, text, expert = line.split("|")
        check("decrypt" not in expert, f"tshark: {line}")
        code = int(code or 0)
        name = "/" + (segments.replace(",", "/") or whole.lstrip("/"))
        found.append((f"{code >> 5}.{code & 31:02}", name, text))
    return found


def main():
    with tempfile.TemporaryDirectory() as folder:
        path, key_log, inside = record(folder)
        found = ours(path, key_log)
        check(found == inside, f"larch sniff: {found}, not {inside}")
        if shutil.which("tshark") is None:
            skips.skip("opening by tshark", "tshark is not installed")
        else:
            found = theirs(path, folder)
            for number, (theirs_, ours_) in enumerate(zip(found, inside), 1):
                check(theirs_[:2] == ours_[:2] and ours_[2] in theirs_[2], f"tshark #{number}: {theirs_}, not {ours_}")
            check(len(found) == len(inside), f"tshark: {len(found)} messages")
            print(f"{len(found)} messages opened by tshark too")
    sys.exit(checks.failures != 0)


main()
