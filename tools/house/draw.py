# SPDX-License-Identifier: Apache-2.0
"""Draws a layout as SVG: lines first, boxes over them, so no line ever crosses a text."""
from xml.sax.saxutils import escape

from house.layout import BOX, CAPTION, PADDING, WIDTH
from house.rooms import PUBLIC

# wing -> title, (line and border, box) on a light ground, the same on a dark one
WINGS = {
    "programs": ("Programs", ("#7c3aed", "#ede4ff"), ("#b79bff", "#2f2450")),
    "services": ("Services", ("#be185d", "#fde3ee"), ("#f78fb8", "#471b30")),
    "sniffer": ("Sniffer", ("#0e7490", "#d9f3f9"), ("#5ccbe4", "#123a45")),
    "firmware": ("Firmware", ("#b45309", "#fdeed3"), ("#f0b35b", "#43300f")),
    "measuring": ("Measuring", ("#57606a", "#eaeef2"), ("#a3adb8", "#2c333c")),
    "ports": ("Ports: what a platform lends, and text on the host", ("#15803d", "#dcf5e3"), ("#65d08a", "#15391f")),
    "headers": ("include/larch: the public headers", ("#1d4ed8", "#dfe8ff"), ("#86aaff", "#1b2c57")),
    "library": ("Library: no heap, no I/O, no clock, no writable data", ("#1d4ed8", "#eef3ff"), ("#86aaff", "#182341")),
}
PAPER = (("#ffffff", "#f6f8fa", "#1f2328", "#59636e"), ("#0d1117", "#151b23", "#f0f6fc", "#9198a1"))
FONT = "-apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
CAPTION_TEXT = (
    "An arrow stands for includes, and a thicker one for more. "
    "It passes behind the rooms that it does not touch. Dashed arrows are exceptions."
)
SIZES = {"name": 13, "note": 10.5, "size": 10.5, "title": 11.5, "header": 11}
PREFIX = {"ports": "port", "firmware": "firmware", "sniffer": "sniff", "programs": "apps/larch"}  # the title says it
SIZE_WIDTH = 112  # of the longest size, so that the layout does not hang on it


def style():
    """The colours of every wing, on a light ground and on a dark one."""

    def rules(paper, at):
        page, wing, ink, faint = paper
        lines = [f".page{{fill:{page}}} .wing{{fill:{wing}}} .name,.header{{fill:{ink}}} .note,.size{{fill:{faint}}}"]
        for name, wing_of in WINGS.items():
            line, box = wing_of[at]
            lines.append(f".{name} .box{{fill:{box};stroke:{line}}} .{name} .title{{fill:{line}}}"
                         f" .to-{name}{{stroke:{line}}} .to-{name} .head{{fill:{line};stroke:none}}")
        return "\n".join(lines)

    fonts = " ".join(f".{name}{{font-size:{size}px}}" for name, size in SIZES.items())
    return (f"text{{font-family:{FONT}}} .header{{font-family:{MONO}}} {fonts} .name,.title{{font-weight:600}}\n"
            f".line{{fill:none;stroke-opacity:.75}} .exception{{stroke-dasharray:4 3}}\n"
            f"{rules(PAPER[0], 1)}\n@media (prefers-color-scheme:dark){{\n{rules(PAPER[1], 2)}\n}}")


def width_of(text, kind):
    """A careful guess: no font of the list is wider."""
    each = 0.62 if kind == "header" else 0.58 if kind in ("name", "title") else 0.54
    return len(text) * SIZES[kind] * each


def number(value):
    return f"{float(value):.1f}".removesuffix(".0")


def pair(point):
    return " ".join(map(number, point))


def rect(kind, x, y, width, height, radius=0):
    x, y, width, height = map(number, (x, y, width, height))
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>'


def text(x, y, kind, content, anchor="start"):
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{content}</text>'


def size_of(room):
    """Files and lines, these rounded to two digits: a picture for readers, not for accounts."""
    lines = f"{room.lines / 1000:.1f}k" if room.lines >= 1000 else str(round(room.lines, -1))
    return f"{room.files} file{'s' * (room.files > 1)}", f"{lines} lines"


