#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the table of rooms (tools/house/rooms.py): who may include whom, what the
library's objects may call and define, what ARCHITECTURE.md says. Prints each
violation, exits 1 if there is any.

usage: tools/check_layers.py [--root FOLDER] [--build FOLDER] [--rows]

Without --build only the sources and the page are checked.
"""
import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is

from house.check_objects import check_objects
from house.check_sources import check_sources
from house.page import check_page, rows
from house.sources import read


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent, help="the source tree")
    parser.add_argument("--build", type=Path, help="the build tree whose objects are checked too")
    parser.add_argument("--rows", action="store_true", help="print the table as ARCHITECTURE.md must show it, and stop")
    arguments = parser.parse_args(words)
    root = arguments.root.resolve()
    if arguments.rows:
        print("\n".join(rows().values()))
        return 0

    sources = read(root)
    complaints = [*check_sources(sources), *check_page(root)]
    if arguments.build:
        complaints += check_objects(root, arguments.build.resolve())
    for complaint in complaints:
        print(complaint)
    print(f"layers: {len(sources)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
