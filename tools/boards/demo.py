#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The prototype's three boards under emulation: gateway, sender and sniffer on one virtual network, an exchange,
a replay and altered copies. Leaves in FOLDER: the displays as PNG, each board's serial log, the sniffer's capture
(sniffer.pcapng), what crossed the network (network.pcap), and a summary (summary.txt, summary.json).

usage: tools/boards/demo.py [--machine MACHINE[,MACHINE,MACHINE]] [--folder FOLDER] [--text TEXT] [--prepare]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import prepare
from board import MACHINES, ROOT, Board, Failure
from network import Host, Network, parse_udp

LARCH = ROOT / "build" / "larch"
ATTACKER = "10.7.0.66"
COPIES = 12
ROLES = ("gateway", "sender", "sniffer")


# ---- messages on the wire --------------------------------------------------------


def sealed_requests(frames, gateway):
    """Datagrams that posted a sealed message to the gateway."""
    packets = (parse_udp(f) for f in frames)
    return [p[2] for p in packets if p and p[1] == gateway and b"pqkem-data" in p[2][:40]]


def as_new_request(datagram, message_id):
    """The same, as a request that no duplicate detection knows."""
    return datagram[:2] + message_id.to_bytes(2, "big") + datagram[4:]


RECEIPT_LEN = 16


def answer_of(datagram):
    """(code as "4.01", payload as text) of a short answer, without the receipt that a sender's request asks for."""
    if datagram is None:
        return "none", ""
    _, _, payload = datagram[4 + (datagram[0] & 15):].partition(b"\xff")  # behind the token, which may hold any byte
    for text in (b"OK", b"REPLAY"):
        if payload.startswith(text) and len(payload) == len(text) + RECEIPT_LEN:
            payload = text
    return f"{datagram[1] >> 5}.{datagram[1] & 31:02}", payload.decode(errors="replace")


# ---- the demo --------------------------------------------------------------------


