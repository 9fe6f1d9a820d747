#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch extcap: Wireshark's questions, its toolbar, and tshark capturing through it from a board on a pseudo terminal.

Usage: extcap_test.py LARCH
"""
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import checks
from checks import check
from sniffer_board import Board

LARCH = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
CHANNEL, RUN, SNAP, LOG = range(4)
SET, ADD, STATUS_BAR = 1, 2, 6
BEACON = b"\x80\0\0\0" + b"\xff" * 6 + b"\2\0\0\0\0\1" * 2 + b"\0\0" + b"\0" * 8 + b"\x64\0\1\0" + b"\0\5larch"


def sentences(out):
    """[(what, {parameter: value})]"""
    found = []
    for line in out.decode().splitlines():
        what, rest = line.split(" ", 1)
        parts = re.findall(r"\{(\w+)=([^{}]*)\}", rest)
        check("".join("{%s=%s}" % part for part in parts) == rest, f"not a sentence: {line}")
        found.append((what, dict(parts)))
    return found


def ask(name, *arguments, program=LARCH, **environment):
    return subprocess.run([*([program, "extcap"] if program == LARCH else [program]), *arguments], capture_output=True,
                          timeout=30, env={**os.environ, "LARCH_EXTCAP_PORTS": name, **environment})


def name_of(path):
    return "larch-" + path.removeprefix("/dev/").lstrip("/").replace("/", "_")


def questions(folder):
    board = Board()
    name = name_of(board.path)
    link, other = os.path.join(folder, "larch-extcap"), os.path.join(folder, "renamed")
    os.symlink(LARCH, link)
    os.symlink(LARCH, other)
    for program in (LARCH, link, other):
        got = ask(f"{board.path}:/x/y z", "--extcap-interfaces", "--extcap-version=4.0", program=program)
        found = sentences(got.stdout)
        check(got.returncode == 0 and not got.stderr and found[0][0] == "extcap", f"{program}: {got}")
        values = [p["value"] for what, p in found if what == "interface"]
        check(values[:2] == [name, "larch-x_y_z"], f"interfaces {values}")
        check([p["type"] for what, p in found if what == "control"] == ["selector", "button", "string", "button"], "controls")
        check([p["value"] for what, p in found if what == "value"] == [str(n) for n in range(1, 15)], "channels")
    dlts = sentences(ask(board.path, "--extcap-dlts", "--extcap-interface", name).stdout)
    check([(w, p["number"], p["name"]) for w, p in dlts] == [("dlt", "127", "IEEE802_11_RADIO")], f"dlts {dlts}")
    config = sentences(ask(board.path, "--extcap-config", "--extcap-interface", name).stdout)
    check([p["call"] for w, p in config if w == "arg"] == ["--device", "--baud", "--channel", "--snap"], f"config {config}")
    check(config[0][1]["default"] == board.path and len(config) == 4 + 15, f"config {config}")
    for arguments, code, what in (([], 2, b"--extcap-interfaces"), (["--extcap-dlts"], 2, b"--extcap-interface is missing"),
                                  (["--capture", "--extcap-interface", "x"], 2, b"--fifo is missing"),
                                  (["--capture", "--extcap-interface", "x", "--fifo", "/dev/null"], 1, b"no port for x"),
                                  (["--capture", "--extcap-interface", "x", "--fifo", "y", "--channel", "15"], 2, b"1 to 14"),
                                  (["--capture", "--extcap-interface", "x", "--fifo", "y", "--device", "/nonexistent"], 1,
                                   b"plugged in"), (["--nonsense"], 2, b"unknown option")):
        got = ask("", *arguments)
        check(got.returncode == code and what in got.stderr and not got.stdout, f"{arguments}: {got}")
    check(ask("", "--help").stdout.startswith(b"Usage: larch extcap"), "help")
    board.unplug()


class Toolbar:
    """What Wireshark does at the other ends of the pipes."""

    def __init__(self, folder):
        self.paths = [os.path.join(folder, n) for n in ("to_extcap", "to_wireshark", "capture")]
        for path in self.paths:
            os.mkfifo(path)
        self.out, self.back = (os.open(path, os.O_RDWR) for path in self.paths[:2])
        self.messages, self.rest = [], b""

    def set(self, control, payload, command=SET):
        os.write(self.out, b"T" + struct.pack("!I", 2 + len(payload))[1:] + bytes([control, command]) + payload)

    def wait(self, *message):
        """Until that message came; what came before it is forgotten."""
        while message not in self.messages:
            self.rest += os.read(self.back, 4096)
            while len(self.rest) >= 4 and len(self.rest) >= 4 + int.from_bytes(self.rest[1:4], "big"):
                check(self.rest[:1] == b"T", f"sync {self.rest[:1]}")
                end = 4 + int.from_bytes(self.rest[1:4], "big")
                self.messages.append((self.rest[4], self.rest[5], self.rest[6:end]))
                self.rest = self.rest[end:]
        del self.messages[:self.messages.index(message) + 1]


def toolbar(folder):
    board, bar = Board(running=True), Toolbar(folder)
    process = subprocess.Popen([LARCH, "extcap", "--capture", "--extcap-interface", name_of(board.path), "--fifo",
                                bar.paths[2], "--extcap-control-in", bar.paths[0], "--extcap-control-out", bar.paths[1],
                                "--channel", "3"], env={**os.environ, "LARCH_EXTCAP_PORTS": board.path},
                               stderr=subprocess.PIPE)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    capture = open(bar.paths[2], "rb")
    bar.wait(CHANNEL, SET, b"3")
    bar.wait(SNAP, SET, b"4096")
    bar.wait(RUN, SET, b"Stop")
    bar.set(255, b"", 0)  # initialised
    bar.set(CHANNEL, b"11")
    bar.wait(LOG, ADD, b"ok: channel 11\n")
    bar.wait(CHANNEL, SET, b"11")
    bar.set(RUN, b"")
    bar.wait(LOG, ADD, b"ok: stopped; start goes on\n")
    bar.wait(RUN, SET, b"Start")
    bar.set(RUN, b"Start")
    bar.wait(RUN, SET, b"Stop")
    for junk in (b"0", b"15", b"", b"6\nstop", b"1" * 300):
        bar.set(CHANNEL, junk)
    os.write(bar.out, b"junk")
    bar.set(SNAP, b"40")
    bar.wait(SNAP, SET, b"40")
    check(board.typed == ["channel 3", "status", "channel 11", "status", "stop", "status", "start", "status", "snap 40",
                          "status"], f"typed: {board.typed}")
    board.say("error: of the board's own")
    bar.wait(LOG, STATUS_BAR, b"error: of the board's own")
    board.drop(7)
    board.tell_status()
    bar.wait(LOG, STATUS_BAR, b"The board dropped 7 frames: its line is full")
    board.hear(BEACON)
    data = b""
    while BEACON[:40] not in data:
        data += capture.read1(65536)
    check(data[:4] == b"\n\r\r\n" and BEACON[:41] not in data, "the capture, cut at 40")
    process.send_signal(signal.SIGTERM)
    check(process.wait(20) == 0, "SIGTERM")
    check(capture.read()[:4] == struct.pack("<I", 5), "statistics at the end")
    check(process.stderr.read() == b"", "talk on stderr, which Wireshark would show as a fault")
    watchdog.cancel()
    board.unplug()


def gone(folder):
    """A FIFO that Wireshark closes is an end; a board that goes is a fault with its reason."""
    for who in ("reader", "board"):
        board = Board()
        fifo = os.path.join(folder, who)
        os.mkfifo(fifo)
        process = subprocess.Popen([LARCH, "extcap", "--capture", "--extcap-interface", "x", "--device", board.path, "--fifo",
                                    fifo], stderr=subprocess.PIPE)
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        capture = open(fifo, "rb")
        capture.read(4)
        if who == "board":
            board.unplug()
            check(process.wait(20) == 1 and b"unplugged" in process.stderr.read(), "unplugged")
        else:
            capture.close()
            while process.poll() is None:
                board.hear(BEACON)
                time.sleep(0.01)
            check(process.returncode == 0 and process.stderr.read() == b"", "a closed FIFO")
            board.unplug()
        watchdog.cancel()


def as_somebody(folder, board):
    """Wireshark takes no folders from root's environment: as root, the test is nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = 65534
    os.chown(board.path, nobody, nobody)
    os.chmod(folder, 0o755)
    return {"user": nobody, "group": nobody, "extra_groups": []}


