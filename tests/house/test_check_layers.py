#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows the layer check small trees: a sound one, and one for each rule it must see broken."""
import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import check_layers
import skips


def check(*words):
    """The tool's exit code and output."""
    with redirect_stdout(StringIO()) as output:
        code = check_layers.main(words)
    return code, output.getvalue()


PAGE = f"# House\n\n| room | where | holds | may use |\n|---|---|---|---|\n{check('--rows')[1]}\nMore.\n"


def page_row(name):
    """The row of a room, as the page must show it."""
    return next(line for line in PAGE.split("\n") if line.startswith(f"| {name} |"))


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
    "src/crypto/libcrypto.c": "#if 0\n#include <openssl/evp.h>\n#endif\nvoid *EVP_MD_fetch(void);\nstatic void *hash;\n"
    "int larch_libcrypto(void);\nint larch_libcrypto(void) { return hash || (hash = EVP_MD_fetch()) != 0; }\n",
    "src/coap/message.c": '#include "larch/coap_message.h"\nint larch_message(void) { return larch_base(2); }\n',
    "src/coap/endpoint.c": '#include "larch/coap_endpoint.h"\nint larch_endpoint(void) { return larch_message(); }\n',
    "src/node/gateway.c": '#include "larch/gateway.h"\nint larch_gateway(void);\n'
    "int larch_gateway(void) { return larch_endpoint() + larch_kem(); }\n",
    "sniff/dissect/flow.h": '#include "larch/coap_message.h"\n',
    "sniff/dissect/flow.c": '#include <stdio.h>\n#include "flow.h"\n',
    "port/posix/udp.h": '#include "larch/base.h"\n',
    "port/posix/udp.c": '#include <sys/socket.h>\n#include "udp.h"\n',
    "port/freertos_lwip/udp.c": '#include "lwip/udp.h"\n',
    "sniff/link/frame.h": '#include "larch/base.h"\n',
    "sniff/dissect/coap.h": '#include "sniff/link/frame.h"\n#include "larch/coap_message.h"\n',
    "sniff/judge/flood.h": '#include "dissect/coap.h"\n',
    "sniff/write/json.h": '#include "sniff/judge/flood.h"\n',
    "registry/registry.h": '#include "larch/base.h"\n',
    "registry/devices_sqlite.c": '#include <sqlite3.h>\n#include "registry.h"\n',
    "sinks/sink.h": '#include "registry/registry.h"\n',
    "web/web.c": '#include <microhttpd.h>\n#include "registry/registry.h"\n',
    "examples/gateway.c": '#include "larch/gateway.h"\n#include "posix/udp.h"\n',
    "firmware/roles/role.c": '#include "FreeRTOS.h"\n#include "larch/gateway.h"\n',
    "apps/larch/cli.h": "int cli;\n",
    "apps/larch/common/app.h": '#include "posix/udp.h"\n',
    "apps/larch/sniff/engine.h": '#include "sniff/write/json.h"\n#include "common/app.h"\n',
    "apps/larch/extcap/extcap.c": '#include "sniff/engine.h"\n',
    "apps/larch/send/send.c": '#include "send.h"\n#include "common/app.h"\nvoid send_run(void) { send_show(send.say); }\n',
    "apps/larch/send/send.h": "",
    # The name of a field or of a static function is no call, nor is a comment or a text.
    "apps/larch/send/show.c": "static int say(void) { return 1; }\n/* send_run */\n"
    'int send_show(int n)\n{\n    return x.send_run + y->send_run + say() + "send_run"[n];\n}\n',
    "apps/larch/send/say.c": "void say(void) { send_show(1); }\n",
    "apps/larch/main.c": '#include "cli.h"\n#include "larch/gateway.h"\n#include "posix/udp.h"\n#include "sniff/dissect/flow.h"\n',
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
    ("PSA elsewhere", {"src/crypto/kem2.c": "#include <psa/crypto.h>\n"}, "is for src/crypto/psa* alone"),
    ("OpenSSL in another provider", {"src/crypto/psa.c": "#include <openssl/evp.h>\n"}, "is for src/crypto/libcrypto* alone"),
    ("PSA in a program", {"apps/larch/x.c": "#include <psa/crypto.h>\n"}, "is for src/crypto/psa* alone"),
    ("the sniffer uses a port", {"sniff/write/x.c": '#include "port/posix/udp.h"\n'}, "sniff/write may not include port/posix/udp.h"),
    ("a program reaches inside", {"apps/larch/x.c": '#include "pq/pq.h"\n'}, "is inside the library"),
    ("a port reaches inside", {"port/posix/x.c": '#include "../../src/pq/pq.h"\n'}, "is inside the library"),
    ("a port uses another", {"port/sim/x.c": '#include "port/posix/udp.h"\n'}, "port/sim may not include"),
    ("a port uses a program", {"port/posix/x.c": '#include "apps/larch/cli.h"\n'}, "port/posix may not include"),
    ("the library uses a port", {"src/node/x.c": '#include "port/posix/udp.h"\n'}, "the library includes port/posix/udp.h"),
    ("the library uses the sniffer", {"src/node/x.c": '#include "sniff/dissect/flow.h"\n'}, "the library includes sniff/dissect/flow.h"),
    ("an unknown public header", {"include/larch/new.h": ""}, "belongs to no room; add it to ROOMS in tools/house/rooms.py"),
    ("an include of a header not there", {"src/base/x.c": '#include "larch/news.h"\n'}, "larch/news.h is unknown"),
    ("a known header that is missing", {"src/node/x.c": '#include "larch/store.h"\n'}, "larch/store.h does not exist"),
    ("an unknown room", {"src/attic/x.c": ""}, "add it to ROOMS"),
    ("a header from nowhere", {"apps/larch/x.c": '#include "nowhere.h"\n'}, "is nowhere in this tree"),
    ("OpenSSL elsewhere", {"src/crypto/x.c": "#include <openssl/evp.h>\n"}, "is for src/crypto/libcrypto* alone"),
    ("OpenSSL under another quote", {"apps/larch/x.c": '#include "openssl/evp.h"\n'}, "is for src/crypto/libcrypto* alone"),
    ("SQLite beside its file", {"registry/outbox.c": "#include <sqlite3.h>\n"}, "is for registry/*sqlite* alone"),
    ("SQLite in a sink", {"sinks/x_sqlite.c": "#include <sqlite3.h>\n"}, "is for registry/*sqlite* alone"),
    ("HTTP outside the web", {"sinks/x.c": "#include <microhttpd.h>\n"}, "is for web/*.c alone"),
    ("HTTP in a header", {"web/x.h": "#include <microhttpd.h>\n"}, "is for web/*.c alone"),
    ("the registry uses a sink", {"registry/x.c": '#include "sinks/sink.h"\n'}, "registry may not include sinks/sink.h"),
    ("the web uses a sink", {"web/x.c": '#include "sinks/sink.h"\n'}, "web may not include sinks/sink.h"),
    ("a sink uses a port", {"sinks/x.c": '#include "port/posix/udp.h"\n'}, "sinks may not include port/posix/udp.h"),
    ("an example uses a program", {"examples/x.c": '#include "apps/larch/common/app.h"\n'}, "examples may not include"),
    ("an example reaches inside", {"examples/x.c": '#include "src/pq/pq.h"\n'}, "is inside the library"),
    ("the library uses the registry", {"src/store/x.c": '#include "registry/registry.h"\n'}, "the library includes registry"),
    ("link knows dissect", {"sniff/link/x.c": '#include "sniff/dissect/coap.h"\n'}, "sniff/link may not include"),
    ("dissect knows judge", {"sniff/dissect/x.c": '#include "judge/flood.h"\n'}, "sniff/dissect may not include"),
    ("judge knows write", {"sniff/judge/x.c": '#include "../write/json.h"\n'}, "sniff/judge may not include"),
    ("the sniffer's internals", {"sniff/link/link_int.h": "", "sniff/dissect/x.c": '#include "sniff/link/link_int.h"\n'},
     "internal to its own folder"),
    ("a folder's order is reversed", {"firmware/roles/say.c": '#include "node.h"\n', "firmware/roles/node.h": "\n"},
     "firmware/roles/node.h does not stand below say"),
    ("a folder's layer is mixed", {"firmware/roles/state.c": '#include "console.h"\n', "firmware/roles/console.h": "\n"},
     "firmware/roles/console.h does not stand below state"),
    ("a file without a layer", {"firmware/roles/x.c": '#include "say.h"\n', "firmware/roles/say.h": "\n"},
     "x in no layer of firmware/roles"),
    ("a command knows another", {"apps/larch/send/x.c": '#include "sniff/engine.h"\n'}, "apps/larch/send may not include"),
    ("a command knows one by folder", {"apps/larch/oled/x.c": '#include "send/send.h"\n'},
     "apps/larch/oled may not include apps/larch/send/send.h (apps/larch/send)"),
    ("extcap knows another", {"apps/larch/extcap/x.c": '#include "send/send.h"\n'}, "apps/larch/extcap may not include"),
    ("the shared folder knows a command", {"apps/larch/common/x.c": '#include "send/send.h"\n'}, "common may not include"),
    ("two headers include each other", {"sniff/link/a.h": '#include "b.h"\n', "sniff/link/b.h": '#include "a.h"\n'},
     "sniff/link/a.h: includes itself by way of sniff/link/b.h"),
    ("three headers include each other", {"src/node/a.h": '#include "node/b.h"\n', "src/node/b.h": '#include "node/c.h"\n',
                                          "src/node/c.h": '#include "node/a.h"\n'}, "src/node/b.h, src/node/c.h"),
    ("two sources call each other", {"sniff/link/a.c": "int a(void) { return b(); }\n",
                                     "sniff/link/b.c": "int b(void)\n{\n    return a();\n}\n"},
     "sniff/link/a.c: calls in a circle with b.c"),
    ("a circle by way of a macro", {"web/a.c": "int a(int x)\n{\n    return b(x);\n}\n",
                                    "web/b.c": "#define RUN(x) run(a, x)\nint b(int x) { return RUN(x); }\n"},
     "web/a.c: calls in a circle with b.c"),
    ("a hidden include", {"src/base/x.c": "#include SOMETHING\n"}, "hides what it includes"),
    ("a long file without a reason", {"src/base/long.c": "\n" * 600}, "601 lines"),
    ("no licence", {"src/base/x.c": None}, "not the SPDX line"),
]

