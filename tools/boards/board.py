# SPDX-License-Identifier: Apache-2.0
"""One emulated board: makes its flash images, starts QEMU on an image of the firmware, talks over the serial line.

    with Board("gateway", folder=work, netdev="user,hostfwd=udp:127.0.0.1:5683-:5683") as board:
        board.expect(rb"ready")
        board.write(b"keys\r")

As a program: python3 tools/boards/board.py ROLE [NETDEV [MACHINE]] puts the board's line on this terminal.
"""
import hashlib
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import riscv

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "boards"


class QemuVirt:
    """RV32IMFC on QEMU's "virt": code and keys in two flash chips, devices through virtio."""

    emulator = riscv.EMULATOR
    sector, sectors = 256 << 10, 8
    flash_size = 32 << 20  # what QEMU's machine wants; the files are sparse
    icount = 0  # an instruction a nanosecond
    mhz, clock = 192, "the BL602's 192 MHz"

    @staticmethod
    def arguments(board):
        code = board.folder / "code.flash"
        subprocess.run(["riscv64-unknown-elf-objcopy", "-O", "binary", board.image, code], check=True)
        os.truncate(code, QemuVirt.flash_size)
        return ["-M", "virt", "-cpu", riscv.cpu(), "-m", "276K", "-bios", "none",
                "-global", "virtio-mmio.force-legacy=false",
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,unit=1,format=raw,file={board.keys}",
                "-device", "virtio-rng-device,bus=virtio-mmio-bus.0"]

    @staticmethod
    def network(mac):
        return ["-device", f"virtio-net-device,netdev=net,bus=virtio-mmio-bus.1,mac={mac}"]

    @staticmethod
    def oled():
        return ["-device", "virtio-serial-device,bus=virtio-mmio-bus.2", "-device", "virtconsole,chardev=oled"]


class Mps2An385:
    """Cortex-M3 on ARM's MPS2; keys.flash, in the emulator's folder, is found by the firmware itself."""

    emulator = "qemu-system-arm"
    sector, sectors = 4 << 10, 8
    flash_size = sector * sectors
    icount = 5  # what port/mps2_an385/clock.c counts in
    mhz, clock = 25, "the board's 25 MHz"

    @staticmethod
    def arguments(board):
        return ["-M", "mps2-an385", "-semihosting-config", "enable=on,target=native", "-kernel", board.image.resolve()]

    @staticmethod
    def network(mac):
        return ["-net", f"nic,model=lan9118,netdev=net,macaddr={mac}"]

    @staticmethod
    def oled():
        return ["-serial", "chardev:oled"]


MACHINES = {"qemu_virt": QemuVirt, "mps2_an385": Mps2An385}


def image_of(role, machine="qemu_virt"):
    return BUILD / machine / f"larch-{role}.elf"


class Failure(Exception):
    """The board did not do what was expected; the text says what it printed instead."""


