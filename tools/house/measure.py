# SPDX-License-Identifier: Apache-2.0
"""Measures the house as its code stands: the rooms with their size, and the includes between them."""
from collections import Counter
from dataclasses import dataclass

from house.rooms import EXCEPTIONS, PUBLIC, ROOMS
from house.sources import name_of, read


@dataclass
class Measured:
    wing: str
    holds: str
    files: int = 0
    lines: int = 0


@dataclass
class House:
    rooms: dict  # name -> Measured
    headers: list  # names of the public headers
    arrows: Counter  # (room, room or PUBLIC) -> includes
    exceptions: set  # the arrows that only an exception of the table allows


def measure(root):
    sources = read(root)
    house = House({}, [], Counter(), set())
    order = {room.name: at for at, room in enumerate(ROOMS)}
    known = [source for source in sources.values() if source.room]
    for source in sorted(known, key=lambda source: (order[source.room.name], source.path)):
        name = name_of(source.path)
        room = house.rooms.setdefault(name, Measured(source.room.wing, source.room.holds))
        room.files += 1
        room.lines += len(source.lines) - 1
        if source.path.startswith("include/larch/"):
            house.headers.append(source.path.removeprefix("include/larch/"))
        for include in source.includes:
            other = include.target and name_of(include.target)
            if other is None or other == name:
                continue
            if source.room.wing != "library" and include.target.startswith("include/larch/"):
                other = PUBLIC
            house.arrows[name, other] += 1
            if (source.room.name, include.name) in EXCEPTIONS:
                house.exceptions.add((name, other))
    house.headers.sort()
    return house