BROKEN_OBJECTS = [
    ("a foreign name", {"src/base/x.c": "int helper(void);\nint helper(void) { return 1; }\n"}, "exports helper"),
    ("malloc", {"src/node/x.c": "void *malloc(unsigned long);\nvoid *larch_x(void) { return malloc(1); }\n"}, "calls malloc"),
    ("PSA called elsewhere", {"src/crypto/x.c": "int psa_hash(void);\nint larch_x(void) { return psa_hash(); }\n"},
     "calls psa_hash, which is for src/crypto/psa* alone"),
    ("OpenSSL called elsewhere", {"src/crypto/x.c": "int EVP_x(void);\nint larch_x(void) { return EVP_x(); }\n"},
     "calls EVP_x, which is for src/crypto/libcrypto* alone"),
    ("a provider calls the other's library", {"src/crypto/psa.c": "int EVP_x(void);\nint larch_x(void) { return EVP_x(); }\n"},
     "calls EVP_x, which is for src/crypto/libcrypto* alone"),
    ("a provider allocates", {"src/crypto/libcrypto.c": "void *malloc(unsigned long);\nvoid *larch_x(void) { return malloc(1); }\n"},
     "calls malloc; what it may call is PROVIDERS and EXTERNAL"),
    ("a provider allocates by another name",
     {"src/crypto/libcrypto.c": "void *CRYPTO_malloc(unsigned long);\nvoid *larch_x(void) { return CRYPTO_malloc(1); }\n"},
     "calls CRYPTO_malloc; what it may call is PROVIDERS and EXTERNAL"),
    ("the PSA provider keeps data", {"src/crypto/psa.c": "static int n;\nint larch_psa(void) { return n++; }\n"}, "writable data in .bss"),
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

# (what is wrong, a row's beginning, what stands there instead, words of the complaint)
BROKEN_PAGES = [
    ("an arrow too many", "| base |", page_row("base").replace("nothing", "pq"), "the row base differs"),
    ("an arrow too few", "| sinks |", page_row("sinks").replace(", registry", ""), "the row sinks differs"),
    ("other words", "| web |", page_row("web").replace("HTTP", "Hypertext"), "the row web differs"),
    ("a missing row", "| lake |", None, "the row lake is missing"),
    ("a row of no room", "| lake |", f"{page_row('lake')}\n| attic | `src/attic/` | dust | base |", "the row attic is not in rooms.py"),
    ("no table", "| room |", "| Room | what |", "has no table"),
]


class Tree:
    """A temporary source tree, and its build tree if compiled."""

    def __init__(self, changes):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = Path(self.temporary.name)
        (self.root / "ARCHITECTURE.md").write_text(PAGE, encoding="utf-8")
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
        return check("--root", str(self.root), *map(str, arguments))


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

    def test_broken_pages(self):
        for what, start, row, words in BROKEN_PAGES:
            with self.subTest(what):
                tree = self.tree({})
                lines = [row if line.startswith(start) else line for line in PAGE.split("\n")]
                (tree.root / "ARCHITECTURE.md").write_text("\n".join(line for line in lines if line is not None), encoding="utf-8")
                self.expect_complaint(tree, words)

    def test_broken_objects(self):
        for what, changes, words in BROKEN_OBJECTS:
            with self.subTest(what):
                tree = self.tree(changes)
                tree.compile()
                self.expect_complaint(tree, words, "--build", tree.root / "build")


if __name__ == "__main__":
    skips.main()
