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

suite=trixie
build=$(realpath "${1:-build}")
cache=$PWD/.cache/$suite
root=$cache/root
program=$build/larch-bench-peers-debian13
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
run=(openssl libgcrypt20 libbotan-3-7)
headers=(libssl-dev libgcrypt20-dev libgpg-error-dev libbotan-3-dev)

say() { printf 'peers: %s\n' "$*" >&2; }
give_up() {
    say "$*: the rows of OpenSSL 3.5, Libgcrypt and Botan are left out"
    rm -f "$program"
    exit 1
}

if [ "$(. /etc/os-release && echo "${ID:-}")" != debian ] || [ ! -e $keyring ] || ! command -v apt-get >/dev/null; then
    give_up "this is no Debian"
fi

# ---- fetch ------------------------------------------------------------------

mkdir -p "$cache"/{lists/partial,archives/partial,headers}
: >"$cache/status" # nothing is installed there: apt takes the libc and all else along
apt=(-q=2 -o "Dir::Etc::sourcelist=$cache/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State=$cache"
    -o "Dir::State::lists=$cache/lists" -o "Dir::State::status=$cache/status" -o "Dir::Cache=$cache"
    -o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::http::Timeout=30)

# The mirror that serves this machine's own release.
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$own" '$2 == own && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || give_up "no Debian mirror is configured here"
printf 'deb [signed-by=%s] %s %s main\n' $keyring "$mirror" $suite >"$cache/sources.list"

log=$cache/fetch.log
if [ ! -e "$cache/complete" ]; then
    say "fetching from Debian 13 ($suite)"
    if ! {
        apt-get "${apt[@]}" update &&
            apt-get "${apt[@]}" install -y --no-install-recommends --download-only "${run[@]}" &&
            (cd "$cache/headers" && apt-get "${apt[@]}" download "${headers[@]}")
    } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        give_up "Debian 13 is out of reach"
    fi
    rm -rf "$root"
    for package in "$cache"/archives/*.deb "$cache"/headers/*.deb; do
        dpkg-deb -x "$package" "$root"
    done
    touch "$cache/complete"
fi

# ---- build ------------------------------------------------------------------

libraries=$(dirname "$(find "$root/usr/lib" -name 'libcrypto.so.3' | head -n 1)")
include=$root/usr/include
loader=$(find "$libraries" "$root"/usr/lib* -maxdepth 1 -name 'ld-linux*.so*' | head -n 1)
if ! "${CC:-gcc}" -std=c11 -O2 -D_GNU_SOURCE -DPEER_OPENSSL -DPEER_GCRYPT -DPEER_BOTAN -Ibench -isystem "$include" \
    -isystem "$include/$(basename "$libraries")" -isystem "$include/botan-3" \
    bench/measure.c bench/peers/{main,openssl,gcrypt,botan}.c -o "$cache/larch-bench-peers" \
    -L"$libraries" -l:libcrypto.so.3 -l:libgcrypt.so.20 -l:libbotan-3.so.7 -pthread -Wl,--allow-shlib-undefined; then
    give_up "the helper does not build"
fi

# The host's OpenSSL configuration is not for this one.
mkdir -p "$build"
cat >"$program" <<END
#!/bin/sh
OPENSSL_CONF=/dev/null exec '$loader' --library-path '$libraries' '$cache/larch-bench-peers'
END
chmod +x "$program"
say "$(printf '' | "$program" | awk -F '\t' '$1 == "scheme" && !seen[$5]++ { printf "%s%s", sep, $5; sep = ", " }')"
