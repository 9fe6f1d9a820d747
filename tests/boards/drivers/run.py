#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The drivers of port/qemu_virt under QEMU: builds main.c with them, moves it by
commands over its serial line, and plays the other end of each device.

usage: tests/boards/drivers/run.py [CASE...]

Exits 77 if the tools are missing (tools/setup.sh boards).
"""
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools/boards"))
import riscv  # noqa: E402

GCC, QEMU = "riscv64-unknown-elf-gcc", riscv.EMULATOR
PATIENCE_S = 60  # for a board that hangs; no test measures it

FLASH_LEN = 32 << 20
MAC = bytes.fromhex("026c61720001")
PEER = bytes.fromhex("026c61720002")
BSSID = bytes.fromhex("026c61726368")
RNG = ["-device", "virtio-rng-device"]


def build(elf):
    flags = (
        "--specs=picolibc.specs -march=rv32imfc -mabi=ilp32f -misa-spec=2.2 -mcmodel=medany -std=c11 -Os"
        " -ffunction-sections -fdata-sections -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla"
        " -Wstrict-prototypes -Wmissing-prototypes -Werror"
    ).split()
    # Code and data share the RAM of 276 KiB, at whose start QEMU's description of the board stands.
    memory = "-Wl,--gc-sections" + "".join(
        f",--defsym=__{name}={value}"
        for name, value in (
            ("flash", "0x80002000"), ("flash_size", "0xe000"),
            ("ram", "0x80010000"), ("ram_size", "0x35000"), ("stack_size", "0x2000"),
        )
    )
    sources = [Path(__file__).with_name("main.c"), *sorted((ROOT / "src/base").glob("*.c"))]
    sources += [ROOT / "port/qemu_virt" / f"{name}.c" for name in (
        "clint", "devices", "pflash", "radio", "uart16550",
        "virtio", "virtio_console", "virtio_net", "virtio_rng", "virtq",
    )]
    sources += [ROOT / "port/board" / f"{name}.c" for name in ("air", "air_radio", "line")]
    subprocess.run(
        [GCC, *flags, f"-I{ROOT}/include", f"-I{ROOT}/port", f"-I{ROOT}/src", *map(str, sources), memory, "-o", str(elf)],
        check=True,
    )


class Board:
    """One running board, and its serial line."""

    def __init__(self, elf, *options, modern=True):
        command = [QEMU, "-M", "virt", "-cpu", riscv.cpu(), "-m", "276K", "-display", "none",
                   "-monitor", "none", "-serial", "stdio", "-bios", "none",
                   "-device", f"loader,file={elf},cpu-num=0", *options]
        if modern:
            command += ["-global", "virtio-mmio.force-legacy=false"]
        self.qemu = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.watch = threading.Timer(PATIENCE_S, self.qemu.kill)
        self.watch.start()
        self.boot()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watch.cancel()
        self.qemu.kill()
        self.qemu.communicate()

    def boot(self):
        """The board's own milliseconds when it was ready."""
        word, ms = self.line().split()
        assert word == "ready", word
        return int(ms)

    def line(self):
        text = self.qemu.stdout.readline()
        assert text.endswith(b"\n"), f"the board fell silent: {text!r}"
        return text[:-1].decode("ascii")

    def expect(self, text):
        got = self.line()
        assert got == text, f"{got!r} instead of {text!r}"

    def write(self, data):
        self.qemu.stdin.write(data)
        self.qemu.stdin.flush()

    def run(self, command, error=None):
        """The lines of the answer."""
        self.write(command.encode() + b"\n")
        lines = []
        while (text := self.line()) != "ok" and not text.startswith("error "):
            lines.append(text)
        assert text == ("ok" if error is None else f"error {error}"), f"{command[:60]}: {text}"
        return lines

    def numbers(self, command):
        return [int(word) for word in self.run(command)[-1].split()[1:]]

    def value(self, command, error=None):
        return bytes.fromhex(self.run(command, error)[-1].partition(" ")[2])

    def wait(self, command, wanted):
        """Repeats the command until its lines are so: devices answer when the host gets to it."""
        lines = []
        while not wanted(lines):
            lines += self.run(command)
        return lines

    def end(self, code=0):
        assert self.qemu.wait() == code, self.qemu.returncode


class Wire:
    """The far end of the board's Ethernet: one datagram a frame."""

    def __init__(self, folder):
        self.board, self.here = folder / "board.net", folder / "host.net"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.here))
        self.socket.settimeout(PATIENCE_S)
        self.options = [
            "-netdev", f"dgram,id=n0,local.type=unix,local.path={self.board},remote.type=unix,remote.path={self.here}",
            "-device", f"virtio-net-device,netdev=n0,mac={MAC.hex(':')}",
        ]

    def send(self, frame):
        self.socket.sendto(frame, str(self.board))

    def receive(self):
        return self.socket.recv(65536)


