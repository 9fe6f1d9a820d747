# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that fetch from a Debian suite that this machine does not run: its own mirror serves all of them,
# and Debian's archive keys check what arrives. No host name stands in this repository.
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints why this machine cannot fetch from another Debian suite; silent and 1 if it can.
debian_lacks() {
    if [ "$(. /etc/os-release && echo "${ID:-}")" != debian ] || [ ! -e $debian_keyring ] || ! command -v apt-get >/dev/null; then
        echo "this is no Debian"
    elif [ -z "$(debian_mirror)" ]; then
        echo "no Debian mirror is configured here"
    else
        return 1
    fi
}

# Prints the mirror of this machine's own release, or with a suffix of that suite: debian_mirror -security.
debian_mirror() { # [SUFFIX]
    local own
    own=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v suite="$own${1:-}" '$2 == suite && $3 == "main" { print $1; exit }'
}

# Sets the array apt to options for an apt whose lists, archives and sources all live in the folder. Nothing counts as
# installed there: a package takes its libc and all else along.
debian_private_apt() { # FOLDER
    mkdir -p "$1"/{lists/partial,archives/partial}
    : >"$1/status"
    apt=(-o "Dir::Etc::sourcelist=$1/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State=$1"
        -o "Dir::State::lists=$1/lists" -o "Dir::State::status=$1/status" -o "Dir::Cache=$1"
        -o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::http::Timeout=30)
}

# Fills FOLDER/root with packages of a suite and with all that they depend on; alone:PACKAGE is one that comes without
# them. Nothing is installed, and a call with the same words costs nothing. Prints why and returns 1 if they cannot be
# had; FOLDER.log says more.
debian_folder() { # FOLDER SUITE ARCHITECTURE PACKAGE|alone:PACKAGE...
    local folder=$1 suite=$2 architecture=$3 wanted="${*:2}" whole=() alone=() apt=() package link
    [ "$(cat "$folder/complete" 2>/dev/null)" != "$wanted" ] || return 0
    if debian_lacks; then
        return 1
    fi
    for package in "${@:4}"; do
        case $package in
        alone:*) alone+=("${package#alone:}") ;;
        *) whole+=("$package") ;;
        esac
    done
    rm -rf "$folder"
    debian_private_apt "$folder/apt"
    apt+=(-q=2 -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture")
    echo "deb [signed-by=$debian_keyring] $(debian_mirror) $suite main" >"$folder/apt/sources.list"
    if ! {
        apt-get "${apt[@]}" update --error-on=any &&
            apt-get "${apt[@]}" install -y --no-install-recommends --download-only "${whole[@]}" &&
            { [ ${#alone[@]} = 0 ] || (cd "$folder/apt/archives" && apt-get "${apt[@]}" download "${alone[@]}"); }
    } >"$folder.log" 2>&1; then
        echo "this machine's mirror does not serve $suite here ($(grep '^E: ' "$folder.log" | head -n 1))"
        rm -rf "$folder"
        return 1
    fi
    for package in "$folder"/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$folder/root" || return
    done
    # Links from the root lead out of the folder.
    find "$folder/root" -type l -lname '/*' | while read -r link; do
        ln -srf "$folder/root$(readlink "$link")" "$link"
    done
    rm -rf "$folder/apt" "$folder.log"
    echo "$wanted" >"$folder/complete"
}

# Writes a script that runs a program of FOLDER/root with the libraries and the loader that came with it.
debian_wrapper() { # FOLDER SCRIPT PROGRAM [NAME=VALUE...]
    local libraries loader
    libraries=$(dirname "$(find "$1/root/usr/lib" -name 'libc.so.6' | head -n 1)")
    loader=$(find "$libraries" "$1"/root/usr/lib* -maxdepth 1 -name 'ld-linux*.so*' | head -n 1)
    printf '#!/bin/sh\nexec env' >"$2"
    printf " '%s'" "${@:4}" "$loader" --library-path "$libraries" "$3" >>"$2"
    printf ' "$@"\n' >>"$2"
    chmod +x "$2"
}
