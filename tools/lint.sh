#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: tools/lint.sh format|all. "all" needs build/compile_commands.json. Exits with 77 if the format was not checked.
set -eu
cd "$(dirname "$0")/.."

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')

check_format() {
    # Another version of clang-format has other opinions; Debian 12's is the judge.
    if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
        echo "format: left out, clang-format 14 is not here" >&2
        return 77
    fi
    clang-format --dry-run -Werror "${sources[@]}" || return 1
    echo "format: ${#sources[@]} files"
}

check_tidy() {
    local compiled
    # What this build compiles, each file once; the tests' macros are more than it understands.
    mapfile -t compiled < <(sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/compile_commands.json | grep -v /tests/ | sort -u)
    # Without what gcc alone understands.
    mkdir -p build/tidy
    sed 's/ -fno-tree-reassoc\b//; s/ -fno-schedule-insns2\b//' build/compile_commands.json >build/tidy/compile_commands.json
    # One file a run: version 14 carries its picture of va_list from one file into the next.
    printf '%s\0' "${compiled[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p build/tidy 2> >(grep -v 'warnings\? generated' >&2)
    echo "clang-tidy: ${#compiled[@]} files"
}

check_cppcheck() {
    # Suppressed is what it does not see: that buffers are written before they are read, by transforms, vector code and
    # calls of other files; that signs are spread by arithmetic shifts; that no sector has the number of none; and that a
    # counter in an initializer is used once.
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress='uninitvar:*src/pq/mlkem_poly.c' --suppress='uninitvar:*src/pq/x86/*' \
        --suppress='uninitvar:*tests/unit/*' --suppress='legacyUninitvar:*tests/unit/*' \
        --suppress='shiftTooManyBitsSigned:*src/pq/mldsa_round.c' --suppress='arrayIndexOutOfBoundsCond:*port/board/nor_room.c' \
        --suppress='unknownEvaluationOrder:*tests/unit/test_gateway_many.c' \
        --project=build/compile_commands.json --suppress='*:/usr/*' -j "$(nproc)"
    echo "cppcheck: done"
}

status=0
check_format || status=$?
[ $status -eq 0 ] || [ $status -eq 77 ] || exit $status
if [ "${1:-}" = all ]; then
    check_tidy
    check_cppcheck
    python3 tools/check_layers.py
fi
exit $status
