#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The port to the BL602, as far as it goes without the SDK: it compiles, and what its objects leave to the SDK's linker is
declared in port/bl602/sdk, by FreeRTOS or by lwIP, or is in the compiler's libraries. So nothing of ours is missing.

usage: tests/boards/test_bl602.py
"""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
import skips  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/boards/bl602"
PREFIX = "riscv64-unknown-elf-"
ROLES = ("gateway", "sender", "sniffer")
# What the SDK calls: its start-up code, and its kernel.
CALLED = {"bfl_main", "vAssertCalled", "vApplicationGetIdleTaskMemory", "vApplicationGetTimerTaskMemory",
          "vApplicationIdleHook", "vApplicationMallocFailedHook", "vApplicationStackOverflowHook",
          "__wrap_printf", "__wrap_vprintf", "__wrap_puts", "__wrap_putchar"}
AES_TABLES = ("FT0", "FSb", "RCON")
# Of the SDK's linker script.
LINKER = {"_heap_start", "_heap_size", "_heap_wifi_start", "_heap_wifi_size"}
MACHINE = ("-march=rv32imfc", "-mabi=ilp32f", "-misa-spec=2.2", "--specs=picolibc.specs")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(file, *options):
    return {line.split()[-1] for line in run(PREFIX + "nm", *options, str(file)).splitlines() if line.split()[1:]}


def declared(folder):
    """Names of functions, and of extern objects, in the headers below a folder."""
    names = set()
    for header in folder.rglob("*.h"):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", header.read_text(encoding="utf-8", errors="replace"), flags=re.S)
        text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", text, flags=re.M)  # what only a macro names is declared nowhere
        names |= set(re.findall(r"(\w+)\s*\([^;{}]*\)[^;{}()]*;", text))
        names |= set(re.findall(r"extern\s[^;()]*?(\w+)\s*(?:\[[^;]*)?;", text))
    return names


def of_compiler():
    """The linker tells where its libraries are."""
    told = subprocess.run([PREFIX + "gcc", *MACHINE, "-nostartfiles", "-Wl,--verbose,--entry=0", "-x", "c", "-", "-o", "/dev/null"],
                          input="int x;", check=True, capture_output=True, text=True).stdout
    names = set()
    for path in set(re.findall(r"^attempt to open (\S+/lib(?:c|gcc)\.a) succeeded", told, re.M)):
        names |= symbols(path, "--defined-only", "--extern-only", "--quiet")
    return names


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sdk = declared(ROOT / "port/bl602/sdk")
        cache = ROOT / ".cache/boards"
        cls.works = declared(cache / "freertos/include") | declared(cache / "lwip/src/include")
        cls.compiler = of_compiler()

    def test_what_is_left_to_the_sdk(self):
        for role in ROLES:
            with self.subTest(role):
                left = symbols(BUILD / f"larch-{role}.o", "--undefined-only")
                self.assertIn("bl_rand_stream" if role != "sniffer" else "wifi_mgmr_sniffer_register", left)
                self.assertEqual(left - self.sdk - self.works - self.compiler - LINKER, set())

    def test_only_what_is_called_is_seen(self):
        """So no name of ours, nor of our Mbed TLS, can meet one of the SDK's."""
        for role in ROLES:
            with self.subTest(role):
                self.assertEqual(symbols(BUILD / f"larch-{role}.o", "--defined-only", "--extern-only"), CALLED)

    def test_sections(self):
        """No attributes, which the SDK's linker refuses; AES's tables among the data that its linker script puts into RAM."""
        for role in ROLES:
            with self.subTest(role):
                sections = set(re.findall(r"\] (\.\S+)", run(PREFIX + "readelf", "-SW", str(BUILD / f"larch-{role}.o"))))
                self.assertNotIn(".riscv.attributes", sections)
                self.assertEqual({s for s in sections if s.startswith(".rodata") and s.endswith(AES_TABLES)}, set())
                if role != "sniffer":
                    self.assertLessEqual({f".data.{table}" for table in AES_TABLES}, sections)

    def test_project(self):
        """Where the SDK's build is met by a stand-in: it names the object, which is made against the folders of its components
        but Mbed TLS's, and linked by its full path; printf and its like are wrapped."""
        with tempfile.TemporaryDirectory(prefix="larch-sdk-") as place:
            sdk, project = Path(place), ROOT / "port/bl602/project"
            (sdk / "make_scripts_riscv").mkdir()
            (sdk / "make_scripts_riscv/project.mk").write_text(
                "COMPONENT_PATH := $(PROJECT_PATH)/$(PROJECT_NAME)\ninclude $(COMPONENT_PATH)/bouffalo.mk\n"
                "COMPONENT_INCLUDES := /sdk/lwip/include /sdk/mbedtls/include /sdk/hal\n"
                "all: $(COMPONENT_ADD_LINKER_DEPS)\n\t@echo LINK $(EXTRA_LDFLAGS) $(COMPONENT_ADD_LDFLAGS)\n")
            told = run("make", "-n", "-C", str(project), f"BL60X_SDK_PATH={sdk}", "ROLE=sender", "LARCH_FLAGS=-DX=1")
        self.assertIn('"-DLARCH_BOARD_SDK=/sdk/lwip/include;/sdk/hal" -DX=1', told)
        self.assertIn("--target larch-sender", told)
        link = re.search(r"LINK (.*)", told)[1]
        for name in ("printf", "vprintf", "puts", "putchar"):
            self.assertIn(f"-Wl,--wrap={name} ", link + " ")
        self.assertTrue(link.endswith(f"{project}/build_out/objects/larch-sender.o"), link)

    def test_board_h(self):
        """The port defines all of board.h but Ethernet, which the SDK's station stands for, and nothing twice."""
        text = (ROOT / "port/board/board.h").read_text()
        wanted = set(re.findall(r"\b(larch_board_\w+)\(", text)) | {"larch_board_name"}
        wanted = {name for name in wanted if "_ethernet_" not in name}
        defined = run(PREFIX + "nm", "--defined-only", "--extern-only", "--quiet", str(BUILD / "libboard.a"))
        names = [line.split()[-1] for line in defined.splitlines() if line.split()[1:]]
        self.assertGreater(len(wanted), 15)
        self.assertEqual(wanted - set(names), set())
        self.assertEqual({name for name in names if names.count(name) > 1}, set())

    def test_sdk_is_no_more_than_used(self):
        """Each function that our headers declare is called: they are a list of what the SDK has to have."""
        used = set().union(*(symbols(BUILD / f"larch-{role}.o", "--undefined-only") for role in ROLES)) | CALLED
        kernel = {"vTaskEnterCritical", "vTaskExitCritical"}
        self.assertEqual(self.sdk - used - kernel - self.works, set())

    def test_a_missing_one_would_be_found(self):
        known = self.sdk | self.works | self.compiler | LINKER
        for name in ("larch_board_ethernet_send", "larch_network_send", "mbedtls_ccm_init", "bl_wdt_disable", "main"):
            self.assertNotIn(name, known)
        for name in ("bl_mtd_write", "udp_sendto", "xTaskCreateStatic", "netif_list", "memcpy", "__udivdi3"):
            self.assertIn(name, known)


if __name__ == "__main__":
    built = subprocess.run([ROOT / "tools/boards/build.sh", "bl602"])
    if built.returncode:
        sys.exit(built.returncode)
    skips.main(verbosity=2)
