# SPDX-License-Identifier: Apache-2.0
"""Compares the table of rooms in ARCHITECTURE.md with the one in rooms.py."""
from house.rooms import ROOMS

PAGE = "ARCHITECTURE.md"
HEAD = "| room | where | holds | may use |"


def rows():
    """room -> its row of the page."""
    cells = [(room.name, where(room), room.holds, ", ".join(room.uses) or "nothing") for room in ROOMS]
    return {row[0]: f"| {' | '.join(row)} |" for row in cells}


def where(room):
    files = [f"`{pattern.removesuffix('*')}`" if pattern.endswith("/*") else f"`{pattern}`" for pattern in room.files]
    return ", ".join(files + [f"`larch/{header}`" for header in room.headers])


def check_page(root):
    """Yields a complaint for each row that is missing, not in the table, or different from it."""
    lines = (root / PAGE).read_text(encoding="utf-8").split("\n")
    if HEAD not in lines:
        yield f"{PAGE}: has no table that starts with {HEAD}"
        return
    start = lines.index(HEAD) + 2
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("|")), len(lines))
    shown = {line.split("|")[1].strip(): (at + 1, line) for at, line in enumerate(lines[start:end], start)}
    expected = rows()
    for name, (at, line) in shown.items():
        if name not in expected:
            yield f"{PAGE}:{at}: the row {name} is not in rooms.py"
        elif line != expected[name]:
            yield f"{PAGE}:{at}: the row {name} differs from rooms.py, which says\n    {expected[name]}"
    for name, row in expected.items():
        if name not in shown:
            yield f"{PAGE}: the row {name} is missing\n    {row}"
