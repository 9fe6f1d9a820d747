#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build into a temporary place and uses it as a stranger would:
# through CMake, through pkg-config, and each header alone in C and C++.
# usage: install_test.sh BUILD PREFIX
set -eu

build=$1 prefix=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cc=${CC:-cc}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
fail() { echo "install: $*" >&2; exit 1; }

DESTDIR=$stage/dest cmake --install "$build" >"$stage/log" || { cat "$stage/log"; fail "cmake --install failed"; }
# Nothing may depend on where it was built for: the tree is used at another place.
installed=$stage/moved
mv "$stage/dest$prefix" "$installed"
include=$installed/include

echo "== what is installed"
(cd "$installed" && find . -type f | sort)
cmp <(cd "$root/include/larch" && ls ./*.h) <(cd "$include/larch" && ls ./*.h) || fail "the headers differ from include/larch"
[ -z "$(find "$installed" -name 'pq.h' -o -name '*_int.h')" ] || fail "an internal header is installed"
[ ! -e "$installed/bin/larch" ] || [ -e "$installed/share/larch/wireshark/larch.lua" ] || fail "the dissector is missing"
if [ -e "$installed/bin/larch" ]; then
    for page in man1/larch.1 man1/larch-gateway.1 man5/gateway.ini.5; do
        [ -s "$installed/share/man/$page" ] || fail "$page is missing"
    done
    [ -s "$installed/share/bash-completion/completions/larch" ] || fail "the completion is missing"
fi
! grep -rnE "$build|$root|$stage|libmbedcrypto" --include='*.cmake' --include='*.pc' --include='*.h' "$installed" ||
    fail "a path of this machine is installed"

echo "== install and uninstall"
mkdir -p "$stage/real/usr/local/bin"
for way in "$stage/staged" "$stage/real"; do
    "$root/tools/install.sh" install "$build" "$way" >/dev/null
done
"$root/tools/install.sh" uninstall "$build" "$stage/staged" >/dev/null
[ ! -e "$stage/staged/usr" ] || fail "uninstall leaves folders that install made"
[ -e "$stage/real$prefix/include/larch/server.h" ] || fail "uninstall of one DESTDIR removes another installation"
touch "$stage/real$prefix/include/larch/mine.h"
"$root/tools/install.sh" uninstall "$build" "$stage/real" >/dev/null
[ -e "$stage/real$prefix/include/larch/mine.h" ] || fail "uninstall removes what it did not install"
[ -d "$stage/real/usr/local/bin" ] || fail "uninstall removes a folder that was there before"
! "$root/tools/install.sh" uninstall "$build" "$stage/real" 2>/dev/null || fail "uninstall twice"

echo "== each header alone"
for header in "$include"/larch/*.h; do
    name=larch/$(basename "$header")
    printf '#include "%s"\n#include "%s"\nextern int alone;\n' "$name" "$name" >"$stage/alone.c"
    cp "$stage/alone.c" "$stage/alone.cc"
    "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only "$stage/alone.c" || fail "$name in C"
    if command -v c++ >/dev/null; then
        c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only "$stage/alone.cc" || fail "$name in C++"
    else
        echo "left out: $name in C++, no compiler" >&2
    fi
done

# Until the crypto room is in the library there are no algorithms to list.
defines=()
archive=$(find "$installed" -name liblarch.a)
if nm "$archive" 2>/dev/null | grep -q ' T larch_kem_find$'; then
    defines=(-DWITH_KEM)
fi

echo "== find_package(larch)"
MAKEFLAGS='' cmake -S "$here/consumer" -B "$stage/by-cmake" -DCMAKE_PREFIX_PATH="$installed" \
    -DCMAKE_C_FLAGS="${defines[*]}" >"$stage/log" 2>&1 || { cat "$stage/log"; fail "find_package"; }
MAKEFLAGS='' cmake --build "$stage/by-cmake" >"$stage/log" 2>&1 || { cat "$stage/log"; fail "build through CMake"; }
"$stage/by-cmake/consumer" || fail "the program built through CMake"

echo "== pkg-config"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$installed" -name larch.pc)")
read -ra flags <<<"$(pkg-config --static --cflags --libs larch)"
"$cc" -std=c11 "${defines[@]}" "$here/consumer/main.c" "${flags[@]}" -o "$stage/by-pkg-config" || fail "build by pkg-config"
"$stage/by-pkg-config" || fail "the program built by pkg-config"
pkg-config --validate larch

echo "installed as it should be"
