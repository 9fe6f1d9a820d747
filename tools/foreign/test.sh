#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds larch for arm64, and for s390x, whose integers are big-endian, and runs the unit, scenario and vector tests of
# each under QEMU. Ends with 77 if no architecture could be tried. usage: tools/foreign/test.sh [aarch64|s390x...]
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -gt 0 ] || set -- aarch64 s390x
jobs=${JOBS:-$(nproc)}
unset MAKEFLAGS MAKELEVEL # CMake writes makefiles of its own, which must not see the caller's flags
start=$SECONDS
tried=0 failed=0

say() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - start)); }

tools/setup.sh foreign
for processor in "$@"; do
    case $processor in
    aarch64) architecture=arm64 ;;
    s390x) architecture=s390x ;;
    *)
        echo "usage: $0 [aarch64|s390x...]" >&2
        exit 2
        ;;
    esac
    status=0
    sysroot=$(tools/foreign/sysroot.sh $architecture) || status=$?
    if [ $status != 0 ]; then
        echo "$sysroot"
        [ $status = 77 ] || failed=1
        continue
    fi
    tried=1
    say "$processor: build"
    build=build/foreign/$processor
    cmake -B "$build" -DCMAKE_TOOLCHAIN_FILE="cmake/foreign/$processor.cmake" -DCMAKE_SYSROOT="$sysroot" \
        -DCMAKE_BUILD_TYPE=Release -DLARCH_WERROR=ON >/dev/null
    cmake --build "$build" -j "$jobs" -- --no-print-directory
    say "$processor: tests"
    ctest --test-dir "$build" -j "$jobs" --progress --output-on-failure -L '^(unit|scenario|vectors)$' -LE '^(long|sweep)$' || failed=1
done
[ $failed = 0 ] || exit 1
[ $tried = 1 ] || exit 77