def with_tshark(folder):
    """tshark lists the board among its interfaces and captures from it."""
    if shutil.which("tshark") is None:
        print("skipped: tshark is not there")
        return
    board = Board()
    who = as_somebody(folder, board)
    extcaps, home = os.path.join(folder, "extcap"), tempfile.TemporaryDirectory(dir=folder)
    os.mkdir(extcaps, 0o755)
    os.chmod(home.name, 0o777)
    shutil.copy(LARCH, os.path.join(extcaps, "larch-extcap"))
    environment = {**os.environ, "WIRESHARK_EXTCAP_DIR": extcaps, "HOME": home.name, "WIRESHARK_CONFIG_DIR": home.name,
                   "LARCH_EXTCAP_PORTS": board.path}
    name = name_of(board.path)
    listed = subprocess.run(["tshark", "-D"], capture_output=True, env=environment, timeout=60, cwd=folder, **who)
    check(f" {name} (larch sniffer board on {board.path})".encode() in listed.stdout, f"tshark -D: {listed}")
    fields = ("frame.protocols", "wlan_radio.channel", "wlan_radio.signal_dbm", "wlan.fc.type_subtype", "frame.comment")
    process = subprocess.Popen(["tshark", "-n", "-l", "-i", name, "-c", "3", "-T", "fields",
                                *sum((["-e", f] for f in fields), [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment, cwd=folder, **who)
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    while process.poll() is None:  # it takes what it wants when it is ready
        board.hear(BEACON, signal=-55)
        board.drop(1)
        time.sleep(0.05)
    watchdog.cancel()
    out, err = process.communicate()
    lines = [line.split("\t") for line in out.decode().splitlines()]
    check(process.returncode == 0 and len(lines) == 3, f"tshark -i {name}: {out} {err}")
    for protocols, channel, signal_dbm, subtype, comment in lines:
        check(protocols.startswith("radiotap:wlan_radio:wlan") and (channel, signal_dbm) == ("6", "-55") and
              int(subtype, 0) == 8, f"tshark: {protocols} {channel} {signal_dbm} {subtype}")
    check(any("frames dropped by the board" in line[4] for line in lines[1:]), f"comments: {lines}")
    board.unplug()


def main():
    for part in (questions, toolbar, gone, with_tshark):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    sys.exit(checks.failures != 0)


main()
