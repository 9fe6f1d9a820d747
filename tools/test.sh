#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The test run. "short": everything a change must pass, below 10 minutes on 2 cores. "long": the tests labelled "long", and
# all unit tests, scenarios and corpora under ASan and UBSan, below 30. Goes on after tests that fail, and ends with what
# tools/test_summary.py counts; stops where a build fails.
# usage: tools/test.sh short|long [JOBS]
set -euo pipefail
cd "$(dirname "$0")/.."

run=${1:-}
jobs=${2:-$(nproc)}
case $run in
short) pick=(-LE '^long$') ;;
long) pick=(-L '^long$') ;;
*)
    echo "usage: $0 short|long [JOBS]" >&2
    exit 2
    ;;
esac
unset MAKEFLAGS MAKELEVEL # CMake writes makefiles of its own, which must not see the caller's flags

results=build/test-$run
rm -rf "$results"
mkdir -p "$results"
start=$SECONDS

say() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - start)); }

# Parts that CTest does not run: NAME passed|failed|skipped [WHY]
part() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$results/parts"; }

finish() { python3 tools/test_summary.py "$results"; }

# Runs a command as a part; status 77 means that it is left out, and its last line says why.
run_part() { # NAME COMMAND...
    local name=$1 status=0
    shift
    "$@" 2>&1 | tee "$results/log" || status=$?
    case $status in
    0) part "$name" passed ;;
    77) part "$name" skipped "$(tail -n 1 "$results/log")" ;;
    *) part "$name" failed "status $status" ;;
    esac
}

build() { # PRESET [OPTION...]
    local preset=$1
    shift
    say "$preset: build"
    cmake --preset "$preset" "$@" >/dev/null && cmake --build --preset "$preset" -j "$jobs" -- --no-print-directory || {
        part "build.$preset" failed "it does not compile"
        finish
        exit 1
    }
}

tests() { # PRESET CTEST-OPTION...
    local preset=$1
    shift
    say "$preset: tests"
    # Two more than there are processors: many tests mostly wait.
    ctest --preset "$preset" -j $((jobs + 2)) --progress "$@" --output-junit "$PWD/$results/$preset.xml" \
        --test-output-size-passed 65536 --test-output-size-failed 65536 || true # the summary counts what failed
    [ -s "$results/$preset.xml" ] || part "tests.$preset" failed "CTest left no results"
}

board_images() {
    tools/board_sources.sh || {
        echo "the sources of the firmware's parts are not to be had here"
        return 77
    }
    JOBS=$jobs tools/boards/build.sh
}

if [ "$run" = short ]; then
    say "boards: images"
    run_part boards.images board_images
fi
build release -DLARCH_TESTS=ON -DLARCH_WERROR=ON
tests release "${pick[@]}"
if [ "$run" = short ]; then
    say "format"
    run_part house.format tools/lint.sh format
else
    build sanitize
    tests sanitize -L '^(unit|scenario|fuzz)$'
    export JOBS=$jobs
    say "other processors"
    run_part foreign tools/foreign/test.sh
    say "Debian 13"
    run_part debian13 tools/debian13/test.sh short
fi
say "summary"
finish
