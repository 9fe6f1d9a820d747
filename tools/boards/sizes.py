#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the firmware takes: flash and RAM of each image by module, from the linker's map; peak stack of each task and
instructions of each step of a message, from boards under QEMU with -icount (exact); beside the paper's figures.

usage: tools/boards/sizes.py [--json | --markdown] [--check]
  --check  fails if the gateway of qemu_virt exceeds what it may take (LIMITS)
"""
import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

from board import BUILD, Board
from network import Network

ROLES = ("gateway", "sender", "sniffer")
MESSAGES = 12
MHZ = 192  # the BL602's
PAPER = {"flash": 615598, "ram": 109092, "kem_ms": 11.5}
# Of the gateway's image: bytes of flash and RAM in all, and of the library's own part; boot in ms of emulated time.
LIMITS = {"flash": 106000, "ram": 62000, "library flash": 42000, "library ram": 22528, "boot": 500,
          "decapsulation": int(PAPER["kem_ms"] / 3 * MHZ * 1000)}

# The first pattern that a map's object fits names its module.
STRINGS = re.compile(r"\.str\d+\.\d+$")  # sections that the linker merges: what is in them is no longer anybody's
MODULES = (
    ("larch library", r"liblarch\.a|roles/gateway\.c|roles/sender\.c"),
    ("flash files", r"nor_\w+\.c"),
    ("display, LED", r"(font|led|screen|ssd1306|front)\.c"),
    ("console, start", r"libparts\.a|roles/"),
    ("board and its drivers", r"libboard\.a"),
    ("lwIP", r"liblwip\.a"),
    ("FreeRTOS", r"libfreertos\.a"),
    ("Mbed TLS", r"libmbedcrypto"),
    ("C library", r"\.a\("),
)


def module_of(path):
    return next((name for name, pattern in MODULES if re.search(pattern, path)), "other")


def sections_of(map_file):
    """(section, address, size, object) of all that the linker put into the image."""
    text = map_file.read_text(encoding="utf-8")
    text = text[text.index("Linker script and memory map"):]
    found = re.finditer(r"^ (\.[\w.$-]+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", text, re.M)
    found = [(m[1], int(m[2], 16), int(m[3], 16), m[4]) for m in found if int(m[2], 16) and int(m[3], 16)]
    # The map says of merged strings what they took before, but the next section starts where they end.
    ends = [address for _, address, _, _ in found[1:]] + [0]
    return [(section, address, min(size, end - address) if STRINGS.search(section) and end >= address else size, path)
            for (section, address, size, path), end in zip(found, ends)]


def image_of(machine, role):
    """{module: [flash, RAM]}. Initialised data counts in both. A role's own context is counted with the library: the
    library has no memory of its own."""
    ram_start = {"qemu_virt": 0x80000000, "mps2_an385": 0x20000000}[machine]
    modules = {}
    for section, address, size, path in sections_of(BUILD / machine / f"larch-{role}.map"):
        if section.startswith((".debug", ".comment", ".riscv", ".ARM")):
            continue
        entry = modules.setdefault("strings" if STRINGS.search(section) else module_of(path), [0, 0])
        in_ram = address >= ram_start
        if not in_ram or section.startswith((".data", ".sdata", ".rodata")):
            entry[0] += size
        if in_ram:
            entry[1] += size
    return modules


def totals_of(machine, role):
    """(flash, RAM) as the linker's symbols and sections say, gaps included."""
    text = (BUILD / machine / f"larch-{role}.map").read_text(encoding="utf-8")
    size = {name: int(n, 16) for name, n in re.findall(r"^(\.\w+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", text, re.M)}
    flash = sum(size.get(n, 0) for n in (".vectors", ".text", ".rodata", ".data"))
    return flash, sum(size.get(n, 0) for n in (".data", ".bss", ".interrupt_stack", ".stacks"))


