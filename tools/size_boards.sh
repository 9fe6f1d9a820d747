#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The pq room on boards: bytes of code and constants of each algorithm alone; and of each operation, run under QEMU,
# instructions and the deepest stack. Two builds, "fast" (-O3) and "small" (-Os, LARCH_PQ_SMALL), for RV32IMAC,
# Cortex-M4 and Cortex-M3; a board whose tools are missing is left out. Of the small build also the whole rooms oscore,
# cbor and cose, each alone and together, before a linker drops what a program does not call. Of a handshake (method 4,
# suite -24) what each message costs, and what of the room lake such a program has. Fails if an answer is wrong.
# usage: tools/size_boards.sh [--json | --figures | --check]
#   --figures  plain: BOARD BUILD NAME and two numbers, for size.ALGORITHM text and rodata, else instructions and stack
#   --check    RV32IMAC alone; fails where a figure exceeds bench/boards/budgets.txt
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# gcc's first scheduler moves Keccak's words away from their use, and spills them.
fast=(-O3 -fno-schedule-insns)
small=(-Os -DLARCH_PQ_SMALL=1)

rv32imac=(riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32 -misa-spec=2.2 -mcmodel=medany)
cortex_m4=(arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb)
cortex_m3=(arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb)

common=(--specs=picolibc.specs -std=c11 -ffunction-sections -fdata-sections -Iinclude -Isrc)
sources=(src/pq/*.c src/base/ct.c)
sessions=(oscore cbor cose) # keylog.c is for builds with LARCH_KEYLOG alone
handshakes=(src/cbor/*.c src/cose/*.c src/crypto/{kem,kmac,sig,xwing}.c src/base/{bytes,ct,error}.c src/identity/fingerprint.c)
without=(-DLARCH_MLKEM_512=0 -DLARCH_MLKEM_768=0 -DLARCH_MLKEM_1024=0 -DLARCH_MLDSA_44=0 -DLARCH_MLDSA_65=0 -DLARCH_MLDSA_87=0)

memory() { # FLASH RAM: the linker's view of the board
    echo "-Wl,--gc-sections,--defsym=__flash=$1,--defsym=__flash_size=0x200000,--defsym=__ram=$2,--defsym=__ram_size=0x200000,--defsym=__stack_size=0x40000"
}

run() { # BOARD ELF
    local emulate
    case $1 in
    rv32imac) emulate=(qemu-system-riscv32 -M virt -cpu rv32,d=false -m 16M -bios none -icount shift=0) ;;
    cortex_m4) emulate=(qemu-system-arm -M mps2-an386 -semihosting -icount shift=5) ;;
    cortex_m3) emulate=(qemu-system-arm -M mps2-an385 -semihosting -icount shift=5) ;;
    esac
    timeout 60 "${emulate[@]}" -nographic -kernel "$2" </dev/null
}

measure_rooms() { # BOARD BUILD: lines as below
    local -n room_compiler=$1 room_flags=$2
    local room source all=()
    for room in "${sessions[@]}"; do
        for source in src/"$room"/*.c; do
            [[ $source != */keylog.c ]] || continue
            "${room_compiler[@]}" "${common[@]}" "${room_flags[@]}" "${without[@]}" -DLARCH_ECC=0 -c "$source" \
                -o "$folder/$room.$(basename "$source" .c).o"
        done
        all+=("$folder/$room".*.o)
        sum_objects "$1 $2 size.$room" "$folder/$room".*.o
    done
    sum_objects "$1 $2 size.$(IFS=+ && echo "${sessions[*]}")" "${all[@]}"
}

sum_objects() { # HEAD OBJECT...
    local head=$1
    shift
    size -A "$@" | awk -v head="$head" '/^\.text/ { t += $2 } /^\.s?rodata/ { r += $2 } END { print head, t, r + 0 }'
}

