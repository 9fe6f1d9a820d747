#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/pq/x86/mldsa_tables.c: the constants of the vector NTT, in the order
in which mldsa_lanes.h meets them.

usage: tools/mldsa_tables.py > src/pq/x86/mldsa_tables.c
"""
Q = 8380417
R = 1 << 32


def zeta(k):
    """zeta^BitRev8(k) [FIPS204 7.5]"""
    return pow(1753, int(f"{k:08b}"[::-1], 2), Q)


def centred(x, modulus):
    x %= modulus
    return x - modulus if x >= (modulus + 1) // 2 else x


def rows(power):
    """Rows for the four blocks of 64 coefficients, 8 lanes each; inside a block,
    8 vectors are counted by the coefficient's bits 5 to 3, and once transposed by
    its bits 2 to 0."""
    z = lambda k: pow(zeta(k), power, Q)
    far, near = [], []
    for layer in range(3):
        for part in range(1 << layer):
            far.append([z((4 << layer) + (block << layer) + part) for block in range(4) for _ in range(8)])
            near.append([z((32 << layer) + (lane << layer) + part) for lane in range(32)])
    return far, near


def show(values):
    text, line = [], "   "
    for v in values:
        item = f" {v},"
        if len(line) + len(item) > 119:
            text.append(line)
            line = "   "
        line += item
    return "\n".join([*text, line])


def show_row(values):
    z = [centred(v * R, Q) for v in values]
    over_q = [centred(v * pow(Q, -1, R), R) for v in z]
    return "{{\n" + show(z) + "},\n    {\n" + show(over_q) + "}},"


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by tools/mldsa_tables.py, which says what stands where. */")
    print('#include "pq/x86/mldsa_x86.h"\n\n/* clang-format off */')
    for name, power in (("larch_dsa_zetas", 1), ("larch_dsa_inverse_zetas", -1)):
        far, near = rows(power)
        print(f"const dsa_zetas {name} = {{")
        for field, group in (("far", far), ("near", near)):
            print(f".{field} = {{")
            for values in group:
                print(show_row(values))
            print("},")
        print("};")
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
