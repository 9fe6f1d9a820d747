#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a root folder, as root of a mount namespace that its caller made.
# usage: tools/debian13/enter.sh ROOT COMMAND [ARGUMENT...]
set -euo pipefail

root=$1
shift
for system in dev sys; do
    mount --rbind /$system "$root/$system"
done
mount -t proc proc "$root/proc"
cp --remove-destination --dereference /etc/resolv.conf "$root/etc/resolv.conf"

# Of the caller's environment nothing goes in but how to reach the mirror.
proxy=()
for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxy+=("$name=${!name}")
done
exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    "${proxy[@]}" "$@"
