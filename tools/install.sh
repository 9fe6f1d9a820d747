#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build below DESTDIR, and removes it again: exactly the files that were installed, and the folders that the
# installation made, if nothing else stands in them. BUILD/installed-ID lists them for each DESTDIR.
# usage: tools/install.sh install|uninstall BUILD DESTDIR
set -eu

what=$1 build=$2 destination=${3%/}
list=$build/installed-$(printf '%s' "$destination" | sha256sum | cut -c1-12)

case $what in
install)
    # A trial in an empty place says which folders are new in the real one.
    trial=$(mktemp -d)
    trap 'rm -rf "$trial"' EXIT
    DESTDIR=$trial cmake --install "$build" >/dev/null
    made=$(cd "$trial" && find . -mindepth 1 -type d | cut -c2- | while IFS= read -r folder; do
        [ -d "$destination$folder" ] || printf 'd %s\n' "$destination$folder"
    done)
    # Folders of an earlier installation are still ours.
    if [ -e "$list" ]; then made=$(printf '%s\n' "$made" "$(grep '^d ' "$list" || true)" | sort -u); fi
    DESTDIR=$destination cmake --install "$build"
    { (cd "$trial" && find . ! -type d | cut -c2-) | sed "s|^|f $destination|"; printf '%s\n' "$made"; } | grep . >"$list"
    ;;
uninstall)
    if [ ! -e "$list" ]; then
        echo "nothing was installed from here${destination:+ below $destination}; give the DESTDIR of the installation" >&2
        exit 1
    fi
    sed -n 's/^f //p' "$list" | tr '\n' '\0' | xargs -0 rm -fv --
    sed -n 's/^d //p' "$list" | sort -r | while IFS= read -r folder; do
        rmdir --ignore-fail-on-non-empty "$folder" 2>/dev/null || true
    done
    rm "$list"
    ;;
*)
    echo "usage: $0 install|uninstall BUILD DESTDIR" >&2
    exit 2
    ;;
esac