def draw(layout):
    house, height = layout.house, number(layout.height)
    wing_of = {name: room.wing for name, room in house.rooms.items()} | {PUBLIC: "headers"}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        "<!-- SPDX-License-Identifier: Apache-2.0; drawn by tools/house_svg.py -->",
        "<title>The rooms of larch and the includes between them, as measured in the code</title>",
        f"<style>\n{style()}\n</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="10"/>',
    ]
    for wing in layout.wings:
        out.append(rect("wing", wing.x, wing.y, wing.width, wing.height, 8))
    for arrow in layout.arrows:
        out.append(draw_arrow(arrow, house, wing_of[arrow.target]))
    for wing in layout.wings:
        title = WINGS[wing.name][0]
        width = min(width_of(title, "title") + 8, wing.width - PADDING)
        out.append(f'<g class="{wing.name}">{rect("wing", wing.x + PADDING - 4, wing.y + 3, width, 16)}'
                   f'{text(wing.x + PADDING, wing.y + 15, "title", title)}</g>')
    for name, box in layout.boxes.items():
        out.append(draw_headers(box, house.headers) if name == PUBLIC else draw_room(box, house.rooms[name]))
    out.append(text(WIDTH / 2, layout.height - CAPTION + 4, "note", CAPTION_TEXT, "middle"))
    return "\n".join(out) + "\n</svg>\n"


def draw_arrow(arrow, house, wing):
    count = house.arrows[arrow.source, arrow.target]
    width = min(1 + count ** 0.5 * 0.45, 4)
    points = [*arrow.points]
    x, y = points[-1]
    down = 1 if points[-2][1] < y else -1
    points[-1] = (x, y - 5 * down)
    exception = " exception" if (arrow.source, arrow.target) in house.exceptions else ""
    return (f'<g class="to-{wing}" data-from="{arrow.source}" data-to="{arrow.target}">'
            f'<title>{escape(f"{arrow.source} → {arrow.target}: {count}")}</title>'
            f'<path class="line{exception}" stroke-width="{number(width)}" d="{path(points)}"/>'
            f'<path class="head" d="M{number(x)} {number(y)}l-3.5 {-7 * down}h7z"/></g>')


def path(points):
    """A line of rounded corners."""
    out = f"M{pair(points[0])}"
    for before, at, after in zip(points, points[1:], points[2:]):
        enter, leave = toward(at, before), toward(at, after)
        out += f"L{pair(enter)}Q{pair(at)} {pair(leave)}"
    return out + f"L{pair(points[-1])}"


def toward(a, b, radius=5):
    length = abs(a[0] - b[0]) + abs(a[1] - b[1])
    share = min(radius, length / 2) / length if length else 0
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def frame(box):
    return rect("box", box.x, box.y, box.width, BOX, 6)


def draw_room(box, room):
    name = "larch" if box.name == "apps/larch" else box.name.removeprefix(PREFIX.get(room.wing, "") + "/")
    holds, inner = room.holds.replace("`", ""), box.width - 20
    left, middle, right = box.x + 10, box.x + box.width / 2, box.x + box.width - 10
    files, lines = (f'<tspan class="count">{size}</tspan>' for size in size_of(room))
    both = f"{files}, {lines}"
    if width_of(holds, "note") <= inner and width_of(name, "name") + SIZE_WIDTH + 20 <= inner:
        rows = [text(left, box.y + 20, "name", name), text(right, box.y + 20, "size", both, "end"),
                text(left, box.y + 37, "note", escape(holds))]
    elif SIZE_WIDTH <= box.width:
        rows = [text(middle, box.y + 21, "name", name, "middle"), text(middle, box.y + 37, "size", both, "middle")]
    else:
        rows = [text(middle, box.y + 17, "name", name, "middle"), text(middle, box.y + 30, "size", files, "middle"),
                text(middle, box.y + 42, "size", lines, "middle")]
    return (f'<g class="{room.wing}" data-room="{box.name}"><title>{escape(f"{box.name}: {room.holds}")}</title>'
            f'{frame(box)}{"".join(rows)}</g>')


def draw_headers(box, headers):
    """All names, in as few lines as hold them, all nearly of one length."""
    between = "\u00a0" * 3
    for count in range(1, len(headers) + 1):
        each = len(headers) / count
        lines = [between.join(headers[round(at * each) : round((at + 1) * each)]) for at in range(count)]
        if all(width_of(line, "header") <= box.width - 30 for line in lines):
            break
    step = BOX / (count + 1)
    middle, down = box.x + box.width / 2, SIZES["header"] * 0.35
    rows = [text(middle, box.y + step * (at + 1) + down, "header", line, "middle") for at, line in enumerate(lines)]
    return f'<g class="headers" data-room="{PUBLIC}">{frame(box)}{"".join(rows)}</g>'
