# SPDX-License-Identifier: Apache-2.0
"""Places rooms and arrows: every arrow is a vertical line of its own from a box down to a box below it.

Rooms stand in wings, wings side by side in bands, bands on top of each other. In a wing a room stands above all that
it uses there, and what many rooms use is as wide as they are together. Where two boxes do not overlap in x, the arrow
takes one step sideways in the gap above its target.
"""
from dataclasses import dataclass, field

from house.rooms import PUBLIC

WIDTH = 1000
MARGIN = 14  # around the picture, and between wings
PADDING = 10  # of a wing
SPACE = 12  # between boxes of a row
BOX = 48
TITLE = 27
CAPTION = 22
ROOF = 100  # the widest that a room without users may be, for each arrow of its own
GAP = 20  # between rows, besides the sideways steps
TRACK = 7  # between lines that run side by side

# From the roof to the ground. A wing without a room is left out.
BANDS = (("programs",), ("services", "sniffer"), ("firmware", "measuring"), ("ports",), ("headers",), ("library",))


@dataclass
class Box:
    name: str
    row: int
    x: float
    width: float
    y: float = 0.0


@dataclass
class Wing:
    name: str
    x: float
    width: float
    rows: range
    y: float = 0.0
    height: float = 0.0


@dataclass
class Arrow:
    source: str
    target: str
    out: float = 0.0  # x where it leaves
    into: float = 0.0  # x where it arrives
    track: int = -1  # of its sideways step; none if it is straight
    up: bool = False  # an exception of the table: its line starts at the top of the lower box
    points: list = field(default_factory=list)


def levels_of(names, arrows):
    """Rows of a wing from the ground up; each room stands above what it uses."""
    uses = {name: sorted(b for a, b in arrows if a == name and b in names) for name in names}
    level = dict.fromkeys(names, 0)
    for _ in names:  # a circle stops here
        for name in names:
            level[name] = max([level[name], *(level[used] + 1 for used in uses[name] if level[used] < len(names))])
    return [[name for name in names if level[name] == at] for at in sorted(set(level.values()))]