def ethernet(to, sender, kind, payload):
    return to + sender + kind.to_bytes(2, "big") + payload


# ---- cases -------------------------------------------------------------------


def case_line(elf, folder):
    """Virtual time counts instructions, so the figures do not depend on this machine."""
    total = 20000
    with Board(elf, "-icount", "shift=0") as board:
        board.write(f"rate {total}\n".encode())
        board.expect("".join(chr(97 + i % 26) for i in range(total)))
        us, refused, excess = (int(word) for word in board.line().split()[1:])
        board.expect("ok")
        at_best = (total - 200) * 5  # a tick's worth may have been saved up
        assert at_best <= us <= at_best * 1.05, f"{total} bytes in {us} us, {at_best} expected"
        assert refused > 0, "the line never was full"
        assert excess == 0, f"{excess} bytes more than the line carries"
        us_as_ms, ms, later, ticks, instructions = board.numbers("time")
        assert 0 <= ms - us_as_ms <= 1 and 19000 <= later <= 22000 and 18 <= ticks <= 22, (us_as_ms, ms, later, ticks)
        assert later * 950 <= instructions <= later * 1050, instructions  # of 1 ns each
        board.write(b"restart\n")
        assert board.boot() < 20, "time began anew: so much has not passed since the restart"


def case_input(elf, folder):
    """More than ring and FIFO hold arrives while the board is slow: nothing is lost, nothing overwritten."""
    data = bytes(i * 7 % 251 for i in range(5000))
    with Board(elf) as board:
        board.write(f"sink {len(data)}\n".encode() + data)
        board.expect(f"sink {zlib.crc32(data)}")
        board.expect("ok")
        board.run("nonsense", "MALFORMED")
        board.write(b"fault\n")
        for _ in range(1000):
            board.expect("fault")
        board.end(7)


def case_random(elf, folder):
    with Board(elf, *RNG) as board:
        draws = [board.value(f"random {n}") for n in (64, 64, 1, 33, 1000)]
        assert [len(d) for d in draws] == [64, 64, 1, 33, 1000]
        assert draws[0] != draws[1] and len(set(draws[4])) > 200
        assert len({draws[4][i : i + 4] for i in range(0, 1000, 4)}) > 245, "words repeat"
    # A source that gives nothing: the board says so in time, and hands out no bytes.
    hole = folder / "egd"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(hole))
    listener.listen()
    source = ["-chardev", f"socket,id=egd,path={hole}", "-object", "rng-egd,chardev=egd,id=r0",
              "-device", "virtio-rng-device,rng=r0"]
    with Board(elf, *source) as board:
        for _ in range(5):  # one more than there are places
            assert board.value("random 40", "PLATFORM") == bytes(40)


def case_channel(elf, folder):
    stream = folder / "stream"
    second = ["-device", "virtio-serial-device", "-chardev", f"file,id=second,path={stream}",
              "-device", "virtconsole,chardev=second"]
    with Board(elf, *second) as board:
        board.run("led 1")
        board.run("led 1")  # no change, no frame
        board.run("i2c 60 00ae")
        board.run("i2c_long 61 1025")
        board.run("i2c_long 61 1026", "SPACE")
        board.run("i2c_long 61 0", "SPACE")
        board.run("i2c 128 00", "SPACE")
        board.run("led 0")
        board.run("i2c 60 40ff")
        wanted = (b"\x01\0\1\1" + b"\x78\0\2\x00\xae" + b"\x7a\x04\x01" + bytes(i % 256 for i in range(1025))
                  + b"\x01\0\1\0" + b"\x78\0\2\x40\xff")
        while stream.stat().st_size < len(wanted):
            board.run("time")
        assert stream.read_bytes() == wanted


