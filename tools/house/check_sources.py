# SPDX-License-Identifier: Apache-2.0
"""The rules for sources: who includes whom, shape of files, no circles."""
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from house.rooms import ALONE, EXCEPTIONS, HERE, MAX_LINES, ORDERS, PUBLIC, ROOMS, SYSTEM
from house.sources import calls_of, circles, includes_of, may_use, name_of, room_of

KNOWN_HEADERS = {f"larch/{header}" for room in ROOMS for header in room.headers}


def check_sources(sources):
    """Yields a complaint for each rule that a source breaks."""
    for source in sources.values():
        yield from check_shape(source)
        if source.room is None:
            yield f"{source.path}: belongs to no room; add it to ROOMS in {HERE}"
            continue
        for include in source.includes:
            for complaint in check_include(source, include):
                yield f"{source.path}:{include.line}: {complaint}"
    yield from check_circles(sources)


def check_shape(source):
    if "SPDX-License-Identifier: Apache-2.0" not in source.lines[0]:
        yield f"{source.path}: the first line is not the SPDX line"
    count = len(source.lines) - 1
    if count > MAX_LINES and not any("lines:" in line for line in source.lines[:15]):
        yield f'{source.path}: {count} lines; over {MAX_LINES}, its first comment says why after "lines:"'


def check_include(source, include):
    room, name = source.room, include.name
    in_library = room.wing == "library"
    if include.macro:
        yield f"#include {include.macro} hides what it includes"
        return
    home = next((file for pattern, file in ALONE.items() if fnmatchcase(name, pattern)), None)
    if home:
        if not fnmatchcase(source.path, home) and (room.name, name) not in EXCEPTIONS:
            yield f"<{name}> is for {home} alone"
    elif name.startswith("larch/"):
        if name not in KNOWN_HEADERS:
            yield f"{name} is unknown; add it to `headers` of its room in {HERE}"
        elif include.target is None:
            yield f"{name} does not exist"
        else:
            yield from check_arrow(source, include)
    elif include.angled:
        if in_library and name not in SYSTEM and (room.name, name) not in EXCEPTIONS:
            yield f"<{name}> in the library; what it may use is SYSTEM in {HERE}"
    elif include.target is not None:
        yield from check_arrow(source, include)
    elif not room.sdk:
        yield f"{name} is nowhere in this tree; only a room with an SDK may include it (`sdk` in {HERE})"


def check_arrow(source, include):
    room, target = source.room, include.target
    other = room_of(target)
    mine, theirs = name_of(source.path), name_of(target)
    if mine == theirs:
        yield from check_order(source, target)
    if other is None or mine == theirs or (room.name, include.name) in EXCEPTIONS:
        return  # a target of no room is complained about once, at its own turn
    if target.endswith("_int.h") and source.path.rpartition("/")[0] != target.rpartition("/")[0]:
        yield f"{target} is internal to its own folder"
    elif room.wing == "library" and other.wing != "library":
        yield f"the library includes {target}"
    elif room.wing != "library" and other.wing == "library":
        if not target.startswith("include/"):
            yield f"{target} is inside the library; {mine} may include larch/... only"
        elif PUBLIC not in room.uses:
            yield f"{mine} may not include {target}"
    elif not may_use(room, theirs):
        yield f"{mine} may not include {target} ({theirs})"


def check_order(source, target):
    """Within a folder that has layers."""
    mine, theirs = PurePosixPath(source.path), PurePosixPath(target)
    order = ORDERS.get(str(mine.parent))
    if order is None or mine.parent != theirs.parent or mine.stem == theirs.stem:
        return
    layer = {name: i for i, names in enumerate(order) for name in names.split()}
    unknown = {mine.stem, theirs.stem} - layer.keys()
    if unknown:
        yield f"{', '.join(sorted(unknown))} in no layer of {mine.parent}; add it to ORDERS in {HERE}"
    elif layer[theirs.stem] >= layer[mine.stem]:
        yield f"{target} does not stand below {mine.stem}; see ORDERS in {HERE}"


def check_circles(sources):
    """Files that include each other, in the whole tree; sources that call each other, within each room."""
    for group in circles(includes_of(sources)):
        yield f"{group[0]}: includes itself by way of {', '.join(group[1:])}"
    for group in circles(calls_of(sources)):
        yield f"{group[0]}: calls in a circle with {', '.join(path.rpartition('/')[2] for path in group[1:])}"