class Board:
    """role: larch-ROLE.elf of the build, or a path. machine: one of MACHINES. folder keeps flash and logs; the same folder
    is the same board. netdev: QEMU's -netdev ("user,hostfwd=...", or Network.netdev(name)), or None. mac: else one made of the name.
    oled: a chardev for the second channel ("file,path=..." or "socket,path=...,server=on,wait=off"). line: a chardev for
    the serial line, for another program to hold; without it write and expect hold it. exact: each instruction takes a
    fixed time, so that figures do not depend on the host. more: further arguments."""

    def __init__(self, role, machine="qemu_virt", folder=None, netdev=None, mac=None, oled=None, line=None, capture=None,
                 exact=False, more=(), name=None):
        self.machine = MACHINES[machine]
        self.name = name or Path(role).stem
        self.image = Path(role) if "/" in str(role) else image_of(role, machine)
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="larch-board-")
        self.folder = Path(folder or self._own_folder.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys = self.folder / "keys.flash"
        self.monitor = self.folder / "monitor.sock"
        self.netdev, self.oled, self.line, self.capture = netdev, oled, line, capture
        self.exact, self.more = exact, tuple(more)
        self.mac = mac or "02:6c:61:" + hashlib.sha256(self.name.encode()).digest()[:3].hex(":")
        self.output = b""  # all that the line said since the last start
        self.process = None

    # ---- images ----

    def _make_key_flash(self):
        """Blank is all ones; past the sectors that the firmware uses it may stay a hole."""
        if not self.keys.exists():
            self.keys.write_bytes(b"\xff" * (self.machine.sectors * self.machine.sector))
            os.truncate(self.keys, self.machine.flash_size)

    def arguments(self):
        """QEMU's whole command line."""
        self._make_key_flash()
        command = [self.machine.emulator, *self.machine.arguments(self), "-display", "none", "-nodefaults",
                   "-chardev", f"{self.line or 'stdio'},id=line", "-serial", "chardev:line",
                   "-monitor", f"unix:{self.monitor},server=on,wait=off"]
        if self.netdev:
            command += ["-netdev", f"{self.netdev},id=net", *self.machine.network(self.mac)]
            if self.capture:
                command += ["-object", f"filter-dump,id=dump,netdev=net,file={self.capture}"]
        if self.oled:
            command += ["-chardev", f"{self.oled},id=oled", *self.machine.oled()]
        if self.exact:
            command += ["-icount", f"shift={self.machine.icount}"]
        return command + list(self.more)

    # ---- life ----

    def start(self):
        assert self.process is None, "runs already"
        self.output = b""
        self.process = subprocess.Popen([str(a) for a in self.arguments()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=self.folder)
        os.set_blocking(self.process.stdout.fileno(), False)
        return self

    def kill(self):
        """As a power cut: nothing is told to the board."""
        if self.process:
            self.process.kill()
            self._pump(0.1)
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        if self._own_folder:
            self._own_folder.cleanup()

    # ---- serial line ----

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _pump(self, seconds):
        """Takes in what the line says; returns whether something came within so many seconds."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return False
        data = self.process.stdout.read()
        self.output += data or b""
        return bool(data)

    def read(self, seconds=0):
        """Everything said so far."""
        while self._pump(seconds):
            seconds = 0
        return self.output

    def stopped_by(self, since=0):
        """The firmware's last words before it restarted (port/freertos_lwip/report.h); None if there were none."""
        return re.compile(rb"(fault|assertion|stack overflow)[^\n]*, task [^\n]*\n").search(self.output, since)

    def expect(self, pattern, seconds=60, since=0):
        """Waits until the line, from byte `since` on, has said something like the pattern; returns the match."""
        until = time.monotonic() + seconds
        while True:
            match = re.compile(pattern).search(self.output, since)
            if match:
                return match
            if self.stopped_by(since):
                raise Failure(f"{self.name}: waited for {pattern!r}, but the board stopped:\n"
                              f"{self.output[:self.stopped_by(since).end()].decode(errors='replace')}")
            if time.monotonic() > until or (not self._pump(0.2) and self.process.poll() is not None):
                raise Failure(f"{self.name}: waited for {pattern!r}; the line said:\n{self.output.decode(errors='replace')}")

    def _connect(self, s, seconds):
        """To the monitor, which is there once QEMU has made all its devices."""
        until = time.monotonic() + seconds
        while True:
            try:
                return s.connect(str(self.monitor))
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def cable(self, plugged):
        return self.command(f"set_link net {'on' if plugged else 'off'}")

    def command(self, line, seconds=10):
        """One of QEMU's monitor: "info status", "system_reset"."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds)
            self._connect(s, seconds)
            answer = b""
            for text in (b"", line.encode() + b"\n"):
                s.sendall(text)
                answer = b""
                while not answer.endswith(b"(qemu) "):
                    answer += s.recv(4096)
            return answer.decode(errors="replace")


def build(machine="qemu_virt"):
    """Brings the images up to date; exits 77, as a test that is skipped does, where the tools for that are missing."""
    if not shutil.which(MACHINES[machine].emulator):
        print(f"skipped: {machine}: needs {MACHINES[machine].emulator}; tools/setup.sh boards installs it")
        sys.exit(77)
    status = subprocess.run([ROOT / "tools/boards/build.sh", machine], check=False).returncode
    if status:
        sys.exit(status)


def main():
    board = Board(sys.argv[1], *sys.argv[3:4], netdev=sys.argv[2] if len(sys.argv) > 2 else "user")
    try:
        subprocess.run([str(a) for a in board.arguments()], check=False, cwd=board.folder)
    finally:
        board.__exit__()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    main()