def case_flash(elf, folder):
    image = folder / "flash"
    with open(image, "wb") as file:
        file.truncate(FLASH_LEN)
    flash = ["-drive", f"if=pflash,unit=1,format=raw,file={image}"]
    with Board(elf, *flash) as board:
        assert board.numbers("flash_size") == [1 << 18, 8]
        board.run("flash_program 0 01", "PLATFORM")  # a file of zeros is a chip programmed all over
        board.run("flash_erase 0")
        board.run("flash_erase 7")
        board.run("flash_erase 8", "PLATFORM")
        assert board.value("flash_read 0 64") == b"\xff" * 64
        board.run("flash_program 5 a1b2c3d4e5f6")  # begins and ends inside a word
        assert board.value("flash_read 4 8") == bytes.fromhex("ffa1b2c3d4e5f6ff")
        board.run("flash_program 6 b28004")  # fewer ones, or as many
        assert board.value("flash_read 4 8") == bytes.fromhex("ffa1b28004e5f6ff")
        board.run("flash_program 4 01a3", "PLATFORM")  # a bit of the second would turn into a one: not even the first is written
        assert board.value("flash_read 4 8") == bytes.fromhex("ffa1b28004e5f6ff")
        long = bytes(i % 253 for i in range(1501))
        board.run(f"flash_program {(1 << 21) - 1501} {long.hex()}")
        assert board.value(f"flash_read {(1 << 21) - 1501} 1501") == long
        for command in (f"flash_program {1 << 21} 00", f"flash_program {(1 << 21) - 1} 0000", "flash_program 4294967295 0000",
                        f"flash_read {(1 << 21) - 3} 4", "flash_read 4294967292 8"):
            board.run(command, "PLATFORM")
        board.write(b"restart\n")
        board.boot()
        assert board.value("flash_read 4 8") == bytes.fromhex("ffa1b28004e5f6ff")
    with Board(elf, *flash) as board:  # after a kill
        assert board.value("flash_read 4 8") == bytes.fromhex("ffa1b28004e5f6ff")
        assert board.value(f"flash_read {(1 << 21) - 1501} 1501") == long
        board.run("flash_erase 7")
        assert board.value(f"flash_read {(1 << 21) - 1501} 1501") == b"\xff" * 1501
        assert board.value("flash_read 4 4") == bytes.fromhex("ffa1b280")
        board.write(b"end\n")
        board.end(0)


def case_ethernet(elf, folder):
    wire = Wire(folder)
    control = folder / "qmp"
    with Board(elf, *wire.options, "-qmp", f"unix:{control},server=on,wait=off") as board:
        board.run("send " + "00" * 60, "PLATFORM")
        assert board.numbers("link") == [0]
        assert board.value("net") == MAC
        board.run("net", "STATE")
        assert board.numbers("link") == [1]

        for payload in (b"", b"x", bytes(i % 256 for i in range(1500))):
            frame = ethernet(PEER, MAC, 0x88B6, payload)
            board.run(f"send {frame.hex()}")
            assert wire.receive() == frame
        board.run("send_long", "SPACE")

        # Only what is for us comes in, whole, and in order; more in all than there are buffers.
        ours = [ethernet(MAC, PEER, 0x88B6, bytes([n]) * (100 * n)) for n in range(16)]
        for n, frame in enumerate(ours):
            wire.send(ethernet(MAC, MAC, 0x88B6, b"own, come back"))
            wire.send(ethernet(PEER, BSSID, 0x88B6, b"for another"))
            wire.send(MAC + PEER)  # shorter than a header
            wire.send(frame)
            got = board.wait("receive 1514", lambda lines: lines)
            assert got == [f"frame {frame.hex()}"], f"frame {n}: {got[0][:60]}"
        everybody = ethernet(b"\xff" * 6, PEER, 0x0806, b"who has")
        wire.send(ethernet(MAC, PEER, 0x88B6, bytes(101)))  # longer than the caller's buffer by one
        wire.send(everybody)
        assert board.wait("receive 114", lambda lines: lines) == [f"frame {everybody.hex()}"]
        assert board.numbers("wakes")[0] > 0

        again = None
        received = []
        board.write(b"burst 500\n")
        while len(received) < 500:
            frame = wire.receive()
            received.append(int.from_bytes(frame[14:16], "big"))
        assert received == list(range(500)), "lost or out of order"
        again = int(board.line().split()[1])
        board.expect("ok")
        print(f"  burst: no room {again} times")

        qmp = socket.socket(socket.AF_UNIX)
        qmp.connect(str(control))
        lines = qmp.makefile("rw")
        lines.readline()

        def execute(command, **arguments):
            lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            lines.flush()
            while "return" not in (answer := json.loads(lines.readline())):
                assert "error" not in answer, answer

        execute("qmp_capabilities")
        before = board.numbers("wakes")[0]
        execute("set_link", name="n0", up=False)
        assert board.wait("link", lambda lines: "link 0" in lines)
        board.run(f"send {everybody.hex()}")  # into the void
        execute("set_link", name="n0", up=True)
        assert board.wait("link", lambda lines: "link 1" in lines)
        assert board.wait("wakes", lambda lines: lines and int(lines[-1].split()[1]) >= before + 2), "changes wake too"
        board.run(f"send {ours[3].hex()}")
        assert wire.receive() == ours[3]


