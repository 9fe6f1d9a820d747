# SPDX-License-Identifier: Apache-2.0
"""Wireshark trusts no folder of root's environment, and since 4.4 runs no Lua as root: as root, the test is nobody."""
import os

NOBODY = 65534


def arguments(folder, *owned):
    """For subprocess: another user, if this one is root; that user may read the folder, and owns the files."""
    if os.geteuid() != 0:
        return {}
    for path in owned:
        os.chown(path, NOBODY, NOBODY)
    os.chmod(folder, 0o755)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def environment(home):
    """In which tshark finds no settings of the user who runs the test; home is a folder in which it may write."""
    os.chmod(home, 0o777)
    return {**os.environ, "HOME": home, "WIRESHARK_CONFIG_DIR": home}
