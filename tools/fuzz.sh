#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs each libFuzzer harness for some seconds on a temporary copy-on-top of
# its corpus; an input that breaks one stays in build/fuzz/crashes.
# usage: tools/fuzz.sh SECONDS [NAME]...
set -eu
cd "$(dirname "$0")/.."

seconds=$1
shift
crashes=build/fuzz/crashes
scratch=$(mktemp -d)
export TMPDIR=$scratch # of the harnesses that write files
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$crashes"

failed=()
ran=0
for source in fuzz/fuzz_*.c; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    ran=$((ran + 1))
    # libFuzzer writes what it finds into the first folder and only reads the others.
    corpus=("$scratch/$name")
    mkdir -p "${corpus[0]}"
    [ ! -d "fuzz/corpus/$name" ] || corpus+=("fuzz/corpus/$name")
    log=$scratch/$name.log
    printf '== %-20s %s s ... ' "$name" "$seconds"
    if "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-" "${corpus[@]}" >"$log" 2>&1; then
        awk '/number_of_executed_units/ { runs = $2 } match($0, /cov: [0-9]+/) { cov = substr($0, RSTART + 5, RLENGTH - 5) }
            END { printf "%d runs, %d edges\n", runs, cov }' "$log"
    else
        echo FAILED
        tail -n 40 "$log" >&2
        failed+=("$name")
    fi
done

if [ $ran -eq 0 ]; then
    echo "fuzz: no harness${1:+ of the name $*}" >&2
    exit 1
elif [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: ${failed[*]} failed; the inputs are in $crashes" >&2
    exit 1
fi
echo "fuzz: $ran harnesses, nothing found"
