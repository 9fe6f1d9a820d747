#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the layer table of the architecture: who may include whom, what the
library's objects may call and define. Prints each violation, exits 1 if any.

usage: tools/check_layers.py [--root FOLDER] [--build FOLDER]

Without --build only the sources are checked.
"""
import argparse
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

# ---- the table ---------------------------------------------------------------

# Library room -> rooms it may use, by include and by symbol, besides itself.
ROOMS = {
    "base": set(),
    "port interface": {"base"},
    "pq": {"base"},
    "cbor": {"base"},
    "coap message": {"base"},
    "crypto": {"base", "pq", "port interface"},
    "store": {"base", "port interface"},
    "coap endpoint": {"base", "coap message"},
    "cose": {"base", "cbor", "crypto"},
    "oscore": {"base", "cbor", "cose", "crypto", "coap message"},
    "lake": {"base", "cbor", "cose", "crypto"},
    "direct": {"base", "cbor", "cose", "crypto"},
}
ROOMS["node"] = set(ROOMS)

# Public header include/larch/NAME -> its room.
HEADERS = {
    "base.h": "base",
    "config.h": "base",
    "port.h": "port interface",
    "kem.h": "crypto",
    "sig.h": "crypto",
    "crypto.h": "crypto",
    "coap_message.h": "coap message",
    "coap_endpoint.h": "coap endpoint",
    "coap_block.h": "coap endpoint",
    "direct.h": "direct",
    "store.h": "store",
    "reach.h": "node",
    "gateway.h": "node",
    "sender.h": "node",
}

# (room, header) that the tables alone would refuse, and why.
EXCEPTIONS = {
    ("pq", "larch/kem.h"): "the sizes of keys and ciphertexts, which pq fills",
    ("pq", "larch/sig.h"): "the sizes of keys and signatures, which pq fills",
    ("pq", "immintrin.h"): "vector instructions, in the files of src/pq/x86 alone",
    ("pq", "valgrind/memcheck.h"): "marks public bytes in the copy that the constant-time test builds",
}

# File below src/ -> its room; the first pattern that fits decides.
PLACES = [
    ("coap/message*", "coap message"),
    ("coap/option*", "coap message"),
    ("coap/builder*", "coap message"),
    ("coap/*", "coap endpoint"),
] + [(f"{room}/*", room) for room in ROOMS if " " not in room]

# What stands on the library: folder -> folders it may include besides itself
# and <larch/...>. The first pattern that fits decides.
STANDS_ON = [
    ("port/board", ()),  # what a board lends the firmware, and what stands on that alone
    ("sniff", ("port/board",)),
    # The layer below FreeRTOS reports its faults as that does.
    ("port/qemu_virt", ("port/board", "port/freertos_lwip")),
    ("port/mps2_an385", ("port/board", "port/freertos_lwip")),
    ("port/bl602", ("port/board", "port/freertos_lwip")),
    ("port/*", ("port/board",)),
    ("bench/boards", ("src/pq/pq.h",)),  # measures what has no public form: one permutation, seeded operations
    ("bench", ()),
    ("apps/*", ("port/posix", "port/sim", "port/board", "sniff", "bench", "firmware/drivers")),
    ("firmware/drivers", ("port/board",)),  # no operating system: they serve the host's models and tests too
    ("firmware/*", ("port/*", "firmware/drivers")),
]
# There, a quoted include that is not in this tree belongs to a board's SDK.
SDK = ("port/freertos_lwip", "port/qemu_virt", "port/mps2_an385", "port/bl602", "firmware/*")

# System headers for the library: those that exist without an operating system.
SYSTEM = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "string.h"}
PSA = "src/crypto/psa.c"

# What the library's objects may call besides larch_*.
EXTERNAL = re.compile(
    r"(mem(cpy|move|set|cmp|chr)|bcmp|str(len|cmp|ncmp)|__mem(cpy|move|set)_chk"
    r"|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|__cpu_model|__cpu_features2"  # libgcc's own record of the processor's features, filled before main
    r"|__aeabi_\w+|__u?(div|mod|divmod|ashl|ashr|lshr|mul|clz|ctz|bswap|popcount)[sdt]i\d?)$"
)
INSTRUMENTED = re.compile(r"__(asan|ubsan|sanitizer|sancov|gcov|llvm_prf|llvm_gcov)_")

MAX_LINES = 600
HERE = "tools/check_layers.py"

# ---- sources -----------------------------------------------------------------

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>|(\w+))', re.M)


def without_comments(text):
    return COMMENT.sub(lambda m: m[1] or "\n" * m[0].count("\n"), text)


def stand_of(path):
    """("apps/larch", its allowed folders) for apps/larch/main.c; None for a library file."""
    for pattern, allowed in STANDS_ON:
        depth = pattern.count("/") + 1
        folder = "/".join(path.split("/")[:depth])
        if fnmatch(folder, pattern) and path != folder:
            return folder, allowed
    return None


def room_of(path):
    """The library room of include/larch/x.h or src/room/x.c; None if the table does not know it."""
    if path.startswith("include/larch/"):
        return HEADERS.get(path.removeprefix("include/larch/"))
    inner = path.removeprefix("src/")
    return next((room for pattern, room in PLACES if fnmatch(inner, pattern)), None)


class Sources:
    def __init__(self, root):
        self.root = root
        self.complaints = []
        folders = ("include", "src", "sniff", "port", "bench", "apps", "firmware")
        self.files = sorted(
            p.relative_to(root).as_posix()
            for folder in folders
            for p in (root / folder).rglob("*.[ch]")
            if "build" not in p.parts[len(root.parts):]
            # The helper of the comparison uses other libraries, and looks inside ours as tests do.
            and "peers" not in p.parts[len(root.parts):]
        )
        self.known = set(self.files)

    def complain(self, place, text):
        self.complaints.append(f"{place}: {text}")

    def resolve(self, path, name):
        """The file of this tree that a quoted include means; None if there is none."""
        folders = [path.rpartition("/")[0], "include", "src", "sniff", ""]
        stand = stand_of(path)
        if stand:
            folders[1:1] = [stand[0], "port", *stand[1], "apps"]
        for folder in folders:
            parts = []
            for part in f"{folder}/{name}".split("/"):
                if part == "..":
                    parts[-1:] = []
                elif part not in ("", "."):
                    parts.append(part)
            if "/".join(parts) in self.known:
                return "/".join(parts)
        return None

    def check(self):
        for path in self.files:
            text = (self.root / path).read_text(encoding="utf-8")
            self.check_shape(path, text)
            if not stand_of(path) and room_of(path) is None:
                table = "HEADERS" if path.startswith("include/") else "ROOMS (or STANDS_ON)"
                self.complain(path, f"belongs to no room; add it to {table} in {HERE}")
                continue
            code = without_comments(text)
            for match in INCLUDE.finditer(code):
                place = f"{path}:{code.count(chr(10), 0, match.start()) + 1}"
                quoted, angled, macro = match.groups()
                if macro:
                    self.complain(place, f"#include {macro} hides what it includes")
                elif angled and not angled.startswith("larch/"):
                    self.check_system(place, path, angled)
                else:
                    self.check_own(place, path, quoted or angled)
        return self.complaints

    def check_shape(self, path, text):
        lines = text.split("\n")
        if "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
            self.complain(path, "the first line is not the SPDX line")
        if len(lines) - 1 > MAX_LINES and not any("lines:" in line for line in lines[:15]):
            self.complain(path, f"{len(lines) - 1} lines; over {MAX_LINES}, its first comment says why after \"lines:\"")

    def check_system(self, place, path, name):
        if name.startswith("psa/"):
            if path != PSA:
                self.complain(place, f"<{name}> is for {PSA} alone")
        elif stand_of(path) is None and name not in SYSTEM and (room_of(path), name) not in EXCEPTIONS:
            self.complain(place, f"<{name}> in the library; what it may use is SYSTEM in {HERE}")

    def check_own(self, place, path, name):
        target = self.resolve(path, name)
        stand = stand_of(path)
        if target is None:
            if name.startswith("larch/") and name.removeprefix("larch/") not in HEADERS:
                self.complain(place, f"{name} is unknown; add it to HEADERS in {HERE}")
            elif name.startswith("larch/"):
                self.complain(place, f"{name} does not exist")
            elif not (stand and any(fnmatch(stand[0], pattern) for pattern in SDK)):
                self.complain(place, f"{name} is nowhere in this tree; an SDK's folder goes into SDK in {HERE}")
        elif stand:
            self.check_stand(place, stand, target)
        else:
            self.check_room(place, path, target)

    def check_stand(self, place, stand, target):
        folder, allowed = stand
        if target.startswith("include/larch/"):
            return
        other = stand_of(target)
        if any(fnmatch(target if other is None else other[0], pattern) for pattern in allowed):
            return
        if other is None:
            self.complain(place, f"{target} is inside the library; {folder} may include larch/... only")
        elif other[0] != folder:
            self.complain(place, f"{folder} may not include {target}")

    def check_room(self, place, path, target):
        room = room_of(path)
        if stand_of(target):
            self.complain(place, f"the library includes {target}")
            return
        other = room_of(target)
        header = target.removeprefix("include/")
        if target.endswith("_int.h") and not path.startswith(target.rpartition("/")[0] + "/"):
            self.complain(place, f"{target} is internal to its own folder")
        elif other is None or other == room or other in ROOMS[room] or (room, header) in EXCEPTIONS:
            pass  # a target of no room is complained about once, at its own turn
        else:
            self.complain(place, f"{room} may not include {target} ({other})")


# ---- objects -----------------------------------------------------------------


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols_of(objects):
    """object -> [(name, type)], by one call of nm."""
    found = {}
    for line in run("nm", "-P", "-A", *map(str, objects)).splitlines():
        file, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        found.setdefault(Path(file), []).append((name, kind))
    return found


SECTION = re.compile(r"^\s*\[ *\d+\] (\S+)\s+\S+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+\s+([A-Za-z]*)\s+\d")


def writable_sections(objects):
    """[(object, section, bytes)] of what the loader would have to keep in RAM."""
    out, file = [], objects[0]
    for line in run("readelf", "-SW", *map(str, objects)).splitlines():
        if line.startswith("File: "):
            file = Path(line.removeprefix("File: "))
        match = SECTION.match(line)
        if match and {"W", "A"} <= set(match[3]) and int(match[2], 16) > 0 and not match[1].startswith(".data.rel.ro"):
            out.append((file, match[1], int(match[2], 16)))
    return out


def check_objects(root, build):
    tree = build / "CMakeFiles" / "larch.dir"
    sources = {}  # an object outlives its deleted source: such leftovers do not count
    for obj in sorted(tree.glob("src/**/*.c.o")):
        source = obj.relative_to(tree).as_posix().removesuffix(".o")
        if (root / source).exists():
            sources[obj] = source
    if not sources:
        return [f"{tree}: holds no objects; build first"]

    complaints = []
    symbols = symbols_of(list(sources))
    defined = {name: sources[obj] for obj, all_of in symbols.items() for name, kind in all_of if kind.isupper() and kind != "U"}
    instrumented = any(INSTRUMENTED.match(name) for all_of in symbols.values() for name, _ in all_of)

    for obj, all_of in symbols.items():
        source, room = sources[obj], room_of(sources[obj])
        for name, kind in all_of:
            if instrumented and INSTRUMENTED.match(name):
                continue
            if kind.isupper() and kind != "U":
                if not name.startswith("larch_"):
                    complaints.append(f"{source}: exports {name}, which does not start with larch_")
                if kind == "C":
                    complaints.append(f"{source}: {name} is writable data")
            elif kind in "Uwv":
                complaints += check_use(source, room, name, defined)
    if not instrumented:
        for obj, section, size in writable_sections(list(sources)):
            complaints.append(f"{sources[obj]}: {size} bytes of writable data in {section}")
    return complaints


def check_use(source, room, name, defined):
    if name in defined:
        other = room_of(defined[name])
        if room and other and other != room and other not in ROOMS[room]:
            yield f"{source}: {room} may not use {name} of {defined[name]} ({other})"
    elif name.startswith("larch_"):
        yield f"{source}: nothing in the library defines {name}"
    elif name.startswith("psa_"):
        if source != PSA:
            yield f"{source}: calls {name}; PSA is for {PSA} alone"
    elif not EXTERNAL.match(name):
        yield f"{source}: calls {name}; what the library may call is EXTERNAL in {HERE}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the source tree")
    parser.add_argument("--build", type=Path, help="the build tree whose objects are checked too")
    arguments = parser.parse_args()
    root = arguments.root.resolve()

    sources = Sources(root)
    complaints = sources.check()
    if arguments.build:
        complaints += check_objects(root, arguments.build.resolve())
    for complaint in complaints:
        print(complaint)
    print(f"layers: {len(sources.files)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
