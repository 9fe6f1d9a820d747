#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# This machine's figures as Markdown on stdout. Asserts nothing.
# usage: bench/run.sh [LARCH]
#   ROUNDS=5 SECONDS_EACH=3   rounds, and seconds of each load in each round
#   SERVER_CORE=0 LOAD_CORE=1 the cores that servers and load keep to; the cryptography is measured on the latter
#
# Ours and libcoap's example server are loaded by the same client, in turn, round
# after round, so that whatever else the machine does meets both. Rates are of one
# core; CPU per answer is the server's own and holds on a busy machine too.
set -euo pipefail
cd "$(dirname "$0")/.."

larch=$(realpath "${1:-build/larch}")
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
scratch=$(mktemp -d)
pids=()
cleanup() {
    kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT

say() { printf 'bench: %s\n' "$*" >&2; }
if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then
    server=(taskset -c "${SERVER_CORE:-0}") load=(taskset -c "${LOAD_CORE:-1}")
else
    say "one core for servers and load: the rates are too low"
    server=() load=()
fi

# ---- servers ----------------------------------------------------------------

# So many marks that no rotation falls into a load of sealed messages.
printf '[gateway]\nreplay_slots = 4194304\n[limits]\nproven_rate = 0\nmarks = 0\n' >"$scratch/load.ini"

start_gateway() { # NAME ARGUMENT...: sets pid and uri
    local name=$1
    shift
    "${server[@]}" "$larch" gateway --listen 127.0.0.1:0 --state "$scratch/$name" "$@" \
        >/dev/null 2>"$scratch/$name.log" &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 100); do
        uri=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/coap:\/\/\1/p' "$scratch/$name.log")
        grep -q 'ML-KEM-1024' "$scratch/$name.log" && return
        sleep 0.05
    done
    cat "$scratch/$name.log" >&2
    exit 1
}

start_libcoap() { # sets pid and uri; false without libcoap
    command -v coap-server-notls >/dev/null || return 1
    local port=$((20000 + RANDOM % 10000))
    uri=coap://127.0.0.1:$port
    "${server[@]}" coap-server-notls -A 127.0.0.1 -p "$port" -v 0 >/dev/null 2>&1 &
    pid=$!
    pids+=("$pid")
    for _ in $(seq 40); do
        "$larch" bench gateway "$uri" --get .well-known/core --seconds 0.1 --json >/dev/null 2>&1 && return
        sleep 0.05
    done
    return 1
}

# ---- figures ----------------------------------------------------------------

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; } # comm holds no space
kib() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }
field() { sed -n 's/.*"'"$1"'":\([0-9.]*\).*/\1/p'; }
median() { sort -n "$1" 2>/dev/null | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b + 0 > 0 && a + 0 > 0) printf "%.2f", a / b; else printf "-" }'; }

measure() { # NAME PID URI ARGUMENT...: one load; gathers rate, CPU per answer and latency
    local name=$1 pid=$2 uri=$3 line before after
    shift 3
    before=$(ticks "$pid")
    line=$("${load[@]}" "$larch" bench gateway "$uri" --seconds "$seconds" --json "$@" 2>"$scratch/why") || true
    after=$(ticks "$pid")
    [ -n "$line" ] || { say "$name: no figure this time: $(tail -n 1 "$scratch/why")"; return; }
    field rate <<<"$line" >>"$scratch/$name.rate"
    field p50_us <<<"$line" >>"$scratch/$name.p50"
    field p99_us <<<"$line" >>"$scratch/$name.p99"
    awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n="$(field answered <<<"$line")" \
        'BEGIN { if (n > 0) printf "%.2f\n", t / hz * 1e6 / n }' >>"$scratch/$name.cpu"
    say "$name: $(field rate <<<"$line")/s, lost $(field lost <<<"$line"), refused $(field refused <<<"$line")"
}

# ---- the run ----------------------------------------------------------------

start_gateway process --config "$scratch/load.ini" --durability process
process=("$pid" "$uri")
start_gateway medium --config "$scratch/load.ini"
medium=("$pid" "$uri")
libcoap=()
if start_libcoap; then libcoap=("$pid" "$uri"); else say "coap-server-notls is not here: nothing to compare with"; fi

get=(--get .well-known/core)
for round in $(seq "$rounds"); do
    say "round $round of $rounds"
    if [ $((round % 2)) = 1 ]; then
        measure get "${process[@]}" "${get[@]}"
        [ ${#libcoap[@]} = 0 ] || measure libcoap "${libcoap[@]}" "${get[@]}"
    else
        [ ${#libcoap[@]} = 0 ] || measure libcoap "${libcoap[@]}" "${get[@]}"
        measure get "${process[@]}" "${get[@]}"
    fi
    measure process "${process[@]}" --kem 512
    measure medium "${medium[@]}" --kem 512
done

# Memory as installed: default settings, after messages of two sets.
start_gateway small
for kem in 512 768; do
    "$larch" bench gateway "$uri" --seconds 0.2 --kem "$kem" >/dev/null 2>&1 || true
done
small=("$(kib "$pid" VmHWM)" "$(kib "$pid" VmRSS)")

printf '%s, %s cores, Linux %s; %s\n\n' "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
    "$(nproc)" "$(uname -r)" "$("$larch" --version)"
"${load[@]}" "$larch" bench kem --markdown
printf '\n'
"${load[@]}" "$larch" bench kex --markdown
printf '\n'
oscore=.cache/trixie-oscore/coap-server # tools/oscore_peers.sh
[ -x "$oscore" ] || oscore=coap-server-openssl
"$larch" bench oscore --markdown --libcoap "$oscore" # it keeps to two cores by itself
printf '\nMedians of %s rounds of %s s, one core for the server, 128 requests in flight.\n\n' "$rounds" "$seconds"
printf '| one core | a second | CPU each, us | latency median, us | 99 %%, us |\n|---|--:|--:|--:|--:|\n'
row() { # TEXT NAME
    printf '| %s | %s | %s | %s | %s |\n' "$1" "$(median "$scratch/$2.rate")" "$(median "$scratch/$2.cpu")" \
        "$(median "$scratch/$2.p50")" "$(median "$scratch/$2.p99")"
}
row 'GET /.well-known/core, larch' get
row 'GET /.well-known/core, libcoap (coap-server-notls)' libcoap
row 'sealed ML-KEM-512 messages, durable against the end of the process' process
row 'sealed ML-KEM-512 messages, durable against a power cut' medium
printf '\nGET, larch to libcoap: %s times the rate, %s times the CPU each.\n' \
    "$(ratio "$(median "$scratch/get.rate")" "$(median "$scratch/libcoap.rate")")" \
    "$(ratio "$(median "$scratch/get.cpu")" "$(median "$scratch/libcoap.cpu")")"
printf 'State on %s. ' "$(stat -f -c %T "$scratch")"
printf 'Memory of the gateway with default settings: %s KiB at its peak, %s KiB resident' "${small[0]}" "${small[1]}"
[ ${#libcoap[@]} = 0 ] || printf '; libcoap: %s KiB at its peak' "$(kib "${libcoap[0]}" VmHWM)"
printf '.\n'
