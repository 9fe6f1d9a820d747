#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch sniff over every form that a capture file comes in: pcapng with interfaces, sections and clocks that differ,
variants of pcap, foreign formats by their names, damaged files, and a file that is read and written at once.

Usage: capture_test.py LARCH
"""
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

import checks
import make_captures as made
from checks import check

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH = os.path.abspath(sys.argv[1])
PUBLIC = os.environ.get("LARCH_CAPTURES", "")  # a folder of captures that others made
PACKET = made.ipv4(made.SENDER, 40000, made.GATEWAY, 5683, made.coap(made.CON, made.GET, 1, b"\xca\xfe", "pqkem-pk"))
FRAMES = {made.ETHERNET: made.ethernet(PACKET), made.RAW: PACKET, made.PPP: b"\0\x21" + PACKET, 189: b"\0" * 48}
SECOND = 10**6  # ticks of a clock that says nothing else
T2026, T2050, T2105 = 1_795_186_800, 2_540_000_000, 4_260_000_000
SECTION, INTERFACE, OLD_PACKET, SIMPLE, NAMES, STATISTICS, ENHANCED, SECRETS = 0x0a0d0d0a, 1, 2, 3, 4, 5, 6, 10


def sniff(*arguments, **more):
    return subprocess.run([LARCH, "sniff", *arguments], capture_output=True, timeout=60, **more)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


class Pcapng:
    """Writes blocks as a test says; order: '<' or '>' of the present section."""

    def __init__(self, order="<"):
        self.out, self.order = b"", order
        self.section()

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def block(self, kind, body):
        length = self.pack("I", 12 + len(pad(body)))
        self.out += self.pack("I", kind) + length + pad(body) + length
        return self

    def options(self, pairs):
        return b"".join(self.pack("HH", code, len(value)) + pad(value) for code, value in pairs) + \
            (self.pack("HH", 0, 0) if pairs else b"")

    def section(self, order=None, version=(1, 0), options=()):
        self.order = order or self.order
        return self.block(SECTION, self.pack("IHHq", 0x1a2b3c4d, *version, -1) + self.options(options))

    def interface(self, link, snaplen=65535, options=()):
        return self.block(INTERFACE, self.pack("HHI", link, 0, snaplen) + self.options(options))

    def frame(self, which, bytes_, ticks=T2026 * SECOND, kept=None, options=()):
        kept = bytes_[:kept]
        return self.block(ENHANCED, self.pack("IIIII", which, ticks >> 32, ticks & 0xffffffff, len(kept), len(bytes_)) +
                          pad(kept) + self.options(options))

    def old_frame(self, which, bytes_, ticks=T2026 * SECOND):
        return self.block(OLD_PACKET, self.pack("HHIIII", which, 7, ticks >> 32, ticks & 0xffffffff, len(bytes_), len(bytes_)) +
                          bytes_)

    def simple(self, bytes_, kept=None):
        return self.block(SIMPLE, self.pack("I", len(bytes_)) + bytes_[:kept])


def read(folder, data, *arguments, name="capture"):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    got = sniff("-r", path, "--json", *arguments)
    return got, [o for o in map(json.loads, got.stdout.splitlines()) if o["event"] == "packet"]


def expect(folder, what, data, messages, times=None, code=0, said=b""):
    got, packets = read(folder, data)
    check(got.returncode == code and len(packets) == messages and said in got.stderr,
          f"{what}: exit {got.returncode}, {len(packets)} messages, {got.stderr.decode()}")
    if times is not None:
        check([o["time"] for o in packets] == times, f"{what}: {[o['time'] for o in packets]}")
    check(all(o["token"] == "cafe" and o["path"] == "/pqkem-pk" for o in packets), f"{what}: {packets}")
    return packets


def interfaces(folder):
    """10: other link types and snap lengths side by side; what nobody can read is counted and the rest is read."""
    p = Pcapng().interface(made.ETHERNET, 65535).interface(made.RAW, 262144).interface(made.PPP, 0).interface(189, 96)
    for which, link in enumerate((made.ETHERNET, made.RAW, made.PPP, 189)):
        p.frame(which, FRAMES[link], (T2026 + which) * SECOND)
    expect(folder, "four interfaces", p.out, 3, said=b"of a link type that cannot be read 1, the first: ")
    # a description may come late, and so may a longer snap length
    p = Pcapng().interface(made.ETHERNET, 10).frame(0, FRAMES[1], kept=10).interface(made.ETHERNET, 100000)
    expect(folder, "a late interface", p.frame(1, FRAMES[1]).out, 1, said=b"cut short 1,")
    expect(folder, "nothing readable", Pcapng().interface(189).frame(0, FRAMES[189]).out, 0, code=1, said=b"its link type")
    expect(folder, "no frames", Pcapng().interface(189).out, 0)
    both = os.path.join(folder, "both.pcapng")
    got, _ = read(folder, p.out, "-w", both)
    again = sniff("-r", both, "--json")
    check(got.returncode == again.returncode == 0 and got.stdout == again.stdout, "interfaces survive -w")


def blocks(folder):
    """10: all ways to write a frame, and blocks and options that say nothing to us."""
    p = Pcapng().interface(made.ETHERNET, 65535, [(2, b"eth0"), (3, b"x" * 31), (0x8bad, b"\0" * 5), (9, b"\6")])
    p.block(NAMES, b"\0\0\0\0").block(0x0bad, b"\0" * 8).block(0x40000bad, b"\1" * 4).block(SECRETS, b"k" * 100_000)
    p.frame(0, FRAMES[1], options=[(1, b"a comment"), (2, b"\0\0\0\1"), (0x7fff, b"?")])
    p.old_frame(0, FRAMES[1], (T2026 + 1) * SECOND).simple(FRAMES[1]).block(STATISTICS, b"\0" * 12)
    expect(folder, "all kinds of blocks", p.out, 3)
    p = Pcapng().interface(made.ETHERNET, 50).simple(FRAMES[1], 50)
    got, packets = read(folder, p.out)
    check(got.returncode == 0 and packets[0]["kind"] == "cut", f"a simple block cut by the snap length: {packets}")


def sections(folder):
    """10: each section has its own byte order and its own interfaces."""
    for first, second in (("<", ">"), (">", "<"), (">", ">")):
        p = Pcapng(first).interface(made.RAW).frame(0, PACKET).section(second, options=[(4, b"another program")])
        p.interface(made.ETHERNET).interface(made.RAW).frame(0, FRAMES[1]).frame(1, PACKET).old_frame(1, PACKET)
        expect(folder, f"sections {first}{second}", p.out, 4)
        expect(folder, "an interface of the section before", p.section().frame(0, PACKET).out, 4, code=1,
               said=b"damaged after frame 4: a frame is of an interface that nothing describes")
    expect(folder, "version 1.2", Pcapng().section(version=(1, 2)).interface(made.RAW).frame(0, PACKET).out, 1)
    expect(folder, "version 2.0", Pcapng().section(version=(2, 0)).out, 0, code=1, said=b"version other than 1.0")


def clocks(folder):
    """10: resolutions and offsets; times after 2038, after 2106, and after the end of nanoseconds."""
    rows = (([], T2050 * SECOND + 123456, "2050-06-28T03:33:20.123456Z"),
            ([(9, b"\6")], 7_258_118_400 * SECOND, "2200-01-01T00:00:00.000000Z"),
            ([(9, b"\x09")], T2050 * 10**9 + 999_999_999, "2050-06-28T03:33:20.999999Z"),
            ([(9, b"\3")], T2050 * 1000 + 7, "2050-06-28T03:33:20.007000Z"),
            ([(9, b"\0")], T2105, "2104-12-29T13:20:00.000000Z"),
            ([(9, b"\x0a")], 18 * 10**8 * 10**10 + 5 * 10**9, "2027-01-15T08:00:00.500000Z"),
            ([(9, b"\x80")], T2050, "2050-06-28T03:33:20.000000Z"),
            ([(9, b"\x8a")], T2050 * 1024 + 512, "2050-06-28T03:33:20.500000Z"),
            ([(9, b"\xa0")], (T2050 << 32) + (3 << 30), "2050-06-28T03:33:20.750000Z"),
            ([(9, b"\xbf")], 1 << 62, "1970-01-01T00:00:00.500000Z"),
            ([(9, b"\xff")], (1 << 64) - 1, "1970-01-01T00:00:00.000000Z"),
            ([(9, b"\x7f")], (1 << 64) - 1, "1970-01-01T00:00:00.000000Z"),
            ([(14, struct.pack("<q", T2026))], 5, "2026-11-20T15:00:00.000005Z"),
            ([(14, struct.pack("<q", -T2026))], 5, "1970-01-01T00:00:00.000000Z"),
            ([(9, b"\0")], (1 << 64) - 1, "2554-07-21T23:34:33.709551Z"))
    for options, ticks, time in rows:
        expect(folder, f"clock {options}", Pcapng().interface(made.RAW, options=options).frame(0, PACKET, ticks).out, 1, [time])
    for order in "<>":
        for magic, ticks in ((0xa1b2c3d4, 250_000), (0xa1b23c4d, 250_000_000)):
            head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, made.RAW)
            data = head + struct.pack(order + "IIII", T2105, ticks, len(PACKET), len(PACKET)) + PACKET
            expect(folder, "pcap after 2038", data, 1, ["2104-12-29T13:20:00.250000Z"])
            out = os.path.join(folder, "later.pcapng")
            read(folder, data, "-w", out)
            check(b"2104-12-29T13:20:00.25" in sniff("-r", out, "--json").stdout, "a late time survives -w")


def pcaps(folder):
    """10: variants of pcap that are read."""
    def pcap(magic, minor=4, link=made.RAW, more=b"", lengths=None):
        lengths = lengths or (len(PACKET), len(PACKET))
        return struct.pack("<IHHiIII", magic, 2, minor, 0, 0, 65535, link) + struct.pack("<IIII", T2026, 0, *lengths) + more + PACKET
    expect(folder, "pcap", pcap(0xa1b2c3d4), 1)
    expect(folder, "modified pcap", pcap(0xa1b2cd34, more=b"\0" * 8), 1)
    expect(folder, "pcap 2.2", pcap(0xa1b2c3d4, 2, lengths=(len(PACKET) + 9, len(PACKET))), 1)
    expect(folder, "pcap with FCS flags", pcap(0xa1b2c3d4, link=0x14000000 | made.RAW), 1)
    expect(folder, "raw IP by libpcap's own number", pcap(0xa1b2c3d4, link=12), 1)
    expect(folder, "another major version", pcap(0xa1b2c3d4).replace(b"\2\0\4\0", b"\3\0\4\0"), 0, code=1, said=b"version other than 2")
    expect(folder, "a link type that cannot be read", pcap(0xa1b2c3d4, link=189), 0, code=1, said=b"its link type, ")


def foreign(folder):
    """10: a format that larch does not read is named, not called damaged."""
    erf = struct.pack("<Q", T2026 << 32) + struct.pack(">BBHHH", 2, 4, 64, 0, 42) + b"\0" * 48
    rows = ((b"snoop\0\0\0" + b"\0\0\0\2\0\0\0\4", b"snoop"), (erf, b"ERF"), (b"\x1c\0\1\xac" + b"\0" * 20, b"Ixia"),
            (b"\xa1\xb2\x34\xcd" + b"\0" * 20, b"pcap variant"), (b"GMBU" + b"\0" * 20, b"Network Monitor"),
            (b"btsnoop\0\0\0\0\1", b"btsnoop"), (b"\x7fver" + b"\0" * 20, b"OmniPeek"), (b"TRSNIFF data    \x1a", b"Sniffer"),
            (b"\x1f\x8b\x08" + b"\0" * 20, b"zcat"), (b"\x28\xb5\x2f\xfd" + b"\0" * 20, b"zstd"), (b"PK\3\4" + b"\0" * 20, b"ZIP"),
            (b"SQLite format 3\0", b"Kismet"), (b"ObserverPktBufferVersion=15.00", b"Observer"))
    for data, name in rows:
        got, packets = read(folder, data)
        check(got.returncode == 1 and name in got.stderr and b"damaged" not in got.stderr and not packets, f"{name}: {got.stderr}")
    for data, why in ((b"", b"empty"), (b"once upon a time there was a file", b"no capture"), (b"x", b"no capture"),
                      (b"\xd4\xc3\xb2\xa1\2\0", b"ends inside its header")):
        got, _ = read(folder, data)
        check(got.returncode == 1 and why in got.stderr, f"{data}: {got.stderr}")
    check(b"Is a directory" in sniff("-r", folder).stderr, "a folder")
    if shutil.which("editcap") is None:
        skips.skip("formats that editcap writes", "editcap is not installed")
        return
    source = os.path.join(folder, "capture")
    read(folder, Pcapng().interface(made.ETHERNET).frame(0, FRAMES[1]).out)
    for form, name in (("snoop", b"snoop"), ("erf", b"ERF"), ("netmon2", b"Network Monitor 2"), ("netmon1", b"Network Monitor 1"),
                       ("ngsniffer", b"Sniffer"), ("ngwsniffer_2_0", b"NetXRay"), ("lanalyzer", None),
                       ("modpcap", b""), ("nsecpcap", b""), ("pcapng", b""), ("visual", b"Visual Networks"), ("k12", None),
                       ("5views", b"5View"), ("nettl", None), ("observer", b"Observer")):
        out = os.path.join(folder, "foreign")
        if subprocess.run(["editcap", "-F", form, source, out], capture_output=True, timeout=60).returncode != 0:
            continue
        got = sniff("-r", out)
        if name == b"":
            check(got.returncode == 0 and b"/pqkem-pk" in got.stdout, f"{form}: {got.stderr}")
        else:
            check(got.returncode == 1 and (name or b"") in got.stderr and b"damaged" not in got.stderr, f"{form}: {got.stderr}")


def damaged(folder):
    """Whatever is wrong is said with the frame behind which it stands, and what came before is shown."""
    whole = Pcapng().interface(made.RAW).frame(0, PACKET).out
    more = Pcapng().interface(made.RAW).frame(0, PACKET).frame(0, PACKET).out[len(whole):]
    rows = ((more[:-1], b"inside a block"), (more[:5], b"inside a block"), (more[:-4] + b"\0\0\0\0", b"two lengths differ"),
            (struct.pack("<II", 6, 13), b"no multiple of 4"), (struct.pack("<II", 6, 1 << 31), b"longer than any can be"),
            (struct.pack("<II", 99, 1 << 31), b"inside a block"), (more[:8] + struct.pack("<I", 1) + more[12:], b"nothing describes"),
            (more[:20] + struct.pack("<I", 5000) + more[24:], b"longer than its block"), (more[:4] + struct.pack("<I", 16) + b"\0" * 4 + struct.pack("<I", 16), b"too short"))
    for data, why in rows:
        expect(folder, str(why), whole + data, 1, code=1, said=b"damaged after frame 1: ")
        check(why in read(folder, whole + data)[0].stderr, f"{why}: {read(folder, whole + data)[0].stderr}")
    for at in range(1, len(whole)):  # every cut: an error or an early end, never a frame that is not there
        got, packets = read(folder, whole[:at])
        check(got.returncode in (0, 1) and not packets, f"cut at {at}: {got.stderr}")


def same_file(folder):
    """10: what is read is never written, whatever leads to it, and nothing has happened to it then."""
    path, data = os.path.join(folder, "precious"), Pcapng().interface(made.RAW).frame(0, PACKET).out
    with open(path, "wb") as file:
        file.write(data)
    symbolic, hard = os.path.join(folder, "symbolic"), os.path.join(folder, "hard")
    os.symlink(path, symbolic)
    os.link(path, hard)
    for source, target in ((path, path), (path, symbolic), (symbolic, path), (hard, path), (path, hard),
                           (path, os.path.join(folder, "..", os.path.basename(folder), "precious"))):
        got = sniff("-r", source, "-w", target)
        check(got.returncode == 1 and b"it is the file that is read" in got.stderr and not got.stdout, f"{source} {target}: {got}")
    with open(path, "rb") as file:
        got = sniff("-r", "-", "-w", path, stdin=file)
        check(got.returncode == 1 and b"it is the file that is read" in got.stderr, f"standard input: {got}")
    for arguments in (["-w", "-"], []):
        with open(path, "ab") as file:
            got = subprocess.run([LARCH, "sniff", "-r", path, *arguments], stdout=file, stderr=subprocess.PIPE, timeout=60)
        check(got.returncode == 1 and b"standard output is the file" in got.stderr, f"standard output: {got}")
    got = sniff("--serial", path, "-w", path)
    check(got.returncode == 1 and b"it is the file that is read" in got.stderr, f"--serial: {got}")
    got = subprocess.run([LARCH, "extcap", "--capture", "--extcap-interface", "x", "--device", path, "--fifo", path],
                         capture_output=True, timeout=60)
    check(got.returncode == 1 and b"it is the file that is read" in got.stderr, f"extcap: {got}")
    check(open(path, "rb").read() == data, "the file that was read has changed")
    other = os.path.join(folder, "other")
    shutil.copy(path, other)
    check(sniff("-r", path, "-w", other).returncode == 0 and sniff("-r", other).stdout == sniff("-r", path).stdout, "a copy")
    check(sniff("-r", path, "-w", "/dev/null").returncode == 0, "/dev/null")


def public(folder):
    """Captures of others, where they are, against tshark: as many frames, and none is called damaged."""
    paths = sorted(glob.glob(os.path.join(PUBLIC, "*.pcap*"))) if PUBLIC else []
    if not paths or shutil.which("capinfos") is None:
        skips.skip("captures of others", "LARCH_CAPTURES names no folder of them, or capinfos is not installed")
        return
    for path in paths:
        got = sniff("-r", path)
        frames = subprocess.run(["capinfos", "-Mrc", path], capture_output=True, timeout=60).stdout.decode().split()[-1]
        check(got.returncode == 0 and f"\n{frames} frames: ".encode() in b"\n" + got.stderr, f"{path}: {frames} {got.stderr}")


def main():
    for part in (interfaces, blocks, sections, clocks, pcaps, foreign, damaged, same_file, public):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    sys.exit(checks.failures != 0)


main()
