#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a goal needs on Debian 12, by package name; silent and quick
# when everything is there. usage: tools/setup.sh build|test|lint|fuzz|coverage|bench|man|boards
set -eu
cd "$(dirname "$0")/.."

# PACKAGE, or PACKAGE:COMMAND when the command counts wherever it comes from.
build="gcc:gcc make:make cmake:cmake pkg-config:pkg-config libmbedtls-dev libpcap-dev libinih-dev libpng-dev"
test="g++:c++ libcmocka-dev valgrind:valgrind libcoap3-bin:coap-client-notls tshark:tshark nodejs:node npm:npm
      python3:python3 iproute2:ip"
lint="libcmocka-dev clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck python3:python3"
fuzz="clang:clang libclang-rt-14-dev llvm:llvm-symbolizer"
bench="libcoap3-bin:coap-client-notls libcoap3-dev libssl-dev"
boards="gcc-riscv64-unknown-elf:riscv64-unknown-elf-gcc picolibc-riscv64-unknown-elf qemu-system-misc:qemu-system-riscv32
        gcc-arm-none-eabi:arm-none-eabi-gcc picolibc-arm-none-eabi qemu-system-arm:qemu-system-arm
        make:make cmake:cmake python3:python3 dpkg-dev:dpkg-source xz-utils:xz"

goal=${1:-}
case $goal in
build) wanted=$build ;;
test) wanted="$build $test $boards" ;;
lint) wanted="$build $lint" ;;
fuzz) wanted="$build $fuzz" ;;
coverage) wanted="$build $test lcov:lcov" ;;
bench) wanted="$build $bench" ;;
boards) wanted="$boards" ;;
man) wanted="$build help2man:help2man" ;;
*)
    echo "usage: $0 build|test|lint|fuzz|coverage|bench|man|boards" >&2
    exit 2
    ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }

# An rt library beside another clang than Debian's default serves as well.
has_library() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] && return
    [ "$1" = libclang-rt-14-dev ] && ls "$(clang -print-runtime-dir 2>/dev/null)"/libclang_rt.fuzzer* >/dev/null 2>&1
}

missing=()
for item in $wanted; do
    package=${item%%:*}
    if [ "$package" != "$item" ]; then
        command -v "${item##*:}" >/dev/null || missing+=("$package")
    elif command -v dpkg-query >/dev/null; then
        has_library "$package" || missing+=("$package")
    fi
done

install_packages() {
    local run=("$@" env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { "${run[@]}" update && "${run[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "apt-get failed; its last lines are above"
        exit 1
    fi
    rm -f "$log"
    say "installed"
}

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "missing, by Debian's names: ${missing[*]}"
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        install_packages
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        install_packages sudo -n
    else
        say "some packages are missing and this user cannot install them. Run:"
        printf '\n    sudo apt-get install --no-install-recommends %s\n\n' "${missing[*]}" >&2
        exit 1
    fi
fi

# Peers written for Node, pinned by their lock files.
[ "$goal" = test ] || [ "$goal" = coverage ] || exit 0
for lock in tests/interop/*/package-lock.json; do
    [ -e "$lock" ] || continue
    folder=$(dirname "$lock")
    stamp=$folder/node_modules/.larch-setup
    if [ -e "$stamp" ] && [ ! "$lock" -nt "$stamp" ]; then
        continue
    elif [ "${LARCH_NO_NPM:-0}" = 1 ]; then
        say "LARCH_NO_NPM=1: $folder stays without its npm packages"
        continue
    fi
    say "npm packages for $folder"
    if ! (cd "$folder" && npm ci --silent --no-audit --no-fund); then
        say "npm ci failed in $folder: is the npm registry reachable? LARCH_NO_NPM=1 goes on without"
        exit 1
    fi
    mkdir -p "$folder/node_modules" # npm makes none if there is nothing to put in
    touch "$stamp"
done
