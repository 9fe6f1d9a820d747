#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Peers that this Debian lacks, for larch bench kem and kex: Debian 13's OpenSSL
# (ML-KEM and ML-DSA since 3.5), Libgcrypt and Botan. Fetched through apt from this
# machine's own mirror, checked by Debian's archive keys, unpacked in .cache/, run
# with the libc they came with; nothing is installed. Leaves the program
# BUILD/larch-bench-peers-debian13, which larch bench finds beside itself.
# usage: tools/peers_debian13.sh [BUILD=build]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/debian_mirror.sh

build=$(realpath "${1:-build}")
cache=$PWD/.cache/trixie
root=$cache/root
program=$build/larch-bench-peers-debian13
run=(openssl libgcrypt20 libbotan-3-7)
headers=(libssl-dev libgcrypt20-dev libgpg-error-dev libbotan-3-dev)

say() { printf 'peers: %s\n' "$*" >&2; }
give_up() {
    say "$*: the rows of OpenSSL 3.5, Libgcrypt and Botan are left out"
    rm -f "$program"
    exit 1
}

# ---- fetch ------------------------------------------------------------------

[ -e "$cache/complete" ] || say "fetching from Debian 13"
if ! why=$(debian_folder "$cache" trixie "$(dpkg --print-architecture)" "${run[@]}" "${headers[@]/#/alone:}"); then
    give_up "$why"
fi

# ---- build ------------------------------------------------------------------

libraries=$(dirname "$(find "$root/usr/lib" -name 'libcrypto.so.3' | head -n 1)")
include=$root/usr/include
if ! "${CC:-gcc}" -std=c11 -O2 -D_GNU_SOURCE -DPEER_OPENSSL -DPEER_GCRYPT -DPEER_BOTAN -Ibench -isystem "$include" \
    -isystem "$include/$(basename "$libraries")" -isystem "$include/botan-3" \
    bench/measure.c bench/peers/{main,openssl,gcrypt,botan}.c -o "$cache/larch-bench-peers" \
    -L"$libraries" -l:libcrypto.so.3 -l:libgcrypt.so.20 -l:libbotan-3.so.7 -pthread -Wl,--allow-shlib-undefined; then
    give_up "the helper does not build"
fi

# The host's OpenSSL configuration is not for this one.
mkdir -p "$build"
debian_wrapper "$cache" "$program" "$cache/larch-bench-peers" OPENSSL_CONF=/dev/null
say "$(printf '' | "$program" | awk -F '\t' '$1 == "scheme" && !seen[$5]++ { printf "%s%s", sep, $5; sep = ", " }')"
