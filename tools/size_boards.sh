#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The pq room with ML-KEM-512 on RV32IMAC, run by QEMU, and on a Cortex-M4, compiled
# alone: bytes of code and constants, peak stack, exact instructions. Builds: "small"
# (LARCH_PQ_SMALL, -Os) and "fast" (-O3). Needs gcc-riscv64-unknown-elf,
# picolibc-riscv64-unknown-elf and qemu-system-misc; gcc-arm-none-eabi if present.
# usage: tools/size_boards.sh [--json]
set -eu
cd "$(dirname "$0")/.."

folder=build/boards
mkdir -p $folder
sources=(src/pq/keccak.c src/pq/mlkem.c src/pq/mlkem_poly.c src/pq/mlkem_poly_small.c)
common=(-std=c11 -ffunction-sections -fdata-sections -Iinclude -Isrc -DLARCH_MLKEM_768=0 -DLARCH_MLKEM_1024=0)
rv32=(riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -misa-spec=2.2 -mcmodel=medany)
memory=(-Wl,--gc-sections -Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x200000
    -Wl,--defsym=__ram=0x80200000,--defsym=__ram_size=0x200000,--defsym=__stack_size=0x8000)
small=(-Os -DLARCH_PQ_SMALL=1)
# Before registers are given out, gcc's scheduler lengthens their lives: twice the code for Keccak.
fast=(-O3 -fno-schedule-insns -fno-tree-vectorize)

rows=()

# compile NAME COMPILER... : objects into $folder/NAME, text and rodata into $text, $rodata
compile() {
    local to=$folder/$1
    shift
    mkdir -p "$to"
    rm -f "$to"/*.o
    for source in "${sources[@]}"; do
        "$@" "${common[@]}" -c "$source" -o "$to/$(basename "$source" .c).o"
    done
    read -r text rodata < <(size -A "$to"/*.o | awk '/^\.text/ { t += $2 } /^\.s?rodata/ || /^\.srodata/ { r += $2 } END { print t, r }')
}

for build in small fast; do
    declare -n flags=$build
    compile "rv32-$build" "${rv32[@]}" "${flags[@]}"
    "${rv32[@]}" "${common[@]}" "${flags[@]}" -DPICOLIBC_INTEGER_PRINTF_SCANF bench/boards/main.c \
        src/base/ct.c "$folder/rv32-$build"/*.o "${memory[@]}" -o "$folder/$build.elf"
    output=$(timeout 60 qemu-system-riscv32 -M virt -cpu rv32 -m 16M -icount shift=0 -nographic -bios none -kernel "$folder/$build.elf" </dev/null)
    grep -q '^agree 1' <<<"$output" || { echo "size_boards: $build computes wrongly" >&2; exit 1; }
    rows+=("rv32imac $build $text $rodata $(awk '/gen|caps/ { printf "%s %s ", $2, $3 }' <<<"$output")")
done
if command -v arm-none-eabi-gcc >/dev/null; then
    for build in small fast; do
        declare -n flags=$build
        compile "m4-$build" arm-none-eabi-gcc --specs=picolibc.specs -mcpu=cortex-m4 -mthumb "${flags[@]}"
        rows+=("cortex-m4 $build $text $rodata - - - - - -")
    done
fi

printf '%s\n' "${rows[@]}" | awk -v json="${1:-}" '
    BEGIN { if (json != "--json")
        printf "ML-KEM-512 with SHA-3; bytes, and instructions\n%-10s %-6s %7s %7s %10s %6s %10s %6s %10s %6s\n", "board", "build", "text", "rodata", "keygen", "stack", "encaps", "stack", "decaps", "stack" }
    json == "--json" {
        printf "{\"board\":\"%s\",\"build\":\"%s\",\"text\":%d,\"rodata\":%d", $1, $2, $3, $4
        if ($5 != "-")
            printf ",\"keygen\":%d,\"keygen_stack\":%d,\"encaps\":%d,\"encaps_stack\":%d,\"decaps\":%d,\"decaps_stack\":%d", $5, $6, $7, $8, $9, $10
        print "}"
        next
    }
    { printf "%-10s %-6s %7s %7s %10s %6s %10s %6s %10s %6s\n", $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 }'
