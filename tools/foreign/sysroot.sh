#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Another architecture's C library, and the libraries that larch needs, of this machine's own Debian release: fetched
# through apt, checked by Debian's archive keys, unpacked in .cache/foreign; nothing is installed. Prints the folder; ends
# with 77 and a reason if the mirror does not serve them. usage: tools/foreign/sysroot.sh arm64|s390x
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/debian_mirror.sh

architecture=$1
libraries=(libc6-dev libmbedtls-dev libssl-dev libpcap0.8-dev libinih-dev libpng-dev libsqlite3-dev libargon2-dev libp11-kit-dev zlib1g-dev libcmocka-dev)
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
cache=$PWD/.cache/foreign/$suite-$architecture

[ -e "$cache/complete" ] || echo "$architecture: fetching libraries of ${suite:-Debian}" >&2
if ! why=$(debian_folder "$cache" "$suite" "$architecture" "${libraries[@]}"); then
    echo "skipped: $architecture: $why"
    exit 77
fi
echo "$cache/root"
