#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for division instructions in the pq room, whose time tells about what is
divided (KyberSlash), as each compiler makes it at -O1, -O2, -O3 and -Os; and, in
the vector files, for content that leaves the vectors, which it must before it can
decide a branch or an address. (valgrind executes no AVX-512, only its emulation in
tests/ct.) The two functions of tests/ct/leaks_avx512.c leak: each must be found.

usage: tools/check_ct_asm.py [COMPILER...]        default: gcc clang, where present
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIVISION = re.compile(r"^v?(i?div(?!p|s[sd])|sdiv|udiv|divu?w?|remu?w?|i?div[bwlq])$")
DIVISION_CALL = re.compile(r"__(u?(div|mod|divmod)[sdt]i[34]|aeabi_u?(idiv|ldivmod))")
CONTROL = ROOT / "tests/ct/leaks_avx512.c"
LEAKS = {"leak_avx512_by_branch", "leak_avx512_by_index"}
VECTOR_FILES = ("keccak_avx2", "keccak_avx512", "poly_avx2", "poly_avx512", "sample_avx2", "sample_avx512",
                "mldsa_avx2", "mldsa_avx512", CONTROL.stem)
AVX2 = "-mavx2 -mbmi -mbmi2 -mpopcnt".split()
AVX512 = AVX2 + "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi -mavx512vbmi2".split()
# A jump on a vector's content must first move it to a mask or a general register.
MOVES_OUT = re.compile(r"^(vpmovmskb|vmovmskp[sd]|vptest|vpextr[bwdq]|kortest[bwdq]|ktest[bwdq]|kmov[bwdq]|vpgather\w+|vpscatter\w+)$")
LOW_MOVES_OUT = re.compile(r"^vmov[dq] +%xmm\d+,%[re]")
# Function, without its level -> why its vectors may leave. What then becomes of them valgrind sees in the sources.
ALLOWED = {
    "larch_x86_reject": "entries of the matrix, which are public",
    "larch_x86_is_reduced": "an encapsulation key, which is public",
    "larch_dsa_reject": "entries of the matrix, which are public",
    "larch_dsa_reject_halves": "which candidates are refused, declared public",
    "larch_dsa_is_below": "one bit, declared public: whether an attempt ends",
    "larch_dsa_add_is_below": "that bit",
    "larch_dsa_add_small_is_below": "that bit",
    "larch_dsa_make_hint": "hints, stored as bits, and their count, declared public",
    "larch_dsa_pack": "words that are shifted and stored",
    "larch_keccak_x1": "words that gcc keeps in general registers when it runs out of others",
}
# k-registers with constants, not data.
CONSTANT_MASKS = {"kmovb", "kmovw", "kmovd", "kmovq"}


def disassemble(compiler, level, source, flags, folder):
    obj = Path(folder) / "unit.o"
    subprocess.run(
        [compiler, "-std=c11", level, *flags, "-DLARCH_X86=1", f"-I{ROOT}/include", f"-I{ROOT}/src", "-c", source, "-o", obj],
        check=True,
    )
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", obj], check=True, capture_output=True, text=True).stdout
    function = "?"
    for line in text.splitlines():
        if match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            function = match[1].split(".")[0]
        elif match := re.match(r"\s+[0-9a-f]+:\s+(?:notrack |rep\w* |lock )*(\S+)\s*(.*)", line):
            yield function, match[1], match[2]


def flags_of(path):
    return AVX512 if "avx512" in path.name else AVX2 if "avx2" in path.name else []


def leaves_vectors(function, name, operands):
    if re.sub("_avx(2|512)$", "", function) in ALLOWED:
        return False
    if LOW_MOVES_OUT.match(f"{name} {operands}"):
        return True
    return MOVES_OUT.match(name) and not (name in CONSTANT_MASKS and re.search(r"[,(]?%k\d$", operands))


def scan(compiler, level, source, folder):
    """How many instructions there are, and (function, complaint) of each that should not be."""
    instructions, found = 0, []
    for function, name, operands in disassemble(compiler, level, source, flags_of(source), folder):
        instructions += 1
        if DIVISION.match(name) or DIVISION_CALL.search(operands):
            found.append((function, f"divides: {name} {operands}"))
        if source.stem in VECTOR_FILES and leaves_vectors(function, name, operands):
            found.append((function, f"a vector's content leaves the vectors: {name} {operands}"))
    return instructions, found


def main():
    compilers = sys.argv[1:] or [c for c in ("gcc", "clang") if shutil.which(c)]
    x86 = subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout.strip() == "x86_64"
    sources = sorted((ROOT / "src/pq").glob("*.c")) + (sorted((ROOT / "src/pq/x86").glob("*.c")) if x86 else [])
    complaints, instructions = set(), 0
    with tempfile.TemporaryDirectory() as folder:
        for compiler in compilers:
            for level in ("-O1", "-O2", "-O3", "-Os"):
                for source in sources:
                    count, found = scan(compiler, level, source, folder)
                    instructions += count
                    place = f"{source.relative_to(ROOT)} ({compiler} {level})"
                    complaints.update(f"{place}: {function}: {complaint}" for function, complaint in found)
                missed = LEAKS - {function for function, _ in scan(compiler, level, CONTROL, folder)[1]} if x86 else set()
                complaints.update(f"{CONTROL.relative_to(ROOT)} ({compiler} {level}): {leak} is not found" for leak in missed)
    for complaint in sorted(complaints):
        print(complaint)
    print(f"ct: {len(sources)} files by {', '.join(compilers)}: {instructions} instructions, {len(complaints)} complaints")
    return 1 if complaints or not instructions else 0


if __name__ == "__main__":
    sys.exit(main())