def case_radio(elf, folder):
    wire = Wire(folder)
    with Board(elf, *wire.options) as board:
        board.run("radio")
        board.run("channel 0", "SPACE")
        board.run("channel 15", "SPACE")

        def heard(*frames):
            """What the board hears of these frames and a last one that it hears for certain."""
            for frame in frames:
                wire.send(frame)
            lines = board.wait("heard", lambda all_of: len(all_of) >= len(frames))
            return [line.split()[1:] for line in lines]

        def data(to, sender, number, body):
            return (b"\x08\x02\0\0" + to + BSSID + sender + (number << 4).to_bytes(2, "little") + body).hex()

        snap = bytes.fromhex("aaaa03000000")
        other = bytes.fromhex("020000000007")
        long = bytes(1500)
        got = heard(ethernet(other, PEER, 0x0800, b"to another station"), ethernet(b"\xff" * 6, PEER, 0x0806, long),
                    ethernet(other, PEER, 3, b"\x42\x42\x03" + bytes(43)))
        assert got == [["6", "-40", data(other, PEER, 0, snap + b"\x08\0to another station")],
                       ["6", "-40", data(b"\xff" * 6, PEER, 1, snap + b"\x08\x06" + long)],
                       ["6", "-40", data(other, PEER, 2, b"\x42\x42\x03")]], got

        acknowledgement = bytes.fromhex("d4000000") + other
        beacon = b"\x80\0" + bytes(1496)

        def carry(channel, dbm, frame):
            return ethernet(b"\xff" * 6, PEER, 0x88B5, bytes([channel, dbm % 256]) + frame)

        board.run("channel 11")
        wire.send(ethernet(other, PEER, 0x0800, b"channel 6, not heard"))
        wire.send(carry(1, -50, acknowledgement))  # another channel
        wire.send(carry(11, -50, acknowledgement[:-1]))  # shorter than any frame
        wire.send(carry(0, -50, acknowledgement))
        wire.send(carry(15, -50, acknowledgement))
        wire.send(ethernet(other, MAC, 0x88B5, bytes([11, 1]) + acknowledgement))  # our own
        got = heard(carry(11, -1, acknowledgement), carry(11, -128, beacon))
        assert got == [["11", "-1", acknowledgement.hex()], ["11", "-128", beacon.hex()]], got


def case_absent(elf, folder):
    """No device, or one of the old kind: the calls say so."""
    old = ["-device", "virtio-serial-device", "-device", "virtio-net-device", *RNG]
    for options in ([], old):
        with Board(elf, *options, modern=False) as board:
            assert board.value("random 16", "PLATFORM") == bytes(16)
            board.run("i2c 60 00", "PLATFORM")
            board.run("led 1")
            board.run("net", "PLATFORM")
            board.run("radio", "PLATFORM")
            board.run("send " + "00" * 60, "PLATFORM")
            assert board.numbers("link") == [0]
            assert board.run("receive 1514") == []


def case_instructions(_, folder):
    """The emulated processor is RV32IMFC: the images of all tests show by running that they need no more."""
    ran, illegal = 0, 2
    for name, word, expected in (("mul a0, a0, a0", 0x02A50533, ran), ("fadd.s ft0, ft0, ft0", 0x00000053, ran),
                                 ("fadd.d ft0, ft0, ft0", 0x02000053, illegal), ("amoadd.w zero, zero, (sp)", 0x0001202F, illegal),
                                 ("lr.w zero, (sp)", 0x1001202F, illegal)):
        elf = folder / "instruction.elf"
        subprocess.run([GCC, "-march=rv32imfc", "-mabi=ilp32f", "-misa-spec=2.2", "-nostdlib", "-Wl,-Ttext=0x80000000",
                        f"-DWORD={word}", Path(__file__).with_name("instructions.S"), "-o", elf], check=True)
        done = subprocess.run([QEMU, "-M", "virt", "-cpu", riscv.cpu(), "-display", "none", "-bios", elf], timeout=PATIENCE_S,
                              check=False).returncode
        assert done == expected, f"{name}: {done} instead of {expected}"


def main():
    if not all(map(shutil.which, (GCC, QEMU))):
        print(f"skipped: drivers: needs {GCC} and {QEMU}; tools/setup.sh boards installs them")
        return 77
    cases = {name.removeprefix("case_"): case for name, case in globals().items() if name.startswith("case_")}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(folder) / "drivers.elf"
        build(elf)
        for name in sys.argv[1:] or cases:
            place = Path(folder) / name
            place.mkdir()
            start = time.monotonic()
            try:
                cases[name](elf, place)
                print(f"PASS {name} ({time.monotonic() - start:.1f} s)", flush=True)
            except (AssertionError, OSError, ValueError, IndexError) as problem:
                print(f"FAIL {name}: {problem!r}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
