#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows the layer check small trees: a sound one, and one for each rule it must see broken."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECKER = Path(__file__).parents[2] / "tools" / "check_layers.py"
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"

SOUND = {
    "include/larch/base.h": "#include <stdint.h>\nint larch_base(int);\n",
    "include/larch/kem.h": '#include "larch/base.h"\nint larch_kem(void);\n',
    "include/larch/port.h": '#include "larch/base.h"\n',
    "include/larch/coap_message.h": '#include "larch/base.h"\nint larch_message(void);\n',
    "include/larch/coap_endpoint.h": '#include "larch/coap_message.h"\nint larch_endpoint(void);\n',
    "include/larch/direct.h": '#include "larch/kem.h"\n',
    "include/larch/gateway.h": '#include "larch/coap_endpoint.h"\n#include "larch/direct.h"\n',
    "src/base/base.c": '#include <string.h>\n#include "larch/base.h"\n'
    "/* #include <stdio.h> */\n"
    "static const int table[3] = {1, 2, 3};\n"
    "static const char *const names[] = {\"a\", \"b\"};\n"
    "int larch_base(int i) { return table[i % 3] + (int)strlen(names[i % 2]); }\n",
    "src/pq/pq.h": '#include "larch/kem.h"\nint larch_pq(void);\n',
    "src/pq/pq.c": '#include "pq.h"\n#include "larch/base.h"\nint larch_pq(void) { return larch_base(1); }\n',
    "src/crypto/kem.c": '#include "larch/kem.h"\n#include "pq/pq.h"\nint larch_kem(void) { return larch_pq(); }\n',
    "src/crypto/crypto_int.h": "int larch_psa(void);\n",
    "src/crypto/psa.c": '#include "crypto/crypto_int.h"\nint psa_hash(void);\nint larch_psa(void) { return psa_hash(); }\n',
    "src/coap/message.c": '#include "larch/coap_message.h"\nint larch_message(void) { return larch_base(2); }\n',
    "src/coap/endpoint.c": '#include "larch/coap_endpoint.h"\nint larch_endpoint(void) { return larch_message(); }\n',
    "src/node/gateway.c": '#include "larch/gateway.h"\nint larch_gateway(void);\n'
    "int larch_gateway(void) { return larch_endpoint() + larch_kem(); }\n",
    "sniff/flow.h": '#include "larch/coap_message.h"\n',
    "sniff/flow.c": '#include <stdio.h>\n#include "flow.h"\n',
    "port/posix/udp.h": '#include "larch/base.h"\n',
    "port/posix/udp.c": '#include <sys/socket.h>\n#include "udp.h"\n',
    "port/freertos_lwip/udp.c": '#include "lwip/udp.h"\n',
    "apps/larch/cli.h": "int cli;\n",
    "apps/larch/main.c": '#include "cli.h"\n#include "larch/gateway.h"\n#include "posix/udp.h"\n#include "sniff/flow.h"\n',
}

# (what is wrong, the files that make it so, words of the complaint)
BROKEN_SOURCES = [
    ("a level reaches up", {"src/base/up.c": '#include "larch/kem.h"\n'}, "base may not include include/larch/kem.h"),
    ("a private header of a higher room", {"src/coap/up.c": '#include "pq/pq.h"\n'}, "may not include src/pq/pq.h"),
    ("neighbours know each other", {"src/direct/x.c": '#include "larch/coap_message.h"\n'}, "direct may not include"),
    ("two rooms in one folder", {"src/coap/option.c": '#include "larch/coap_endpoint.h"\n'}, "coap message may not"),
    ("a public header reaches up", {"include/larch/port.h": '#include "larch/kem.h"\n'}, "port interface may not"),
    ("another room's internals", {"src/node/x.c": '#include "crypto/crypto_int.h"\n'}, "internal to its own folder"),
    ("internals by a relative path", {"src/node/x.c": '#include "../crypto/crypto_int.h"\n'}, "internal to its own"),
    ("stdio in the library", {"src/node/x.c": "#include <stdio.h>\n"}, "<stdio.h> in the library"),
    ("errno in a public header", {"include/larch/port.h": "#  include <errno.h>\n"}, "<errno.h> in the library"),
    ("an OS header", {"src/store/x.c": "#include <sys/stat.h>\n"}, "<sys/stat.h> in the library"),
    ("PSA elsewhere", {"src/crypto/kem2.c": "#include <psa/crypto.h>\n"}, "is for src/crypto/psa.c alone"),
    ("PSA in a program", {"apps/larch/x.c": "#include <psa/crypto.h>\n"}, "is for src/crypto/psa.c alone"),
    ("the sniffer uses a port", {"sniff/x.c": '#include "port/posix/udp.h"\n'}, "sniff may not include port/posix/udp.h"),
    ("a program reaches inside", {"apps/larch/x.c": '#include "pq/pq.h"\n'}, "is inside the library"),
    ("a port reaches inside", {"port/posix/x.c": '#include "../../src/pq/pq.h"\n'}, "is inside the library"),
    ("a port uses another", {"port/sim/x.c": '#include "port/posix/udp.h"\n'}, "port/sim may not include"),
    ("a port uses a program", {"port/posix/x.c": '#include "apps/larch/cli.h"\n'}, "port/posix may not include"),
    ("the library uses a port", {"src/node/x.c": '#include "port/posix/udp.h"\n'}, "the library includes port/posix/udp.h"),
    ("the library uses the sniffer", {"src/node/x.c": '#include "sniff/flow.h"\n'}, "the library includes sniff/flow.h"),
    ("an unknown public header", {"include/larch/new.h": ""}, "add it to HEADERS in tools/check_layers.py"),
    ("an include of a header not there", {"src/base/x.c": '#include "larch/news.h"\n'}, "add it to HEADERS"),
    ("a known header that is missing", {"src/node/x.c": '#include "larch/store.h"\n'}, "larch/store.h does not exist"),
    ("an unknown room", {"src/attic/x.c": ""}, "add it to ROOMS"),
    ("a header from nowhere", {"apps/larch/x.c": '#include "nowhere.h"\n'}, "is nowhere in this tree"),
    ("a hidden include", {"src/base/x.c": "#include SOMETHING\n"}, "hides what it includes"),
    ("a long file without a reason", {"src/base/long.c": "\n" * 600}, "601 lines"),
    ("no licence", {"src/base/x.c": None}, "not the SPDX line"),
]

