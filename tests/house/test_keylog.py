#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing that writes secrets as text is in a build without LARCH_KEYLOG, and no release can be built with it.

usage: test_keylog.py SOURCE LIBRARY PROGRAM CONTROL KEYLOG
CONTROL is a program that does hold it; KEYLOG is 1 in a build that has it on purpose.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parent.parent))
import skips  # noqa: E402

SYMBOL = re.compile(r"\blarch_\w*_keylog\w*")
VARIABLE = b"LARCH_KEYLOGFILE"


def found(path):
    """Symbols and strings of the key log in an object, a library or a program."""
    names = subprocess.run(["nm", "-P", path], check=True, capture_output=True, text=True).stdout
    assert "larch_" in names, f"{path} holds no symbols that could be looked at"
    return set(SYMBOL.findall(names)) | ({VARIABLE.decode()} if VARIABLE in Path(path).read_bytes() else set())


def configure(source, kind):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(["cmake", "-S", source, "-B", folder, "-DLARCH_KEYLOG=ON", f"-DCMAKE_BUILD_TYPE={kind}",
                               "-DLARCH_PROGRAM=OFF", "-DLARCH_TESTS=OFF"], capture_output=True, text=True)


def main():
    source, library, program, control, keylog = sys.argv[1:]
    everything = {"larch_oscore_keylog_put", "larch_app_keylog", "larch_app_keylog_lake", "larch_lake_keylog_put",
                  "larch_lake_keylog_2", "larch_lake_keylog_3", VARIABLE.decode()}
    assert found(control) == everything, f"{control}: {found(control)}: this test would not see what it looks for"
    for kind in ("Release", "RelWithDebInfo"):
        got = configure(source, kind)
        assert got.returncode != 0 and "LARCH_KEYLOG" in got.stderr, f"{kind} with LARCH_KEYLOG: {got.stderr}"
    if keylog == "1":
        skips.skip("no key log in the library", "this build has LARCH_KEYLOG")
        return
    for path in (library, program):
        assert not found(path), f"{path} holds {found(path)}"
    print("no key log in library and program")


main()
