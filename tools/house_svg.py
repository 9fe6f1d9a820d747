#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the house from the code's own includes: docs/house.svg.

usage: tools/house_svg.py [--root FOLDER] [--check]

With --check nothing is written: exits 1 if the picture shows other rooms or
arrows than the code has. Sizes and counts may be older.
"""
import argparse
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is

from house.draw import draw
from house.layout import Layout
from house.measure import measure

PICTURE = "docs/house.svg"
COUNTED = re.compile(r'(<tspan class="count">)[^<]*|(stroke-width=")[^"]*|(<title>[^<]*: )\d+(?=</title>)')


def without_counts(svg):
    return COUNTED.sub(lambda match: match[1] or match[2] or match[3], svg)


def parts(svg):
    """The rooms and arrows that a picture shows."""
    arrows = re.findall(r'data-from="([^"]*)" data-to="([^"]*)"', svg)
    return {*re.findall(r'data-room="([^"]*)"', svg), *map(" -> ".join, arrows)}


def differences(shown, measured):
    """Yields what a picture shows too much, too little, or otherwise."""
    shown_parts, measured_parts = parts(shown), parts(measured)
    yield from (f"shows {part}, which is not in the code" for part in sorted(shown_parts - measured_parts))
    yield from (f"does not show {part}" for part in sorted(measured_parts - shown_parts))
    if shown_parts == measured_parts and without_counts(shown) != without_counts(measured):
        yield "is not as the tool draws it"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the source tree")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    root = arguments.root.resolve()

    picture = root / PICTURE
    svg = draw(Layout(measure(root)))
    if not arguments.check:
        picture.write_text(svg, encoding="utf-8")
        return 0
    found = list(differences(picture.read_text(encoding="utf-8") if picture.exists() else "", svg))
    for difference in found:
        print(f"{PICTURE}: {difference}")
    if found:
        print("tools/house_svg.py draws it anew")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