BROKEN_OBJECTS = [
    ("a foreign name", {"src/base/x.c": "int helper(void);\nint helper(void) { return 1; }\n"}, "exports helper"),
    ("malloc", {"src/node/x.c": "void *malloc(unsigned long);\nvoid *larch_x(void) { return malloc(1); }\n"}, "calls malloc"),
    ("PSA called elsewhere", {"src/crypto/x.c": "int psa_hash(void);\nint larch_x(void) { return psa_hash(); }\n"},
     "calls psa_hash; PSA is for src/crypto/psa.c alone"),
    ("an upward call without an include", {"src/base/x.c": "int larch_kem(void);\nint larch_x(void) { return larch_kem(); }\n"},
     "base may not use larch_kem of src/crypto/kem.c (crypto)"),
    ("two rooms in one folder", {"src/coap/message.c": "int larch_endpoint(void);\n"
                                 "int larch_message(void) { return larch_endpoint(); }\n"}, "coap message may not use"),
    ("a name that nobody defines", {"src/node/x.c": "int larch_y(void);\nint larch_x(void) { return larch_y(); }\n"},
     "nothing in the library defines larch_y"),
    ("data", {"src/node/x.c": "int larch_x = 5;\n"}, "4 bytes of writable data in .data"),
    ("common data", {"src/node/x.c": "int larch_x __attribute__((common));\n"}, "larch_x is writable data"),
    ("static bss", {"src/node/x.c": "static int n;\nint larch_x(void) { return n++; }\n"}, "writable data in .bss"),
    ("pointers that are not const", {"src/node/x.c": "static const char *names[] = {\"a\", \"b\"};\n"
                                     "const char *larch_x(int i, const char *n) { const char *old = names[i]; names[i] = n; return old; }\n"},
     "writable data in .data"),
]


class Tree:
    """A temporary source tree, and its build tree if compiled."""

    def __init__(self, changes):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = Path(self.temporary.name)
        for path, text in {**SOUND, **changes}.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("int no_licence;\n" if text is None else SPDX + text, encoding="utf-8")

    def compile(self):
        for source in self.root.glob("src/*/*.c"):
            path = source.relative_to(self.root)
            target = self.root / "build" / "CMakeFiles" / "larch.dir" / path.parent / (path.name + ".o")
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-fPIC", "-fdata-sections", "-fno-builtin",
                            "-I", self.root / "include", "-I", self.root / "src", "-c", source, "-o", target], check=True)

    def check(self, *arguments):
        result = subprocess.run([sys.executable, CHECKER, "--root", self.root, *arguments],
                                capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr


class CheckLayers(unittest.TestCase):
    def tree(self, changes):
        tree = Tree(changes)
        self.addCleanup(tree.temporary.cleanup)
        return tree

    def expect_complaint(self, tree, words, *arguments):
        code, output = tree.check(*arguments)
        self.assertIn(words, output)
        self.assertIn("1 complaints", output)
        self.assertEqual(code, 1)

    def test_sound_tree_passes(self):
        tree = self.tree({})
        tree.compile()
        code, output = tree.check("--build", tree.root / "build")
        self.assertIn(" 0 complaints", output)
        self.assertEqual(code, 0)

    def test_long_file_with_a_reason_passes(self):
        code, output = self.tree({"src/base/long.c": "/* lines: one table that has no parts */\n" + "\n" * 700}).check()
        self.assertEqual((code, output.count("\n")), (0, 1), output)

    def test_object_of_a_deleted_source_does_not_count(self):
        tree = self.tree({"src/base/gone.c": "int helper;\n"})
        tree.compile()
        (tree.root / "src/base/gone.c").unlink()
        code, output = tree.check("--build", tree.root / "build")
        self.assertEqual(code, 0, output)

    def test_no_objects_is_a_failure(self):
        self.expect_complaint(self.tree({}), "holds no objects", "--build", "/nonexistent")

    def test_broken_sources(self):
        for what, changes, words in BROKEN_SOURCES:
            with self.subTest(what):
                self.expect_complaint(self.tree(changes), words)

    def test_broken_objects(self):
        for what, changes, words in BROKEN_OBJECTS:
            with self.subTest(what):
                tree = self.tree(changes)
                tree.compile()
                self.expect_complaint(tree, words, "--build", tree.root / "build")


if __name__ == "__main__":
    unittest.main()
