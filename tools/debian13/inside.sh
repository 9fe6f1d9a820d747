#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The runs of test.sh, on Debian 13 itself. usage: tools/debian13/inside.sh full|short
set -euo pipefail
cd "$(dirname "$0")/../.."

jobs=${JOBS:-$(nproc)}
export JOBS=$jobs
start=$SECONDS
failed=()

say() { printf '\n== Debian %s: %s (%d s)\n' "$(cat /etc/debian_version)" "$1" $((SECONDS - start)); }

# Every run starts from fresh sources; the compiler's results stay.
tools/setup.sh ccache
export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_MAXSIZE=1G

tests() { # FOLDER [CTEST-OPTION...]
    local folder=$1
    shift
    ctest --test-dir "$folder" -j $((jobs + 2)) --output-on-failure --progress "$@" || failed+=("ctest $folder $*")
}

build_here() {
    tools/setup.sh test
    say "boards: images"
    tools/board_sources.sh
    tools/boards/build.sh
    say "release: build"
    cmake --preset release -DLARCH_TESTS=ON -DLARCH_WERROR=ON >/dev/null
    cmake --build --preset release -j "$jobs" -- --no-print-directory
}

run_short() {
    say "release: tests"
    tests build -L '^(unit|scenario|vectors|e2e|fuzz)$' -LE '^(long|sweep)$'
    tests build -R '^boards\.(check|exchange|size|pq)' -LE '^long$'
}

run_full() {
    say "release: tests"
    tests build -LE '^long$'
    say "sanitizers: build"
    cmake --preset sanitize >/dev/null
    cmake --build --preset sanitize -j "$jobs" -- --no-print-directory
    say "sanitizers: tests"
    tests build/sanitize -L '^(unit|scenario|fuzz)$'
    say "demo"
    build/larch demo || failed+=("demo")
    say "boards-demo"
    tools/boards/demo.py || failed+=("boards-demo")
}

build_here
"run_$1"
say "$1 done"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