# Lines "BOARD BUILD size.NAME TEXT RODATA" and "BOARD BUILD NAME.OPERATION INSTRUCTIONS STACK".
measure() { # BOARD BUILD
    local -n compiler=$1 flags=$2
    local set symbol bytes machine place
    # In place of the C library's copying and filling, which are not counted.
    "${compiler[@]}" -fno-builtin -c -x c -o "$folder/library.o" - <<'END'
#define EMPTY(name) __attribute__((section(".library"))) void name(void) {}
EMPTY(memcpy) EMPTY(memmove) EMPTY(memset) EMPTY(memcmp)
END
    for symbol in mlkem_512 mlkem_768 mlkem_1024 mldsa_44; do
        set=LARCH_$(tr a-z A-Z <<<"$symbol")
        mkdir -p "$folder/$symbol"
        (cd "$folder/$symbol" && "${compiler[@]}" "${common[@]/-I/-I$OLDPWD/}" "${flags[@]}" "${without[@]/$set=0/$set=1}" \
            -c "${sources[@]/#/$OLDPWD/}")
        # What the table of functions reaches.
        "${compiler[@]}" -nostdlib -Wl,--gc-sections,--entry="larch_$symbol" \
            "$folder/$symbol"/*.o "$folder/library.o" -lgcc -o "$folder/alone.elf"
        bytes=$(size -A "$folder/alone.elf" | awk '/^\.text/ { t += $2 } /^\.s?rodata/ { r += $2 } END { print t, r }')
        echo "$1 $2 size.${symbol/_/} $bytes"
    done
    [ "$2" != small ] || measure_rooms "$1" "$2"
    case $1 in
    rv32imac) machine=riscv place=$(memory 0x80000000 0x80200000) ;;
    *) machine=arm place=$(memory 0x00000000 0x20000000) ;;
    esac
    run_image "$1" "$2" pq -DLARCH_MLDSA_65=0 -DLARCH_MLDSA_87=0 bench/boards/main.c "${sources[@]}"
    [ "$2" != small ] || measure_handshakes "$1" "$2"
}

# The lake room as a program of method 4 has it: what the linker keeps. Then the program itself.
measure_handshakes() { # BOARD BUILD
    local -n lake_compiler=$1 lake_flags=$2
    local only=("${without[@]/MLKEM_512=0/MLKEM_512=1}" -DLARCH_ECC=0) source
    for source in src/lake/*.c; do
        [[ $source != */keylog.c ]] || continue # for builds with LARCH_KEYLOG alone
        "${lake_compiler[@]}" "${common[@]}" "${lake_flags[@]}" "${only[@]}" -c "$source" -o "$folder/kept.$(basename "$source" .c).o"
    done
    run_image "$1" "$2" lake "${only[@]}" -Wl,-Map="$folder/lake.map" bench/boards/lake.c src/pq/*.c "${handshakes[@]}" \
        "$folder"/kept.*.o >"$folder/lake.lines"
    awk -v head="$1 $2 size.lake_psk" '
        function number(hex,    n, i) { for (i = 3; i <= length(hex); i++) n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1; return n }
        /^Linker script and memory map/ { kept = 1 }
        kept && /^ \.(text|s?rodata)/ { kind = $1; if (NF == 1) { getline; $0 = kind " " $0 } }
        kept && $4 ~ /\/kept\.[a-z0-9_]*\.o$/ { if ($1 ~ /^\.text/) t += number($3); else if ($1 ~ /rodata/) r += number($3) }
        END { print head, t + 0, r + 0; exit t == 0 }' "$folder/lake.map"
    cat "$folder/lake.lines"
}

run_image() { # BOARD BUILD NAME FLAG-OR-SOURCE...
    local -n image_compiler=$1 image_flags=$2
    local board=$1 build=$2 name=$3
    shift 3
    "${image_compiler[@]}" "${common[@]}" "${image_flags[@]}" "$@" bench/boards/measure.c "bench/boards/board_$machine.c" \
        "$place" -o "$folder/$name.elf"
    if ! run "$board" "$folder/$name.elf" >"$folder/output" || [ "$(tail -n 1 "$folder/output")" != done ]; then
        cat "$folder/output" >&2
        echo "size_boards: $board, $build, $name: wrong answers" >&2
        return 1
    fi
    sed '/^done$/d; /^nothing /d' "$folder/output" | sed "s/^/$board $build /"
}

boards=()
have() { # BOARD COMMAND...
    local board=$1
    shift
    if command -v "$@" >/dev/null && [ "$(command -v "$@" | wc -l)" = $# ]; then
        boards+=("$board")
    else
        echo "size_boards: $board left out, needs $*; tools/setup.sh boards" >&2
    fi
}
have rv32imac riscv64-unknown-elf-gcc qemu-system-riscv32
if [ "$mode" != --check ]; then
    have cortex_m4 arm-none-eabi-gcc qemu-system-arm
    have cortex_m3 arm-none-eabi-gcc qemu-system-arm
fi
[ ${#boards[@]} -gt 0 ] || exit 77

for board in "${boards[@]}"; do
    for build in fast small; do
        measure "$board" "$build"
    done
done >"$folder/figures"

case $mode in
--json)
    awk 'BEGIN { print "[" }
        { kind = sub(/^size\./, "", $3) ? "\"text\":%d,\"rodata\":%d" : "\"instructions\":%d,\"stack\":%d"
          printf "%s{\"board\":\"%s\",\"build\":\"%s\",\"name\":\"%s\"," kind "}", (NR > 1 ? ",\n" : ""), $1, $2, $3, $4, $5 }
        END { print "\n]" }' "$folder/figures"
    ;;
--figures) cat "$folder/figures" ;;
--check)
    # Two budgets stand where there are two figures.
    awk 'NR == FNR { if (!/^#/ && NF == 4) { first[$1, $2] = $3; second[$1, $2] = $4 } next }
        { if (!(($2, $3) in first)) { print "size_boards: no budget for " $2 " " $3; bad = 1; next }
          used++
          if ($4 > first[$2, $3] || $5 > second[$2, $3]) {
              print "size_boards: " $0 " exceeds " first[$2, $3] " " second[$2, $3]; bad = 1 } }
        END { if (!bad) print "size_boards: " used " pairs of figures within their budgets"; exit bad || !used }' \
        bench/boards/budgets.txt "$folder/figures"
    ;;
*)
    awk '{ board = $1 " " $2 }
        board != last { if (NR > 1) print ""; printf "%s, %s build\n", $1, $2; last = board }
        /size\./ { sub(/^size\./, "", $3); printf "  %-20s %9d text %7d rodata\n", $3, $4, $5; next }
        { printf "  %-20s %9d instructions %7d stack\n", $3, $4, $5 }' "$folder/figures"
    ;;
esac
