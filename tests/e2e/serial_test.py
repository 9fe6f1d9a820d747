#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch sniff --serial against a board on a pseudo terminal: frames, loss, garbage, prototype lines, control lines,
unplugging.

Usage: serial_test.py LARCH
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import checks
import sniffer_board
from checks import check
from sniffer_board import Board

LARCH = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))


def packets_of(path):
    """(link type, bytes, length on the wire) of a pcap file of make_captures.py."""
    data = open(path, "rb").read()
    link, at = struct.unpack_from("<I", data, 20)[0], 24
    while at < len(data):
        _, _, kept, wire = struct.unpack_from("<IIII", data, at)
        yield link, data[at + 16:at + 16 + kept], wire
        at += 16 + kept


def wifi_frames(folder, *names):
    """802.11 frames without radiotap and check sequence."""
    for name in names:
        for link, bytes_, _ in packets_of(os.path.join(folder, name + ".pcap")):
            if link == 127:
                length, present = struct.unpack_from("<xxHI", bytes_)
                has_fcs = bytes_[16 if present & 1 else 8] & 0x10
                bytes_ = bytes_[length:-4] if has_fcs else bytes_[length:]
            yield bytes_


def blocks_of(path):
    """(type, body) of a pcapng file's blocks."""
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length


def options_of(data):
    at, found = 0, {}
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        found[code] = data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


