#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Peers for the OSCORE tests, which Debian 12 lacks: Debian 13's libcoap 4.3.4 and aiocoap 0.4.14. Fetched through apt from
# this machine's own mirror (24 MB), checked by Debian's archive keys, unpacked in .cache/, run with the libc they came
# with; nothing is installed. Leaves coap-client, coap-server and python3 in .cache/trixie-oscore. Silent and quick when
# they are there; ends with 77 and a reason where they are not to be had. usage: tools/oscore_peers.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/debian_mirror.sh

cache=$PWD/.cache/trixie-oscore
packages=(libcoap3-bin python3-minimal python3-aiocoap python3-cbor2 python3-cryptography python3-filelock)

[ -e "$cache/complete" ] || echo "OSCORE peers: fetching libcoap and aiocoap from Debian 13 (24 MB)" >&2
if ! why=$(debian_folder "$cache" trixie "$(dpkg --print-architecture)" "${packages[@]}"); then
    echo "skipped: OSCORE peers: $why"
    exit 77
fi

# The host's OpenSSL configuration and Python packages are not for these. aiocoap imports lakers, an EDHOC that Debian
# lacks, and finds a placeholder. The first run compiles, others start three times as fast.
programs=$cache/root/usr/bin
debian_wrapper "$cache" "$cache/coap-client" "$programs/coap-client-openssl" OPENSSL_CONF=/dev/null
debian_wrapper "$cache" "$cache/coap-server" "$programs/coap-server-openssl" OPENSSL_CONF=/dev/null
debian_wrapper "$cache" "$cache/python3" "$(echo "$programs"/python3.[0-9]*[0-9])" OPENSSL_CONF=/dev/null \
    PYTHONHOME="$cache/root/usr" PYTHONPATH="$PWD/tests/interop/oscore/placeholder" PYTHONNOUSERSITE=1 \
    PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$cache/pycache"
