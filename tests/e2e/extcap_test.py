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
import sniffer_board
import somebody
from checks import check
from sniffer_board import Board

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

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
    # what a later Wireshark may ask with besides, with a value, without one, and before another option
    for more in (["--extcap-later"], ["--extcap-later=1"], ["--extcap-later", "a value"], ["--extcap-version", "--extcap-later"]):
        for arguments in (["--extcap-interfaces", *more], [*more, "--extcap-interfaces"]):
            got = ask(board.path, *arguments)
            check(got.returncode == 0 and name.encode() in got.stdout and not got.stderr, f"{arguments}: {got}")
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


def defaults(folder):
    """What Wireshark gives with every option at its default, and with a toolbar, works on a FIFO and a file as well."""
    stream = sniffer_board.frame(0, 0, 1, BEACON)
    for kind in ("file", "fifo"):
        device, out = os.path.join(folder, kind), os.path.join(folder, kind + ".pcapng")
        bar = [os.path.join(folder, kind + n) for n in ("-in", "-out")]
        for path in bar:
            os.mkfifo(path)
        writer = None
        if kind == "fifo":
            os.mkfifo(device)
            writer = threading.Thread(target=lambda: open(device, "wb").write(stream))
            writer.start()
        else:
            open(device, "wb").write(stream)
        config = sentences(ask(device, "--extcap-config", "--extcap-interface", name_of(device)).stdout)
        given = {p["call"]: p.get("default") for w, p in config if w == "arg"}
        given["--channel"] = next(p["value"] for w, p in config if w == "value" and p.get("default") == "true")
        arguments = ["--capture", "--extcap-interface", name_of(device), "--fifo", out, "--extcap-control-in", bar[0],
                     "--extcap-control-out", bar[1], *(word for pair in given.items() for word in pair)]
        check(given["--snap"] == "4096" and given["--device"] == device, f"defaults: {given}")
        got = ask(device, *arguments)
        check(got.returncode == 0 and not got.stderr and BEACON in open(out, "rb").read(), f"{kind}: {got}")
        if writer:
            writer.join()
        for more, code in ((["--snap", "100"], 1), (["--channel", "3"], 1)):  # what nobody can tell the board is refused
            if kind == "file":
                got = ask(device, *arguments, *more)
                check(got.returncode == code and b"takes no commands" in got.stderr, f"{kind} {more}: {got}")


def one_reader(folder):
    """A second reader of a serial line or FIFO is refused with the reason, and the port is free when the first has ended."""
    board = Board()
    fifo = os.path.join(folder, "line")
    os.mkfifo(fifo)
    line = os.open(fifo, os.O_RDWR)
    for port in (board.path, fifo):
        first = subprocess.Popen([LARCH, "sniff", "--serial", port], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(b"listening" in first.stderr.readline(), f"{port}: the first reader")
        second = subprocess.run([LARCH, "sniff", "--serial", port], capture_output=True, timeout=30)
        check(second.returncode == 1 and b"another program reads it" in second.stderr and b"fuser" in second.stderr,
              f"{port}: a second reader: {second}")
        capture = ask("", "--capture", "--extcap-interface", "x", "--device", port, "--fifo", os.path.join(folder, "out"))
        check(capture.returncode == 1 and b"another program reads it" in capture.stderr, f"{port}: extcap: {capture}")
        check(not os.path.exists(os.path.join(folder, "out")), "extcap began to write")
        if port == board.path:
            who = somebody.arguments(folder, board.path)
            other = subprocess.run(["cat", port], capture_output=True, timeout=30, **who)
            check(other.returncode == 1 and b"busy" in other.stderr, f"a program that knows no locks: {other}")
        first.send_signal(signal.SIGINT)
        check(first.wait(20) == 0, f"{port}: the first reader's end")
        first.communicate()
        third = subprocess.Popen([LARCH, "sniff", "--serial", port], stderr=subprocess.PIPE)
        check(b"listening" in third.stderr.readline(), f"{port}: the next reader")
        third.kill()  # without a farewell
        third.communicate()
    os.close(line)
    board.unplug()


def silence(folder):
    """A FIFO that its reader closed ends the capture while no frame arrives, and the port is free again."""
    board = Board()
    fifo = os.path.join(folder, "silent")
    os.mkfifo(fifo)
    for command, reads_output in ((["extcap", "--capture", "--extcap-interface", "x", "--device", board.path, "--fifo", fifo], False),
                                  (["sniff", "--serial", board.path, "-w", fifo], False),
                                  (["sniff", "--serial", board.path, "-w", "-"], True), (["sniff", "--serial", board.path], True),
                                  (["sniff", "--serial", board.path, "--json", "-w", os.path.join(folder, "kept")], True)):
        process = subprocess.Popen([LARCH, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        capture = process.stdout if reads_output else open(fifo, "rb")
        if "-w" in command and reads_output and command[-1] == "-" or not reads_output:
            check(capture.read(4) == b"\n\r\r\n", f"{command}: the capture")
        else:
            process.stderr.readline()
        capture.close()
        try:
            check(process.wait(10) == 0, f"{command}: exit {process.returncode}")
        except subprocess.TimeoutExpired:
            check(False, f"{command}: lives on")
            process.kill()
        process.communicate()
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


def with_tshark(folder):
    """tshark lists the board among its interfaces and captures from it."""
    if shutil.which("tshark") is None:
        skips.skip("capture by tshark", "tshark is not installed")
        return
    board = Board()
    who = somebody.arguments(folder, board.path)
    extcaps, home = os.path.join(folder, "extcap"), tempfile.TemporaryDirectory(dir=folder)
    os.mkdir(extcaps, 0o755)
    shutil.copy(LARCH, os.path.join(extcaps, "larch-extcap"))
    environment = {**somebody.environment(home.name), "WIRESHARK_EXTCAP_DIR": extcaps, "LARCH_EXTCAP_PORTS": board.path}
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
    for part in (questions, defaults, toolbar, one_reader, silence, gone, with_tshark):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    sys.exit(checks.failures != 0)


main()
