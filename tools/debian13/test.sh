#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests this checkout, with its uncommitted changes, on Debian 13: in a folder that holds that release, which apt fills
# from this machine's own mirror. The folder stays for the next run; LARCH_DEBIAN13 names another place for it. Needs root
# or user namespaces; ends with 77 and a reason where Debian 13 is not to be had.
#   full     everything that "make test" runs, and both demonstrations
#   short    what is most likely to differ, in a few minutes
# usage: tools/debian13/test.sh full|short
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/debian_mirror.sh

run=${1:-full}
[[ $run =~ ^(full|short)$ ]] || {
    echo "usage: $0 full|short" >&2
    exit 2
}

suite=trixie
folder=${LARCH_DEBIAN13:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/larch/debian13}
root=$folder/root
space_mb=7000 # the folder's size, with what a run builds

say() { printf 'debian13: %s\n' "$*" >&2; }
skip() {
    echo "skipped: debian13: $*"
    exit 77
}

# Runs a command as root of namespaces of its own: mounts end with it, and so do processes that it leaves behind.
as_root() { mmdebstrap --unshare-helper "$@"; }
inside() { as_root tools/debian13/enter.sh "$root" "$@"; }

# ---- what it needs ----------------------------------------------------------

if lacks=$(debian_lacks); then
    skip "$lacks"
fi
tools/setup.sh debian13 || skip "tools/setup.sh debian13 could not install what makes the folder"
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "this is no checkout of git"
as_root true >/dev/null 2>&1 || skip "this user is not root and has no user namespaces (subuid, subgid)"

mkdir -p "$folder"
exec 8>"$folder/lock"
flock -n 8 || { say "waiting for another run to leave $folder" && flock 8; }

# ---- the folder -------------------------------------------------------------

if [ ! -e "$folder/complete" ]; then
    free_mb=$(df --output=avail -BM "$folder" | tr -dc '0-9')
    [ "$free_mb" -ge $space_mb ] || skip "$folder has $free_mb MB left of the $space_mb MB that this takes"
    [ ! -e "$root" ] || as_root rm -rf "$root"
    say "making $root"
    # A failure leaves no folder that looks complete.
    mmdebstrap --mode=unshare --variant=minbase $suite "$root" \
        "deb [signed-by=$debian_keyring] $(debian_mirror) $suite main" 2>"$folder/log" || {
        tail -n 5 "$folder/log" >&2
        skip "Debian 13 is out of reach"
    }
    touch "$folder/complete"
fi

# ---- the checkout -----------------------------------------------------------

# Files of git, and the ones that it does not ignore; beside them what was fetched already.
list_files() {
    git ls-files -z --cached --others --exclude-standard
    find .cache/boards .cache/trixie-oscore tests/interop/*/node_modules ! -type d -print0 2>/dev/null || true
}
say "copying the checkout"
list_files | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --null --no-recursion -cf - -T - |
    inside sh -c 'rm -rf /srv/larch && mkdir /srv/larch && exec tar --no-same-owner -C /srv/larch -xf -'

# Its status would be a number that mmdebstrap makes up.
inside env "LARCH_NO_NPM=${LARCH_NO_NPM:-1}" "JOBS=${JOBS:-$(nproc)}" /srv/larch/tools/debian13/inside.sh "$run" || exit 1
