#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/pq/x86/tables.c: the constants of the vector NTT, in the order in
which poly_lanes.h meets them, and the places that compaction keeps.

usage: tools/mlkem_tables.py > src/pq/x86/tables.c
"""
Q = 3329
R = 1 << 16


def zeta(k):
    """zeta^BitRev7(k) [FIPS203 4.3]"""
    return pow(17, int(f"{k:07b}"[::-1], 2), Q)


def centred(x):
    x %= Q
    return x - Q if x > Q // 2 else x


def row(values):
    z = [centred(v * R) for v in values]
    over_q = [(v * pow(Q, -1, R)) % R for v in z]
    return z, [v - R if v >= R // 2 else v for v in over_q]


def rows(power):
    """Rows for 16 lanes of each half h; inside a half, 8 vectors are counted by
    the coefficient's bits 6 to 4, and once transposed by its bits 3 to 1."""
    z = lambda k: pow(zeta(k), power, Q)
    far, near = [], []
    for layer in range(3):
        for block in range(1 << layer):
            far.append([z((2 << layer) + (h << layer) + block) for h in (0, 1) for _ in range(16)])
            near.append(
                [z((16 << layer) + ((8 * h + pair) << layer) + block) for h in (0, 1) for pair in range(8) for _ in (0, 1)]
            )
    return far, near


def show(values, indent):
    text, line = [], indent
    for v in values:
        item = f"{v}, "
        if len(line) + len(item) > 119:
            text.append(line.rstrip())
            line = indent
        line += item
    text.append(line.rstrip().rstrip(","))
    return "\n".join(text)


def show_row(values):
    z, over_q = row(values)
    return "{{\n" + show(z, "    ") + "},\n    {\n" + show(over_q, "    ") + "}},"


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by tools/mlkem_tables.py, which says what stands where. */")
    print('#include "pq/x86/x86_int.h"\n\n/* clang-format off */')
    for name, power in (("larch_x86_zetas", 1), ("larch_x86_inverse_zetas", -1)):
        far, near = rows(power)
        print(f"const x86_zetas {name} = {{")
        for field, group in (("far", far), ("near", near)):
            print(f".{field} = {{")
            for values in group:
                print(show_row(values))
            print("},")
        print("};\n")
    pairs = [(1, zeta(64 + i // 2) * (-1) ** i) for i in range(128)]
    gammas = [value for pair in pairs for value in pair]
    print("const x86_row larch_x86_gammas[8] = {")
    for i in range(8):
        print(show_row(gammas[32 * i : 32 * i + 32]))
    print("};\n")
    print("const uint8_t larch_x86_compaction[256][8] = {")
    for first in range(0, 256, 4):
        places = [[2 * i for i in range(8) if mask >> i & 1] for mask in range(first, first + 4)]
        print("    " + " ".join("{" + ", ".join(map(str, p or [0])) + "}," for p in places))
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