class Layout:
    def __init__(self, house):
        self.house = house
        self.boxes, self.wings = {}, []
        sound = [pair for pair in sorted(house.arrows) if pair not in house.exceptions]
        bands = [wings for wings in (self.wings_of(band, sound) for band in BANDS) if wings]
        self.rows = row = sum(max(len(levels) for _, levels in wings) for wings in bands)
        for wings in reversed(bands):  # from the ground up, as each room looks for a place above what it uses
            row -= max(len(levels) for _, levels in wings)
            self.place_band(wings, sound, row)
        self.arrows = self.route()
        self.height = self.stack()

    # ---- boxes

    def wings_of(self, band, arrows):
        rooms = {wing: [name for name, room in self.house.rooms.items() if room.wing == wing] for wing in band}
        rooms = {"headers": [PUBLIC]} if band == ("headers",) else rooms
        return [(wing, levels_of(names, arrows)) for wing, names in rooms.items() if names]

    def place_band(self, wings, arrows, row):
        shares = [max(map(len, levels)) + 0.35 for _, levels in wings]
        count = max(len(levels) for _, levels in wings)
        x, room = MARGIN, WIDTH - MARGIN * (len(wings) + 1)
        for (wing, levels), share in zip(wings, shares):
            width = room * share / sum(shares)
            self.wings.append(Wing(wing, x, width, range(row + count - len(levels), row + count)))
            for at, names in enumerate(levels):
                self.place_row(names, row + count - 1 - at, x + PADDING, width - 2 * PADDING, arrows)
            x += width + MARGIN

    def place_row(self, names, row, x, width, arrows):
        """Boxes side by side: wide if many rooms use them, and each near the middle of what it uses."""
        placed = [(a, self.boxes[b]) for a, b in arrows if b in self.boxes]
        below = {name: [box.x + box.width / 2 for a, box in placed if a == name] for name in names}
        middle = {name: sum(found) / len(found) if found else x + width / 2 for name, found in below.items()}
        users = {name: sum(b == name for _, b in arrows) for name in names}
        room = width - SPACE * (len(names) - 1)
        whole = sum(1 + users[name] / 2 for name in names)
        for name in sorted(names, key=lambda name: (middle[name], names.index(name))):
            share = room * (1 + users[name] / 2) / whole
            roof = ROOF * len(below[name])
            each = roof if roof and not users[name] and share > 1.3 * roof else share
            start = min(max(x, middle[name] - each / 2), x + share - each)
            self.boxes[name] = Box(name, row, start, each)
            x += share + SPACE

    # ---- arrows

    def route(self):
        self.taken = []  # (x, first row, last row) of each vertical line
        arrows = []
        for source, target in sorted(self.house.arrows):
            upper, lower = self.boxes[source], self.boxes[target]
            up = upper.row > lower.row
            if up:
                upper, lower = lower, upper
            arrows.append((Arrow(source, target, up=up), upper, lower))
        # The straight and short ones choose first.
        arrows.sort(key=lambda item: (overlap(item[1], item[2]) < 3 * TRACK, item[2].row - item[1].row))
        self.tracks = {}  # gap above row -> [(first x, last x, track)]
        for arrow, upper, lower in arrows:
            first, last = max(upper.x, lower.x), min(upper.x + upper.width, lower.x + lower.width)
            if last - first >= 3 * TRACK:
                x = self.take(first, last, (first + last) / 2, upper.row, lower.row)
                arrow.out = arrow.into = x
            else:
                toward = lower.x + lower.width / 2
                arrow.out = self.take(upper.x, upper.x + upper.width, toward, upper.row, lower.row - 0.5)
                arrow.into = self.take(lower.x, lower.x + lower.width, arrow.out, lower.row - 0.5, lower.row)
                arrow.track = self.take_track(lower.row, *sorted((arrow.out, arrow.into)))
        return [arrow for arrow, _, _ in arrows]

    def take(self, first, last, wish, top, bottom):
        """The free x nearest to the wish, between first and last, for a line from row top to row bottom."""
        first, last = first + TRACK, last - TRACK
        places = sorted((first + 2 * at for at in range(int((last - first) / 2) + 1)), key=lambda x: (abs(x - wish), x))
        others = [x for x, start, end in self.taken if start < bottom and top < end]

        def space(x):
            return min((abs(x - other) for other in others), default=WIDTH)

        best = next((x for x in places if space(x) >= TRACK), None)
        if best is None:  # crowded: the place farthest from its neighbours
            best = max(places, key=space)
        self.taken.append((best, top, bottom))
        return best

    def take_track(self, row, first, last):
        used = {track for a, b, track in self.tracks.setdefault(row, []) if a < last + TRACK and first < b + TRACK}
        track = next(at for at in range(len(used) + 1) if at not in used)
        self.tracks[row].append((first, last, track))
        return track

    # ---- heights

    def stack(self):
        """Gives every row its y, from the top; returns the height of all."""
        tops = {wing.rows[0] for wing in self.wings}
        ends = {wing.rows[-1] for wing in self.wings}
        y, self.row_y = MARGIN, []
        for row in range(self.rows):
            count = 1 + max((track for _, _, track in self.tracks.get(row, [])), default=-1)
            y += (GAP if row else 0) + (TITLE if row in tops else 0) + TRACK * count
            self.row_y.append(y)
            y += BOX + (PADDING if row in ends else 0)
        for box in self.boxes.values():
            box.y = self.row_y[box.row]
        for wing in self.wings:
            wing.y = self.row_y[wing.rows[0]] - TITLE
            wing.height = self.row_y[wing.rows[-1]] + BOX + PADDING - wing.y
        for arrow in self.arrows:
            self.trace(arrow)
        return y + MARGIN + CAPTION

    def trace(self, arrow):
        source, target = self.boxes[arrow.source], self.boxes[arrow.target]
        if arrow.up:
            source, target = target, source
        points = [(arrow.out, source.y + BOX), (arrow.into, target.y)]
        if arrow.track >= 0:
            titled = any(wing.rows[0] == target.row for wing in self.wings)
            y = target.y - GAP / 2 - (TITLE if titled else 0) - TRACK * arrow.track
            points[1:1] = [(arrow.out, y), (arrow.into, y)]
        arrow.points = points[::-1] if arrow.up else points


def overlap(a, b):
    return min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