class Demo:
    def __init__(self, machines, folder, text):
        """machines: of the roles, in ROLES' order."""
        self.machines, self.folder, self.text = dict(zip(ROLES, machines)), folder, text
        self.facts = {}
        self.lines = []
        self.failed = False

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def check(self, ok, line):
        self.failed |= not ok
        self.say(f"  {'✓' if ok else '✗'} {line}")

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.place = tempfile.TemporaryDirectory(prefix="larch-boards-")  # the names of sockets must be short
        self.run_folder = Path(self.place.name)
        self.network = Network(self.run_folder).start()
        self.sniffer = self.board("sniffer", 3, line=f"socket,path={self.run_folder}/sniffer.line,server=on,wait=off")
        self.gateway = self.board("gateway", 1)
        self.sender = self.board("sender", 2)
        self.sniffer.command("info status")  # its line exists
        self.sniff_log = open(self.folder / "sniffer.log", "w", encoding="utf-8")
        self.sniff = subprocess.Popen([LARCH, "sniff", "--serial", self.run_folder / "sniffer.line", "-w",
                                       self.folder / "sniffer.pcapng"], stdout=self.sniff_log, stderr=subprocess.STDOUT)

    def board(self, role, number, **more):
        return Board(role, self.machines[role], folder=self.run_folder / role, netdev=self.network.netdev(role),
                     mac=f"02:00:6c:00:00:1{number}", oled=f"file,path={self.run_folder}/{role}.i2c", exact=True,
                     **more).start()

    def stop(self):
        for board in (self.sender, self.gateway):
            board.write(b"stack\rsteps\rstatus\r")
        time.sleep(1)
        for board in (self.sender, self.gateway):
            (self.folder / f"{board.name}.log").write_bytes(board.read(0.2))
        self.sniff.terminate()
        self.sniff.wait(10)
        self.sniff_log.close()
        for board in (self.sender, self.gateway, self.sniffer):
            board.kill()
        self.network.stop()
        shutil.move(self.run_folder / "network.pcap", self.folder / "network.pcap")
        self.place.cleanup()

    def picture(self, board):
        """What the board's display shows, by a model of its controller: as PNG, and its rows of text."""
        i2c = self.run_folder / f"{board.name}.i2c"
        subprocess.run([LARCH, "oled", i2c, "--png", self.folder / f"{board.name}.png"], check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run([LARCH, "oled", i2c, "--json"], check=True, capture_output=True, text=True).stdout
        pictures = [json.loads(line) for line in shown.splitlines()]
        return [p for p in pictures if "text" in p][-1]["text"]

    def flashes(self, board, wanted=0, seconds=10):
        """How often the board's LED was lit so far; waits until it was so often."""
        until = time.monotonic() + seconds
        while True:
            told = subprocess.run([LARCH, "oled", self.run_folder / f"{board.name}.i2c", "--json"], check=True, capture_output=True,
                                  text=True).stdout
            count = told.count('"lit":true')
            if count >= wanted or time.monotonic() > until:
                return count
            time.sleep(0.2)

    def run(self):
        self.say("Three emulated boards; this takes a minute or two, and longer where the machine is busy")
        self.say("1 Start. Three boards of 276 KiB under QEMU: initialise, join the network, DHCP, flag, application task")
        ready = self.gateway.expect(rb"ready: (\d+) ms", 30)
        pin = self.gateway.expect(rb"identity: (larch2:[a-z2-7]{32})")[1].decode()
        address = self.gateway.expect(rb"network: ready, ([\d.]+):(\d+)\s")
        self.address = (address[1].decode(), int(address[2]))
        self.facts |= {"gateway": "%s:%d" % self.address, "pin": pin, "ready_ms": int(ready[1])}
        self.say(f"  gateway {self.address[0]}, ready after {ready[1].decode()} ms, its identity: {pin}")

        self.say("2 Exchange. The sender is told the pin on its console, finds the gateway by broadcast, checks its key, seals")
        self.sender.expect(rb"network: ready", 30)
        self.sender.write(b"interval 0\rpin " + pin.encode() + b"\rsend " + self.text.encode() + b"\r")
        self.sender.expect(rb"delivered: #1", 60)
        accepted = self.gateway.expect(rb"accepted: #1 from ([\d.:]+), ML-KEM-512: ([^\n]*)\n", 10)
        self.check(accepted[2].decode().strip() == self.text, f"accepted from {accepted[1].decode()}: {accepted[2].decode().strip()}")
        time.sleep(0.5)
        rows = self.picture(self.gateway)
        self.check(any(self.text[:20] in row for row in rows), "the gateway's display, read back from its I2C bytes:")
        for row in rows:
            self.say(f"      | {row:21} |")
        self.picture(self.sender)

        attacker = Host(self.network, ATTACKER, 40000)
        recorded = sealed_requests(self.network.seen, self.address)[-1]
        self.say("3 Replay. An attacker who heard the message sends it again as a new request")
        lit = self.flashes(self.gateway)
        answer = answer_of(attacker.ask(self.address, as_new_request(recorded, 0x4A01)))
        self.check(answer == ("4.01", "REPLAY"), f"answered {' '.join(answer)}")
        lit = self.flashes(self.gateway, lit + 3) - lit
        self.check(lit == 3, f"and the LED flashed {lit} times")
        self.gateway.expect(rb"refused: from [\d.:]+, replay", 10)
        self.say(f"4 Alteration. {COPIES} copies, a bit of nonce or ciphertext turned over in each")
        answers = []
        start = recorded.index(b"\xff") + 1
        for i in range(COPIES):
            at = start + 6 + i * 44 // COPIES  # what the mark is made of; altered behind it, a copy is a REPLAY
            altered = recorded[:at] + bytes([recorded[at] ^ 1 << i % 8]) + recorded[at + 1:]
            answers.append(answer_of(attacker.ask(self.address, as_new_request(altered, 0x4B00 + i))))
        good = answers.count(("4.00", "AUTH_FAIL"))
        self.check(good == COPIES, f"{good} of {COPIES} answered 4.00 AUTH_FAIL")
        self.check(self.picture(self.gateway) == rows, "and the display still shows what was authenticated")
        self.facts |= {"replay": list(answer), "altered": good, "rows": rows, "replay_flashes": lit}
        time.sleep(1)

    def summarize(self):
        sender, gateway, sniffer = ((self.folder / f"{r}.log").read_text(errors="replace") for r in ("sender", "gateway", "sniffer"))
        self.say("5 Sniffer. The third board heard all of it, as 802.11 frames, over its serial line:")
        alerts = re.findall(r"replay: [^\n]*", sniffer)
        self.check(bool(alerts), f"larch sniff names it: {alerts[0] if alerts else 'nothing'}")
        frames = re.search(r"(\d+) frames: (\d+) CoAP messages", sniffer)
        self.check(bool(frames) and int(frames[2]) > 0, frames[0] if frames else "no frames")
        self.say("6 Figures, exact under -icount; the time is an estimate, of an instruction a cycle")
        steps = {}
        for log, board in ((sender, self.sender), (gateway, self.gateway)):
            for name, count in re.findall(r"step: (.+?) (\d+) instructions", log):
                steps[name] = int(count)
                self.say(f"    {name:26} {int(count):9,} instructions  {int(count) / board.machine.mhz / 1e3:6.2f} ms "
                         f"at {board.machine.clock}")
        stacks = re.findall(r"stack: (\S+) (\d+) of (\d+) bytes", gateway)
        self.say("    gateway's stacks: " + ", ".join(f"{n} {u} of {t}" for n, u, t in stacks) + " bytes")
        self.facts |= {"instructions": steps, "stacks": {n: [int(u), int(t)] for n, u, t in stacks}, "alerts": alerts,
                       "failed": self.failed}
        self.say(f"\nIn {self.folder}: gateway.png, sender.png, *.log, sniffer.pcapng, network.pcap, summary.json")
        (self.folder / "summary.txt").write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        (self.folder / "summary.json").write_text(json.dumps(self.facts, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--machine", default="qemu_virt", help="one of " + ", ".join(MACHINES) + "; or three, for "
                        "gateway, sender and sniffer")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "boards-demo", help="where all of it goes; emptied first")
    parser.add_argument("--text", default="Pump 3: 4.2 bar, 17 C", help="the message")
    parser.add_argument("--prepare", action="store_true", help="first build what is missing (JOBS=2 at a time)")
    arguments = parser.parse_args()
    machines = arguments.machine.split(",") * (1 if "," in arguments.machine else len(ROLES))
    if len(machines) != len(ROLES) or not set(machines) <= set(MACHINES):
        parser.error(f"--machine: no {arguments.machine}")
    if arguments.prepare:
        try:
            prepare.run(list(prepare.demo_steps(machines, os.environ.get("JOBS", "2"))))
        except prepare.Failed as failed:
            print(failed, end="", file=sys.stderr)
            return 1
    demo = Demo(machines, arguments.folder.resolve(), arguments.text)
    demo.start()
    try:
        demo.run()
    except Failure as failure:
        demo.failed = True
        demo.say(str(failure))
    finally:
        demo.stop()
    demo.summarize()
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
