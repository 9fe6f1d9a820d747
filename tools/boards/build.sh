#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the firmware for the boards of port/, into build/boards/BOARD, and prints sizes: images, or for bl602, whose maker's
# SDK links them, one object a role. --progress: prints the build's own lines too. Exits 77 if a compiler or the sources of
# others are missing. usage: tools/boards/build.sh [--progress] [BOARD...]
set -euo pipefail
cd "$(dirname "$0")/../.."

progress=/dev/null
if [ "${1:-}" = --progress ]; then
    progress=/dev/stdout
    shift
fi
boards=("$@")
[ $# -gt 0 ] || boards=(qemu_virt mps2_an385 bl602)
[ -e .cache/boards/complete ] || {
    echo "boards: FreeRTOS, lwIP and Mbed TLS are not here; tools/board_sources.sh fetches them" >&2
    exit 77
}

mkdir -p build/boards
exec 9>build/boards/lock # tests run side by side
flock 9
for board in "${boards[@]}"; do
    case $board in
    qemu_virt | bl602) prefix=riscv64-unknown-elf ;;
    *) prefix=arm-none-eabi ;;
    esac
    command -v $prefix-gcc >/dev/null || {
        echo "boards: $board needs $prefix-gcc; tools/setup.sh boards installs it" >&2
        exit 77
    }
    folder=build/boards/$board
    [ -e "$folder/Makefile" ] || MAKEFLAGS= cmake -S firmware -B "$folder" -DLARCH_BOARD="$board" >/dev/null
    MAKEFLAGS= cmake --build "$folder" -j "${JOBS:-2}" 2>&1 | tee "$folder/log" >$progress || {
        grep -v '^\[' "$folder/log" >&2
        exit 1
    }
    for image in "$folder"/larch-*.elf "$folder"/larch-*.o; do
        [ -e "$image" ] || continue
        $prefix-size "$image" | awk -v name="$(basename "${image%.*}")" -v board="$board" \
            'NR == 2 { printf "%-10s %-14s %7d text %6d data %6d bss\n", board, name, $1, $2, $3 }'
    done
done
