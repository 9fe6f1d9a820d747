# SPDX-License-Identifier: Apache-2.0
"""The sniffer's firmware on an emulated board, read by larch sniff: what it hears, and that it counts to the frame what a
full line made it drop.

usage: test_sniffer.py LARCH [MACHINE]
"""
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "boards"), str(ROOT / "tests" / "e2e")]
# pylint: disable=wrong-import-position
import board as boards
import make_captures as made

LARCH = Path(sys.argv[1]).resolve()
MACHINE = (sys.argv[2:] or ["qemu_virt"])[0]
FLOOD, BURST = 3000, 100  # frames: at least so many, until the line is full
DROPPED = "frames dropped by the board, whose line was full"


def air(frame, channel=6, dbm=-50):
    """An 802.11 frame as the emulated radio hears it (port/board/air.h)."""
    return b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x88\xb5" + struct.pack("Bb", channel, dbm) + frame


class Sniff:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([LARCH, "sniff", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text, self.changed = "", threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.text += line.decode(errors="replace")
                self.changed.notify_all()

    def wait(self, pattern, seconds=60):
        with self.changed:
            if not self.changed.wait_for(lambda: re.search(pattern, self.text), seconds):
                self.process.kill()
                raise AssertionError(f"no {pattern} in:\n{self.text}")
            return re.search(pattern, self.text)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        self.reader.join()
        return code


def main():
    boards.build(MACHINE)
    with tempfile.TemporaryDirectory(prefix="larch-sniffer-") as name:
        folder = Path(name)
        here, there, line = folder / "air", folder / "nic", folder / "line"
        radio = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        radio.bind(str(here))
        netdev = f"dgram,local.type=unix,local.path={there},remote.type=unix,remote.path={here}"
        with boards.Board("sniffer", MACHINE, folder=folder / "board", netdev=netdev,
                          line=f"socket,path={line},server=on,wait=off") as device:
            device.command("info status")
            sniff = Sniff("--serial", str(line), "--channel", "6", "--snap", "2000")
            sniff.wait("board: ok: snap 2000")
            radio.connect(str(there))
            message = made.coap(made.CON, made.GET, 77, b"\x07", "pqkem-pk")
            frame = made.wifi(made.llc(made.ipv4(made.SENDER, 40000, made.GATEWAY, 5683, message)), qos=True)
            radio.send(air(frame, channel=7))  # not heard
            radio.send(air(frame))
            sniff.wait(r"CON GET .*/pqkem-pk")
            big = made.wifi(made.noise(1400), qos=True, protected=True)
            # In bursts: the emulator drops what comes while the board does not run, and the board counts only its own drops.
            sent, deadline = 0, time.monotonic() + 60
            while sent < FLOOD or (DROPPED not in sniff.text and time.monotonic() < deadline):
                for _ in range(BURST):
                    radio.send(air(big))
                sent += BURST
                with sniff.changed:
                    sniff.changed.wait_for(lambda: DROPPED in sniff.text, 0.02)
            # A message of its own behind the flood: it comes once the ring has emptied, however long that takes.
            last = made.coap(made.CON, made.GET, 78, b"\x08", "after-the-flood")
            last = made.wifi(made.llc(made.ipv4(made.SENDER, 40001, made.GATEWAY, 5683, last)))
            for repeats in range(1, 600):
                radio.send(air(last))
                with sniff.changed:
                    if sniff.changed.wait_for(lambda: "after-the-flood" in sniff.text, 0.1):
                        break
            sniff.wait("after-the-flood")
            code = sniff.stop()
        got = re.search(r"from the board (\d+) frames, dropped by it (\d+), lost on the line (\d+), damaged records (\d+), "
                        r"restarts (\d+)", sniff.text)
        assert code == 0 and got, sniff.text
        came, dropped, lost, damaged, restarts = map(int, got.groups())
        print(f"{came} frames came, {dropped} were dropped by the board, {lost} lost, {damaged} damaged")
        assert (lost, damaged, restarts) == (0, 0, 0), sniff.text
        assert came > 14 and dropped > 0, f"{sent} and {repeats} were sent; the ring alone holds 14"
        assert came + dropped <= sent + 1 + repeats, f"no more than {sent} and {repeats} were sent"
        assert DROPPED in sniff.text, sniff.text
        assert sniff.text.count("/pqkem-pk") == 1, "a frame of another channel was heard"


main()
