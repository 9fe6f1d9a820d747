# SPDX-License-Identifier: Apache-2.0
"""A sniffer board at the end of a pseudo terminal, by PROTOCOL.md section 5 alone: it sends what a test says and
obeys control lines as the firmware does."""
import os
import pty
import re
import select
import struct
import threading
import tty
import zlib


def cobs(data):
    out = b""
    for part in data.split(b"\0"):
        while len(part) >= 254:
            out, part = out + b"\xff" + part[:254], part[254:]
        out += bytes([len(part) + 1]) + part
    return out


def record(body):
    return b"\0" + cobs(body + struct.pack("!I", zlib.crc32(body))) + b"\0"


def frame(sequence, dropped, time_us, bytes_, channel=6, signal=-42, length=None):
    return record(struct.pack("!BBIIQBbH", 1, 0, sequence, dropped, time_us, channel, signal,
                              len(bytes_) if length is None else length) + bytes_)


def status(time_us, heard, dropped, waiting=0, snap=4096, used=0, size=20480, channel=6, running=True):
    return record(struct.pack("!BBQIIHHIIBB", 2, 0, time_us, heard, dropped, waiting, snap, used, size, channel, running))


def text(line):
    return record(b"\3\0" + line.encode())


class Board:
    """Numbers its frames itself; hear() is what the radio hears. path is the serial port."""

    def __init__(self, running=True):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)  # else what is sent before somebody opens the port would be echoed
        self.path = os.ttyname(self.slave)
        self.channel, self.snap, self.running = 6, 4096, running
        self.sequence = self.dropped = 0
        self.time_us = 1_000_000
        self.typed = []
        self.changed = threading.Condition()
        self.gone = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def send(self, data):
        while data:
            data = data[os.write(self.master, data):]

    def hear(self, bytes_, **more):
        self.time_us += 1000
        kept = bytes_[:self.snap]
        self.send(frame(self.sequence, self.dropped, self.time_us, kept, self.channel, length=len(bytes_), **more))
        self.sequence += 1

    def drop(self, count):
        self.sequence += count
        self.dropped += count

    def lose(self, count):
        self.sequence += count

    def tell_status(self):
        self.time_us += 1000
        self.send(status(self.time_us, self.sequence, self.dropped, 0, self.snap, 0, 20480, self.channel, self.running))

    def obey(self, line):
        found = re.fullmatch(r"(channel|snap) (\d+)", line)
        if found and 1 <= int(found[2]) <= {"channel": 14, "snap": 4096}[found[1]]:
            setattr(self, found[1], int(found[2]))
            self.send(text("ok: " + line))
        elif line in ("start", "stop"):
            self.running = line == "start"
            self.send(text("ok: listening" if self.running else "ok: stopped; start goes on"))
        elif line == "status":
            self.tell_status()
            self.send(text("ok: as you see"))
        else:
            self.send(text("error: no command '%s'; help lists them" % line))

    def read(self):
        rest = b""
        while not self.gone.is_set():
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            data = os.read(self.master, 4096)
            *lines, rest = (rest + data).split(b"\n")
            with self.changed:
                for line in filter(None, lines):
                    self.typed.append(line.decode())
                    self.obey(line.decode())
                self.changed.notify_all()

    def wait_typed(self, line, seconds=20):
        with self.changed:
            if not self.changed.wait_for(lambda: line in self.typed, seconds):
                raise AssertionError(f"{line!r} was not typed: {self.typed}")

    def say(self, line):
        self.send(text(line))

    def unplug(self):
        """What was not read by then is lost."""
        self.gone.set()
        self.reader.join()
        os.close(self.master)
        os.close(self.slave)
