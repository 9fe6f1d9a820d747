#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a goal needs on Debian 12 or 13, by package name; silent and quick
# when everything is there. usage: tools/setup.sh build|test|lint|fuzz|coverage|bench|boards|boards-demo|boards-test|debian13|ccache|foreign
set -eu
cd "$(dirname "$0")/.."

# PACKAGE, or PACKAGE:COMMAND when the command counts wherever it comes from. A|B is the first that this release has.
build="gcc:gcc make:make cmake:cmake pkg-config:pkg-config libssl-dev libmbedtls-dev libpcap-dev libinih-dev libpng-dev libqrencode-dev libcurl4-openssl-dev libsqlite3-dev libargon2-dev libp11-kit-dev"
test="g++:c++ openssl:openssl libcmocka-dev zlib1g-dev valgrind:valgrind libcoap3-bin:coap-client-notls tshark:tshark nodejs:node
      python3:python3 iproute2:ip spin:spin softhsm2:softhsm2-util zbar-tools:zbarimg"
lint="libcmocka-dev zlib1g-dev clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck python3:python3"
fuzz="clang:clang libclang-rt-dev llvm:llvm-symbolizer"
bench="libcoap3-bin:coap-client-notls libcoap3-dev"
boards="gcc-riscv64-unknown-elf:riscv64-unknown-elf-gcc picolibc-riscv64-unknown-elf
        qemu-system-riscv|qemu-system-misc:qemu-system-riscv32
        gcc-arm-none-eabi:arm-none-eabi-gcc picolibc-arm-none-eabi qemu-system-arm:qemu-system-arm
        make:make cmake:cmake python3:python3 dpkg-dev:dpkg-source xz-utils:xz"
debian13="mmdebstrap:mmdebstrap uidmap:newuidmap git:git"
ccache="ccache:ccache"
[ "${LARCH_NO_NPM:-0}" = 1 ] || test="$test npm:npm"

foreign="make:make cmake:cmake pkg-config:pkg-config python3:python3 qemu-user:qemu-s390x
         gcc-aarch64-linux-gnu:aarch64-linux-gnu-gcc gcc-s390x-linux-gnu:s390x-linux-gnu-gcc"

goal=${1:-}
case $goal in
build) wanted=$build ;;
test) wanted="$build $test $boards" ;;
lint) wanted="$build $lint" ;;
fuzz) wanted="$build $fuzz" ;;
coverage) wanted="$build $test lcov:lcov" ;;
bench) wanted="$build $bench" ;;
boards) wanted="$boards" ;;
boards-demo) wanted="$build $boards" ;;
boards-test) wanted="$build $test $boards" ;;
debian13) wanted=$debian13 ;;
ccache) wanted=$ccache ;;
foreign) wanted=$foreign ;;
*)
    echo "usage: $0 build|test|lint|fuzz|coverage|bench|boards|boards-demo|boards-test|debian13|ccache|foreign" >&2
    exit 2
    ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }

# An rt library beside another clang than Debian's default serves as well.
has_library() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] && return
    [ "$1" = libclang-rt-dev ] && ls "$(clang -print-runtime-dir 2>/dev/null)"/libclang_rt.fuzzer* >/dev/null 2>&1
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

# Writes into "missing" the package that stands for each A|B.
choose_packages() {
    local i
    for i in "${!missing[@]}"; do
        [[ ${missing[i]} == *\|* ]] || continue
        if apt-cache show "${missing[i]%%|*}" >/dev/null 2>&1; then
            missing[i]=${missing[i]%%|*}
        else
            missing[i]=${missing[i]#*|}
        fi
    done
}

install_packages() {
    local run=("$@" env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    local log
    log=$(mktemp)
    if ! { "${run[@]}" update >"$log" 2>&1 && choose_packages && say "installing ${missing[*]}" &&
        "${run[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; }; then
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
        choose_packages
        say "some packages are missing and this user cannot install them. Run:"
        printf '\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' "${missing[*]}" >&2
        exit 1
    fi
fi

# Peers written for Node, pinned by their lock files.
case $goal in test | boards-test | coverage) ;; *) exit 0 ;; esac
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
    log=$(mktemp)
    if ! (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "npm ci failed in $folder; its last lines are above. LARCH_NO_NPM=1 goes on without these peers"
        exit 1
    fi
    rm -f "$log"
    mkdir -p "$folder/node_modules" # npm makes none if there is nothing to put in
    touch "$stamp"
done

# Peers of the OSCORE tests. Without them those tests are skipped.
if [ "${LARCH_NO_OSCORE_PEERS:-0}" = 1 ]; then
    say "LARCH_NO_OSCORE_PEERS=1: nothing is fetched for the OSCORE tests"
else
    tools/oscore_peers.sh || [ $? = 77 ]
fi
