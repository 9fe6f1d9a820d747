#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Man pages and bash completion: every command has both, pages break no line of a sample, and words complete.

Usage: test_pages.py PAGES LARCH
"""
import os
import re
import subprocess
import sys
import unittest

PAGES, LARCH = sys.argv[1:3]
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO")


def commands():
    out = subprocess.run([LARCH, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+) ", out.split("Commands:")[1].split("Options:")[0], re.M)


def text_of(name):
    with open(os.path.join(PAGES, name)) as f:
        return f.read()


class Man(unittest.TestCase):
    def test_every_command_has_a_page(self):
        names = {"larch.1", "gateway.ini.5", "larch.bash"} | {f"larch-{c}.1" for c in commands()}
        self.assertEqual(set(os.listdir(PAGES)), names)

    def test_sections(self):
        for name in ["larch.1"] + [f"larch-{c}.1" for c in commands()]:
            found = re.findall(r'^\.SH "?([A-Z ]+)"?$', text_of(name), re.M)
            for section in SECTIONS:
                self.assertIn(section, found, name)
        for section in ("FILES", "SIGNALS", "ENVIRONMENT"):
            self.assertIn(f".SH {section}\n", text_of("larch-gateway.1"))

    def test_samples_are_whole(self):
        page = text_of("larch-gateway.1")
        sample = page[page.index(".nf"):page.index(".fi")]
        self.assertIn('{"time":"2026\\-11\\-20T15:00:00.123Z","peer":"127.0.0.1:40000","via":"direct",\n', sample)

    def test_each_way_of_use_has_a_line(self):
        page = text_of("larch-extcap.1")
        self.assertEqual(page[:page.index(".SH DESCRIPTION")].count(".br\n\\fBlarch extcap"), 3)

    def test_pages_refer_to_pages(self):
        known = {name.rsplit(".", 1)[0] for name in os.listdir(PAGES)}
        for name in os.listdir(PAGES):
            for other in re.findall(r"(larch[a-z\\-]*|gateway\.ini)\([15]\)", text_of(name)):
                self.assertIn(other.replace("\\", ""), known, name)

    def test_settings(self):
        page = text_of("gateway.ini.5")
        for setting in ("listen = ", "outbox_bytes = ", "prefix_rate = "):
            self.assertIn(setting.replace("-", "\\-"), page)


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = f'source {PAGES}/larch.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _larch; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_commands(self):
        self.assertEqual(self.complete("larch", ""), set(commands()) | {"help", "--help", "--version"})
        self.assertEqual(self.complete("larch", "help", "ga"), {"gateway"})

    def test_options_and_values(self):
        self.assertIn("--state", self.complete("larch", "keys", "--s"))
        self.assertLessEqual({"show", "rotate", "fingerprint"}, self.complete("larch", "keys", ""))
        self.assertEqual(self.complete("larch", "gateway", "--durability", ""), {"medium", "process"})
        self.assertEqual(self.complete("larch", "send", "--kem", "1"), {"1024"})
        self.assertIn("/etc", self.complete("larch", "gateway", "--state", "/et"))

    def test_every_option_of_the_help_completes(self):
        for command in commands():
            out = subprocess.run([LARCH, command, "--help"], capture_output=True, text=True, check=True).stdout
            shown = set(re.findall(r"^ {2}(?:-\w, |    )(--[a-z-]+)", out, re.M))
            self.assertEqual({w for w in self.complete("larch", command, "--")}, shown, command)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
