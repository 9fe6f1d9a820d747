# SPDX-License-Identifier: Apache-2.0
"""The rules for the library's objects: what they call, export and keep in RAM."""
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

from house.rooms import EXTERNAL, HERE, KEEPS_HANDLES, PROVIDERS
from house.sources import room_of

ALLOWED = re.compile(EXTERNAL)
INSTRUMENTED = re.compile(r"__(asan|ubsan|sanitizer|sancov|gcov|llvm_prf|llvm_gcov)_")
SECTION = re.compile(r"^\s*\[ *\d+\] (\S+)\s+\S+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+\s+([A-Za-z]*)\s+\d")


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


def defines(kind):
    return kind.isupper() and kind != "U"


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
    """Yields a complaint for each rule that an object below `build` breaks."""
    tree = build / "CMakeFiles" / "larch.dir"
    sources = {}  # an object outlives its deleted source: such leftovers do not count
    for obj in sorted(tree.glob("src/**/*.c.o")):
        source = obj.relative_to(tree).as_posix().removesuffix(".o")
        if (root / source).exists():
            sources[obj] = source
    if not sources:
        yield f"{tree}: holds no objects; build first"
        return

    symbols = symbols_of(list(sources))
    defined = {name: sources[obj] for obj, all_of in symbols.items() for name, kind in all_of if defines(kind)}
    instrumented = any(INSTRUMENTED.match(name) for all_of in symbols.values() for name, _ in all_of)

    for obj, all_of in symbols.items():
        source = sources[obj]
        for name, kind in all_of:
            if instrumented and INSTRUMENTED.match(name):
                continue
            if defines(kind):
                if not name.startswith("larch_"):
                    yield f"{source}: exports {name}, which does not start with larch_"
                if kind == "C":
                    yield f"{source}: {name} is writable data"
            elif kind in "Uwv":
                yield from check_use(source, name, defined)
    if not instrumented:
        for obj, section, size in writable_sections(list(sources)):
            if not any(fnmatchcase(sources[obj], keeps) for keeps in KEEPS_HANDLES):
                yield f"{sources[obj]}: {size} bytes of writable data in {section}"


def check_use(source, name, defined):
    room = room_of(source)
    provider = next((file for file, calls in PROVIDERS.items() if re.fullmatch(calls, name)), None)
    if name in defined:
        other = room_of(defined[name])
        if room and other and other is not room and other.name not in room.uses:
            yield f"{source}: {room.name} may not use {name} of {defined[name]} ({other.name})"
    elif name.startswith("larch_"):
        yield f"{source}: nothing in the library defines {name}"
    elif provider and not fnmatchcase(source, provider):
        yield f"{source}: calls {name}, which is for {provider} alone"
    elif not provider and not ALLOWED.match(name):
        is_provider = any(fnmatchcase(source, files) for files in PROVIDERS)
        table = "PROVIDERS and EXTERNAL" if is_provider else "EXTERNAL"
        yield f"{source}: calls {name}; what it may call is {table} in {HERE}"
