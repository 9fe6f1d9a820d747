#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Man pages from the program's own --help: one for it, one for each command.
# usage: tools/man.sh PROGRAM FOLDER
set -eu

program=$(realpath "$1")
folder=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$folder"
rm -f "$folder"/larch*.1

version=$("$program" --version | awk 'NR == 1 { print $NF }')
page() { # NAME DESCRIPTION ARGUMENT...: the page of "larch ARGUMENT..."
    local name=$1 text=$2
    shift 2
    # help2man takes the page's name from the program's: each command gets one.
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$program" "$*" >"$scratch/$name"
    chmod +x "$scratch/$name"
    help2man --no-info --no-discard-stderr --section=1 --name="$text" --version-string="$version" \
        --manual="larch" --source="larch $version" --output="$folder/$name.1" "$scratch/$name"
}

page larch "post-quantum secure CoAP"
# The list of commands: a line each, "  NAME ARGUMENTS  TEXT", up to the empty line.
"$program" --help | awk -F '  +' '
    /^$/ { listed = 0 }
    listed && /^  ? ? ?[a-z]/ { split($2, words, " "); print words[1] "\t" ($3 != "" ? $3 : "a command of larch") }
    /^[Cc]ommands/ { listed = 1 }' |
    while IFS=$'\t' read -r command text; do
        page "larch-$command" "$text" "$command" </dev/null
    done
ls "$folder"
