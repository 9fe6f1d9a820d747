#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows the drawing tool small trees, and measures the picture of this one: nothing overlaps, and bytes repeat."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

sys.dont_write_bytecode = True  # the source tree stays as it is
ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "house_svg.py"
sys.path.insert(0, str(TOOL.parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
import skips  # noqa: E402

from house.draw import draw, width_of
from house.layout import BOX, Layout
from house.measure import measure

SVG = "{http://www.w3.org/2000/svg}"

SMALL = {
    "include/larch/base.h": "int x;\n",
    "include/larch/kem.h": '#include "larch/base.h"\n',
    "src/pq/pq.c": '#include "larch/base.h"\n#include "larch/kem.h"\n',
    "port/posix/udp.h": '#include "larch/base.h"\n',
    "apps/larch/send/send.c": '#include "posix/udp.h"\n#include "larch/kem.h"\n#include <stdio.h>\n',
}

# (what changes, the files that change, what the check then says about the picture; None: nothing)
CHANGES = [
    ("only lines", {"src/pq/pq.c": SMALL["src/pq/pq.c"] + "\n" * 500}, None),
    ("a file more", {"src/pq/keccak.c": ""}, None),
    ("an include more of a kind", {"src/pq/keccak.c": '#include "larch/base.h"\n'}, None),
    ("a new arrow", {"apps/larch/send/send.h": '#include "common/app.h"\n', "apps/larch/common/app.h": ""},
     "does not show apps/larch/send -> apps/larch/common"),
    ("a new room", {"src/store/store.c": ""}, "does not show store"),
    ("an arrow that is gone", {"apps/larch/send/send.c": '#include "larch/kem.h"\n'},
     "shows apps/larch/send -> port/posix, which is not in the code"),
    ("another public header", {"include/larch/port.h": ""}, "does not show port interface"),
    ("another header of a known room", {"include/larch/sig.h": ""}, "is not as the tool draws it"),
]


def run(root, *arguments, **environment):
    result = subprocess.run([sys.executable, TOOL, "--root", root, *arguments], capture_output=True, text=True,
                            check=False, env={**os.environ, **environment})
    return result.returncode, result.stdout + result.stderr


class SmallTrees(unittest.TestCase):
    def tree(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        root = Path(temporary.name)
        self.write(root, {**SMALL, "docs/house.svg": ""})
        return root

    def write(self, root, files):
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")

    def test_measures_the_includes(self):
        house = measure(self.tree())
        self.assertEqual(dict(house.arrows), {
            ("crypto", "base"): 1, ("pq", "base"): 1, ("pq", "crypto"): 1, ("port/posix", "public headers"): 1,
            ("apps/larch/send", "port/posix"): 1, ("apps/larch/send", "public headers"): 1})
        self.assertEqual(house.exceptions, {("pq", "crypto")})
        self.assertEqual((house.rooms["pq"].files, house.rooms["pq"].lines), (1, 2))
        self.assertEqual(house.headers, ["base.h", "kem.h"])

    def test_draws_each_room_and_arrow_once(self):
        root = self.tree()
        self.assertEqual(run(root), (0, ""))
        svg = (root / "docs/house.svg").read_text(encoding="utf-8")
        self.assertEqual(sorted(re.findall('data-room="(.*?)"', svg)),
                         ["apps/larch/send", "base", "crypto", "port/posix", "pq", "public headers"])
        self.assertEqual(len(re.findall("data-from=", svg)), 6)

    def test_check_sees_structure_and_not_sizes(self):
        for what, files, words in CHANGES:
            with self.subTest(what):
                root = self.tree()
                run(root)
                self.write(root, files)
                code, output = run(root, "--check")
                self.assertEqual(code, 0 if words is None else 1, output)
                self.assertIn(words or "", output)

    def test_a_missing_picture_is_a_failure(self):
        root = self.tree()
        (root / "docs/house.svg").unlink()
        self.assertEqual(run(root, "--check")[0], 1)

    def test_bytes_repeat(self):
        root, drawn = self.tree(), set()
        for seed in ("1", "2"):
            run(root, PYTHONHASHSEED=seed)
            drawn.add((root / "docs/house.svg").read_bytes())
        self.assertEqual(len(drawn), 1)


class ThisTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.layout = Layout(measure(ROOT.resolve()))

    def test_boxes_do_not_overlap(self):
        for a, b in combinations(self.layout.boxes.values(), 2):
            apart = (a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + BOX <= b.y or b.y + BOX <= a.y)
            self.assertTrue(apart, f"{a} {b}")

    def test_arrows_join_their_boxes(self):
        for arrow in self.layout.arrows:
            for name, (x, y) in ((arrow.source, arrow.points[0]), (arrow.target, arrow.points[-1])):
                box = self.layout.boxes[name]
                self.assertTrue(box.x < x < box.x + box.width and y in (box.y, box.y + BOX), arrow)

    def test_lines_side_by_side_are_apart(self):
        lines = [(arrow, a[0], *sorted((a[1], b[1])))
                 for arrow in self.layout.arrows for a, b in zip(arrow.points, arrow.points[1:]) if a[0] == b[0]]
        for (one, x, top, bottom), (other, x2, top2, bottom2) in combinations(lines, 2):
            if one is not other and top < bottom2 and top2 < bottom:
                self.assertGreaterEqual(abs(x - x2), 3, f"{one} {other}")

    def test_texts_fit_their_boxes(self):
        for group in ElementTree.fromstring(draw(self.layout)).iter(f"{SVG}g"):
            box = group.find(f"./{SVG}rect[@class='box']")
            if box is None:
                continue
            left, right = float(box.get("x")), float(box.get("x")) + float(box.get("width"))
            taken = []
            for text in group.iter(f"{SVG}text"):
                width = width_of("".join(text.itertext()), text.get("class"))
                start = float(text.get("x")) - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
                self.assertTrue(left <= start and start + width <= right, ElementTree.tostring(text))
                taken.append((text.get("y"), start, start + width))
            for (y, a, b), (y2, a2, b2) in combinations(taken, 2):
                self.assertTrue(y != y2 or b <= a2 or b2 <= a, group.get("data-room"))


if __name__ == "__main__":
    skips.main()
