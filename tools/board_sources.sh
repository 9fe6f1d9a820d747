#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The three works that the firmware stands on, as Debian's source packages: the FreeRTOS kernel V9.0.0 (inside Debian 13's
# micropython), lwIP 2.2.1 (Debian 13) and Mbed TLS 2.28.3 (Debian 12), with Debian's patches. Fetched through apt from
# this machine's own mirror, checked by Debian's archive keys and by the digests below, unpacked in .cache/boards;
# nothing is installed. Silent and quick when all is there. usage: tools/board_sources.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/debian_mirror.sh

# FOLDER PACKAGE UPSTREAM SHA-256 of the upstream archive. Debian's newest revision of that upstream version is taken.
pins="freertos micropython 1.25.0+ds   7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea
      lwip     lwip        2.2.1+dfsg1 83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1
      mbedtls  mbedtls     2.28.3      3b4953aa55a681e084d31892d9904cc5328d6b4958ea57b90ae4b4f94ae69a8d"

cache=$PWD/.cache/boards
[ "$(cat "$cache/complete" 2>/dev/null)" != "$pins" ] || exit 0

say() { printf 'board sources: %s\n' "$*" >&2; }
give_up() {
    say "$*: the firmware cannot be built"
    exit 1
}

if lacks=$(debian_lacks); then
    give_up "$lacks"
fi
command -v dpkg-source >/dev/null || give_up "dpkg-source is missing (tools/setup.sh boards)"

# ---- fetch ------------------------------------------------------------------

rm -rf "$cache"
mkdir -p "$cache/fetched"
debian_private_apt "$cache/apt"
mirror=$(debian_mirror)
security=$(debian_mirror -security)
for suite in trixie bookworm; do
    printf 'deb-src [signed-by=%s] %s %s main\n' $debian_keyring "$mirror" $suite
    [ -z "$security" ] || printf 'deb-src [signed-by=%s] %s %s-security main\n' $debian_keyring "$security" $suite
done >"$cache/apt/sources.list"

log=$cache/fetch.log
fetch() { # every package of pins into fetched/
    apt-get "${apt[@]}" -q=2 update || return
    while read -r _ package upstream _; do
        version=$(apt-cache "${apt[@]}" showsrc --only-source "$package" |
            awk -v want="$upstream-" '$1 == "Version:" && index($2, want) == 1 { print $2 }' | sort -V | tail -n 1)
        [ -n "$version" ] || { echo "$package $upstream is not served" && return 1; }
        (cd "$cache/fetched" && apt-get "${apt[@]}" -q=2 source --download-only --only-source "$package=$version") || return
    done <<<"$pins"
}
say "fetching FreeRTOS, lwIP and Mbed TLS as Debian's source packages"
if ! fetch >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    give_up "Debian's source packages are out of reach"
fi

# ---- check and unpack -------------------------------------------------------

while read -r folder package upstream digest; do
    archive=$(echo "$cache/fetched/${package}_$upstream".orig.tar.*)
    sha256sum --status -c <<<"$digest  $archive" || give_up "$(basename "$archive") is not what is pinned here"
    case $folder in
    freertos) # a corner of its package, which Debian does not patch
        mkdir "$cache/freertos"
        tar -C "$cache/freertos" --strip-components=5 --wildcards -xf "$archive" '*/ports/cc3200/FreeRTOS/Source/*'
        ;;
    *) dpkg-source --no-check -x "$cache/fetched/${package}_$upstream"-*.dsc "$cache/$folder" >>"$log" 2>&1 ||
        give_up "$package does not unpack, see $log" ;;
    esac
done <<<"$pins"
rm -rf "$cache"/{apt,fetched} "$cache"/*.orig.tar.*
printf '%s' "$pins" >"$cache/complete"
say "they are in .cache/boards"