class Sniff:
    """A running larch sniff --serial."""

    def __init__(self, path, *arguments):
        self.process = subprocess.Popen([LARCH, "sniff", "--serial", path, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.out, self.err, self.changed = b"", b"", threading.Condition()
        self.readers = [threading.Thread(target=self.read, args=(name,)) for name in ("out", "err")]
        for reader in self.readers:
            reader.start()
        self.wait_err("listening to the board")

    def read(self, name):
        pipe = getattr(self.process, "std" + name)
        while data := pipe.read1(65536):
            with self.changed:
                setattr(self, name, getattr(self, name) + data)
                self.changed.notify_all()
        pipe.close()

    def wait_err(self, what, seconds=20):
        with self.changed:
            if not self.changed.wait_for(lambda: what.encode() in self.err, seconds):
                self.process.kill()
                raise AssertionError(f"no {what!r} in {self.err!r}")

    def finish(self, interrupt=False):
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=30)
        finally:
            self.process.kill()
        for reader in self.readers:
            reader.join()
        return code


def sniffed(act, *arguments, board=None, interrupt=True):
    """Runs act on a board under larch sniff, until all it sent was read; then interrupts it, or unplugs the board."""
    board = board or Board()
    sniff = Sniff(board.path, *arguments)
    act(board)
    board.say("that is all")
    sniff.wait_err("board: that is all")
    if not interrupt:
        board.unplug()
    sniff.code = sniff.finish(interrupt)
    if interrupt:
        board.unplug()
    return sniff


def messages(out):
    """What a capture says, without the times."""
    found = [json.loads(line) for line in out.splitlines()]
    for o in found:
        o.pop("time"), o.pop("rtt_ms", None)
    return found


def same_as_capture(folder):
    """Frames off a board are judged as those of a capture file."""
    for names in (["air"], ["link_wifi", "link_wifi_qos", "link_wifi_ht", "link_wifi_four", "link_amsdu"]):
        wanted = sum((messages(subprocess.run([LARCH, "sniff", "-r", os.path.join(folder, name + ".pcap"), "--json"],
                                              capture_output=True, check=True).stdout) for name in names), [])

        def act(board):
            for bytes_ in wifi_frames(folder, *names):
                board.hear(bytes_)
        sniff = sniffed(act, "--json", "--alerts" if not wanted else "--json")
        got = messages(sniff.out)
        check(sniff.code == 0, f"{names}: exit {sniff.code}")
        for o in wanted + got:
            o.pop("number"), o.pop("duplicate_of", None)
        if len(names) > 1:  # the same message again and again
            wanted, got = wanted[:1], got[:1]
        check(got == wanted and got, f"{names}: {got} is not {wanted}")


def loss(folder):
    """Each gap is told with whose fault it is, and stands in the pcapng where it is."""
    bytes_ = next(wifi_frames(folder, "link_wifi"))
    out = os.path.join(folder, "loss.pcapng")

    def act(board):
        board.lose(1000)  # before the first: nobody's
        board.hear(bytes_)
        board.hear(bytes_, signal=-70)
        board.drop(3)
        board.hear(bytes_, signal=-128)  # unknown
        board.lose(2)
        board.hear(bytes_)
        bad = bytearray(sniffer_board.frame(board.sequence, 0, board.time_us, bytes_))
        bad[40] ^= 1
        board.send(bytes(bad))
        board.lose(1)
        board.drop(4)
        board.tell_status()
        board.hear(bytes_)
        board.drop(5)
        board.tell_status()
    sniff = sniffed(act, "-w", out, "--json")
    check(sniff.code == 0, f"loss: exit {sniff.code} {sniff.err}")
    alerts = [o for o in map(json.loads, sniff.out.splitlines()) if o["event"] == "alert" and o["alert"] == "frames-missing"]
    check([(o["number"], o["text"]) for o in alerts] ==
          [(3, "frames dropped by the board, whose line was full: 3"), (4, "frames lost between board and here: 2"),
           (5, "damaged records: 1")], f"alerts: {alerts}")
    check(b"from the board 5 frames, dropped by it 12, lost on the line 3, damaged records 1, restarts 0" in sniff.err,
          f"summary: {sniff.err}")
    packets = [(struct.unpack_from("<I", body, 12)[0], body) for kind, body in blocks_of(out) if kind == 6]
    found = [options_of(body[20 + (kept + 3) // 4 * 4:]) for kept, body in packets]
    counts = [struct.unpack("<Q", o[4])[0] if 4 in o else 0 for o in found]
    check(counts == [0, 0, 3, 2, 5], f"drop counts: {counts}")
    check(b"dropped by the board, whose line was full: 3" in found[2].get(1, b""), f"comment: {found[2]}")
    check(b"damaged records: 1" in found[4].get(1, b"") and b"full: 4" in found[4][1], f"comment: {found[4]}")
    statistics = [options_of(body[12:]) for kind, body in blocks_of(out) if kind == 5]
    check([tuple(struct.unpack("<Q", o[code])[0] for code in (4, 5)) for o in statistics] == [(5, 15)],
          f"statistics: {statistics}")
    radiotap = packets[1][1][20:43]
    check(radiotap[18:20] == struct.pack("<H", 2437) and radiotap[22:] == b"\xba", f"radiotap: {radiotap.hex()}")
    unknown = packets[2][1][20:42 + len(bytes_)]
    check(unknown[2] == 22 and not unknown[4] & 1 << 5 and unknown[22:] == bytes_, f"no signal: {unknown.hex()}")
    again = subprocess.run([LARCH, "sniff", "-r", out, "--json"], capture_output=True)
    check(again.returncode == 0 and again.stdout.count(b'"packet"') == 5, f"read back: {again.stderr}")


def noise(folder):
    """Whatever stands between records, the records are found; what a terminal would obey is not shown."""
    frames = list(wifi_frames(folder, "link_wifi", "air"))

    def act(board):
        board.send(bytes(range(1, 256)) * 3)
        for i, bytes_ in enumerate(frames):
            board.hear(bytes_)
            board.send([b"\x1b[2J\n", b"\0\2junk", b"plain line\r\n", b"\0\0\0"][i % 4])
        board.send(sniffer_board.record(b"\3\0\x1b[31m"))
        board.send(sniffer_board.record(b"\7\0of a later version"))
        board.hear(frames[0])
    sniff = sniffed(act, "--json")
    check(sniff.code == 0, f"noise: exit {sniff.code}")
    check(b"from the board %d frames, dropped by it 0, lost on the line 0" % (len(frames) + 1) in sniff.err,
          f"noise: {sniff.err}")
    check(b"board: plain line\n" in sniff.err and b"\x1b" not in sniff.err + sniff.out, f"noise: {sniff.err}")


def prototype(folder):
    """Its lines are raw IP packets; the rest is talk. The same text as of the raw capture."""
    out = os.path.join(folder, "prototype.pcapng")
    packets = [b[14:] for _, b, _ in packets_of(os.path.join(folder, "direct.pcap"))]

    def act(board):
        board.send(b"Sniffer started on channel 1\r\n")
        for packet in packets:
            board.send(b"#pkt#" + packet.hex().encode() + b"\r\n")
        board.send(b"#pkt#45z\r\nbye\r\n")
    sniff = sniffed(act, "-w", out, "--json")
    wanted = [o["code"] for o in messages(subprocess.run(
        [LARCH, "sniff", "-r", os.path.join(folder, "direct.pcap"), "--json"], capture_output=True).stdout)
        if o["event"] == "packet"]
    got = [o["code"] for o in messages(sniff.out) if o["event"] == "packet"]
    check(got == wanted and len(got) > 20, f"prototype: {len(got)} of {len(wanted)} messages")
    check(b"board: Sniffer started on channel 1\n" in sniff.err and b"board: bye\n" in sniff.err and
          b"damaged records 1," in sniff.err, f"prototype: {sniff.err}")
    links = [struct.unpack_from("<H", body)[0] for kind, body in blocks_of(out) if kind == 1]
    check(links == [101], f"prototype: link types {links}")


def control(folder):
    """Options become control lines; answers come out; a board that somebody stopped is started."""
    bytes_ = next(wifi_frames(folder, "link_wifi"))
    board = Board(running=False)

    def act(board):
        board.wait_typed("channel 11")
        board.wait_typed("snap 30")
        board.tell_status()
        board.wait_typed("start")
        board.tell_status()
        board.hear(bytes_)
    sniff = sniffed(act, "--channel", "11", "--snap", "30", board=board)
    check(board.typed == ["channel 11", "snap 30", "start"], f"typed: {board.typed}")
    check(b"board: ok: channel 11\n" in sniff.err and b"board: ok: listening\n" in sniff.err, f"answers: {sniff.err}")
    check(b"cut short 1," in sniff.err, f"cut: {sniff.err}")


def ends(folder):
    """An unplugged board is a fault with a reason, whatever stands for its port; a file's end is an end."""
    bytes_ = next(wifi_frames(folder, "link_wifi"))
    stream = sniffer_board.frame(0, 0, 1, bytes_)
    sniff = sniffed(lambda board: board.hear(bytes_), interrupt=False)
    check(sniff.code == 1 and b"unplugged" in sniff.err and b"1 frames" in sniff.err, f"unplugged: {sniff.err}")

    name = os.path.join(folder, "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    sniff = Sniff(name, "--channel", "3")
    peer, _ = listener.accept()
    check(peer.recv(100) == b"channel 3\n", "the socket's control line")
    peer.sendall(stream)
    peer.shutdown(socket.SHUT_WR)
    check(sniff.finish() == 1 and b"hung up" in sniff.err and b"1 frames" in sniff.err, f"socket: {sniff.err}")
    peer.close()
    listener.close()

    name = os.path.join(folder, "stream")
    open(name, "wb").write(stream)
    sniff = Sniff(name)
    check(sniff.finish() == 0 and b"from the board 1 frames" in sniff.err, f"file: {sniff.err}")
    name = os.path.join(folder, "fifo")
    os.mkfifo(name)
    writer = threading.Thread(target=lambda: open(name, "wb").write(stream))
    writer.start()
    sniff = Sniff(name)
    writer.join()
    check(sniff.finish() == 0 and b"from the board 1 frames" in sniff.err, f"FIFO: {sniff.err}")

    open(name := os.path.join(folder, "garbage"), "wb").write(bytes(range(128, 256)) * 40)
    sniff = Sniff(name)
    check(sniff.finish() == 0 and b"is the baud rate right?" in sniff.err, f"garbage: {sniff.err}")

    def count(board):
        for _ in range(9):
            board.hear(bytes_)
    board = Board()
    sniff = Sniff(board.path, "--count", "4", "--json")
    count(board)
    check(sniff.finish() == 0 and sniff.out.count(b'"packet"') == 4, f"--count: {sniff.out}")
    board.unplug()


def usage():
    for arguments, code, what in ((["--serial"], 2, b"argument is missing"), (["--serial", "/nonexistent/tty"], 1, b"No such file"),
                                  (["--serial", "a", "-r", "b"], 2, b"either"), (["-r", "a", "--snap", "5"], 2, b"for --serial"),
                                  (["--serial", "a", "--channel", "15"], 2, b"1 to 14"),
                                  (["--serial", "a", "--channel", "0"], 2, b"1 to 14"),
                                  (["--serial", "a", "--snap", "4097"], 2, b"1 to 4096"),
                                  (["--serial", "/dev/null", "--baud", "12345"], 1, b"12345 baud"),
                                  (["--serial", "/dev/null", "--channel", "5"], 1, b"takes no commands")):
        got = subprocess.run([LARCH, "sniff", *arguments], capture_output=True, timeout=30)
        check(got.returncode == code and what in got.stderr and not got.stdout, f"{arguments}: {got.returncode} {got.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, os.path.join(HERE, "make_captures.py"), folder], check=True)
        same_as_capture(folder)
        loss(folder)
        noise(folder)
        prototype(folder)
        control(folder)
        ends(folder)
        usage()
    sys.exit(checks.failures != 0)


main()
