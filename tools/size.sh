#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bytes of code and data of each room of the library, for a small build: -Os,
# ML-KEM-512 alone, no unwind tables, not position-independent. CC and CFLAGS
# choose the compiler as usual. Fails only if it cannot measure.
# usage: tools/size.sh [--json]
set -eu
cd "$(dirname "$0")/.."

folder=build/size
log=$folder/size.log
mkdir -p $folder
if ! {
    cmake -S . -B $folder --fresh -DCMAKE_BUILD_TYPE=MinSizeRel -DCMAKE_C_COMPILER="${CC:-gcc}" \
        -DCMAKE_C_FLAGS="-fno-pie -fno-asynchronous-unwind-tables ${CFLAGS:-}" -DCMAKE_EXE_LINKER_FLAGS=-no-pie -DCMAKE_POSITION_INDEPENDENT_CODE=OFF \
        -DLARCH_X86=OFF -DLARCH_CRYPTO=psa -DLARCH_CONFIG="LARCH_MLKEM_768=0;LARCH_MLKEM_1024=0;LARCH_MLDSA_44=0;LARCH_MLDSA_65=0;LARCH_MLDSA_87=0;LARCH_ECC=0;LARCH_SERVER_BODIES=0;LARCH_SERVER_SESSIONS=0;LARCH_SERVER_GROUP=1;LARCH_DIRECT_COSE=0" -DLARCH_TESTS=OFF -DLARCH_PROGRAM=OFF &&
        MAKEFLAGS='' cmake --build $folder -j "$(nproc)" --target larch
} >$log 2>&1; then
    tail -n 30 $log >&2
    echo "size: cannot build; all of it is in $log" >&2
    exit 1
fi

objects=$folder/CMakeFiles/larch.dir/src
compiler=$("${CC:-gcc}" -dumpmachine)-$("${CC:-gcc}" -dumpfullversion 2>/dev/null || "${CC:-gcc}" -dumpversion)

# Constant pointers that a relocating loader would write (.data.rel.ro) are flash on a board.
find $objects -name '*.o' -print0 | sort -z | xargs -0 size -A | awk -v json="${1:-}" -v compiler="$compiler" '
    / +:$/ { room = $1; sub(".*/src/", "", room); sub("/.*", "", room); if (!(room in seen)) { seen[room] = 1; rooms[++n] = room } }
    /^\.text/ { sum[room, "text"] += $2 }
    /^\.rodata/ || /^\.data\.rel\.ro/ { sum[room, "rodata"] += $2 }
    /^\.t?data/ && !/^\.data\.rel\.ro/ { sum[room, "data"] += $2 }
    /^\.t?bss/ { sum[room, "bss"] += $2 }
    END {
        if (n == 0) { print "size: no objects" > "/dev/stderr"; exit 1 }
        rooms[++n] = "total"
        split("text rodata data bss", kinds)
        for (i = 1; i < n; i++)
            for (k = 1; k <= 4; k++)
                sum["total", kinds[k]] += sum[rooms[i], kinds[k]]
        if (json == "--json") {
            printf "{\"compiler\":\"%s\",\"optimize\":\"-Os\",\"kem\":[512],\"rooms\":{", compiler
            for (i = 1; i <= n; i++) {
                printf "%s\"%s\":{", (i == n ? "}," : (i > 1 ? "," : "")), rooms[i]
                for (k = 1; k <= 4; k++)
                    printf "%s\"%s\":%d", (k > 1 ? "," : ""), kinds[k], sum[rooms[i], kinds[k]]
                printf "}"
            }
            print "}"
        } else {
            printf "%s -Os, ML-KEM-512 alone; bytes\n%-8s %8s %8s %8s %8s\n", compiler, "room", "text", "rodata", "data", "bss"
            for (i = 1; i <= n; i++)
                printf "%-8s %8d %8d %8d %8d\n", rooms[i], sum[rooms[i], "text"], sum[rooms[i], "rodata"], sum[rooms[i], "data"], sum[rooms[i], "bss"]
        }
        if (sum["total", "data"] + sum["total", "bss"] > 0)
            print "size: the library has writable data" > "/dev/stderr"
    }'