def run_boards(machine):
    """Stacks and steps after some messages, and the boot's milliseconds at 125 million instructions a second, which is
    less than the BL602 has."""
    stacks, steps = {}, {}
    with tempfile.TemporaryDirectory(prefix="larch-sizes-") as place, Network(place) as network:
        boards = {role: Board(role, machine=machine, folder=Path(place) / role, netdev=network.netdev(role), exact=True,
                              oled=f"file,path={place}/{role}.i2c") for role in ("gateway", "sender")}
        gateway, sender = (boards[r].start() for r in ("gateway", "sender"))
        try:
            pin = gateway.expect(rb"larch2:\w{32}", 60)[0]
            gateway.expect(rb"ready: ", 60)
            sender.expect(rb"network: ready", 60)
            sender.write(b"interval 0\rpin " + pin + b"\r")
            for i in range(1, MESSAGES + 1):
                sender.write(b"send message %02d of 12\r" % i)
                sender.expect(b"delivered: #%d\\b" % i, 60)
            for board in (gateway, sender):
                board.write(b"stack\rsteps\rstatus\r")
                board.expect(rb"flash: ", 30)
                said = board.output.decode()
                stacks[board.name] = {n: [int(u), int(t)] for n, u, t in re.findall(r"stack: (\S+) (\d+) of (\d+)", said)}
                for name, count in re.findall(r"step: (.+?) (\d+) instructions", said):
                    steps.setdefault(name, int(count))
        finally:
            gateway.kill()
            sender.kill()
    with tempfile.TemporaryDirectory(prefix="larch-sizes-") as place, Network(place) as network:
        slow = {"more": ("-icount", "shift=3")} if machine == "qemu_virt" else {"exact": True}
        with Board("gateway", machine=machine, folder=Path(place) / "g", netdev=network.netdev("gateway"), **slow) as gateway:
            boot = [int(gateway.expect(rb"ready: (\d+) ms", 60)[1])]
            gateway.kill()
            gateway.start()
            boot.append(int(gateway.expect(rb"ready: (\d+) ms", 60)[1]))
    return stacks, steps, boot


def measure(machine):
    stacks, steps, boot = run_boards(machine)
    return {"machine": machine, "images": {r: {"total": totals_of(machine, r), "modules": image_of(machine, r)} for r in ROLES},
            "stacks": stacks, "instructions": steps, "boot_ms": {"first": boot[0], "later": boot[1]}}


def table(rows, markdown):
    """Rows of cells, the first the head, numbers to the right."""
    rows = [[f"{c:,}" if isinstance(c, int) else str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [" | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) for row in rows]
    if markdown:
        lines = [f"| {line} |" for line in lines]
        lines.insert(1, "|" + "|".join("---" if i == 0 else "--:" for i in range(len(widths))) + "|")
    return "\n".join(lines) + "\n"


def show(figures, markdown):
    title = "### %s\n" if markdown else "%s\n"
    print(title % f"{figures['machine']}: bytes of flash and RAM")
    head = ["module"] + [f"{role} {what}" for role in ROLES for what in ("flash", "RAM")]
    names = [name for name, _ in MODULES] + ["strings"]
    names = [name for name in names if any(name in figures["images"][r]["modules"] for r in ROLES)]
    rows = [head] + [[n] + [x for r in ROLES for x in figures["images"][r]["modules"].get(n, [0, 0])] for n in names]
    rows.append(["all"] + [x for r in ROLES for x in figures["images"][r]["total"]])
    if figures["machine"] == "qemu_virt":
        rows.append(["the paper's prototype", PAPER["flash"], PAPER["ram"]] + [""] * 4)
    print(table(rows, markdown))
    print(title % f"{figures['machine']}: instructions, and the time they mean at {MHZ} MHz and one a cycle (an estimate)")
    steps = [["step", "instructions", "ms"]]
    steps += [[n, c, f"{c / MHZ / 1000:.2f}"] for n, c in figures["instructions"].items()]
    if figures["machine"] == "qemu_virt":
        steps.append(["the paper's KEM operations, measured on its board", "", "11-12"])
    print(table(steps, markdown))
    print(title % f"{figures['machine']}: the deepest stacks, bytes")
    print(table([["task", "used", "of"]] + [[f"{role}: {n}", u, t] for role, s in figures["stacks"].items() for n, (u, t) in s.items()],
                markdown))
    boot = figures["boot_ms"]
    print(f"From power on to serving: {boot['first']} ms when keys are made, {boot['later']} ms later.\n")


def check(figures):
    """Names what exceeds LIMITS; only the first machine has any."""
    image = figures["images"]["gateway"]
    library = image["modules"]["larch library"]
    have = {"flash": image["total"][0], "ram": image["total"][1], "library flash": library[0], "library ram": library[1],
            "boot": figures["boot_ms"]["first"], "decapsulation": figures["instructions"]["ML-KEM decapsulation"]}
    over = [f"{name}: {have[name]} exceeds {limit}" for name, limit in LIMITS.items() if have[name] > limit]
    for line in over or [f"{name}: {have[name]} of {limit}" for name, limit in LIMITS.items()]:
        print(line)
    return 1 if over else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    machines = [m for m in ("qemu_virt", "mps2_an385") if (BUILD / m / "larch-gateway.elf").exists()]
    if not machines:
        print("sizes: no images; make boards builds them", file=sys.stderr)
        return 77
    if arguments.check:
        return check(measure(machines[0]))
    figures = [measure(machine) for machine in machines]
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        for each in figures:
            show(each, arguments.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
