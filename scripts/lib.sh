# What scripts/serve, scripts/test and .ci/run share. Sourced by them, after `set -euo pipefail`.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

# Outside the checkout: a fresh clone finds what an earlier one has built. RocksDB alone takes a quarter of
# an hour on two cores.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/baudot
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

# What is going on, on standard error: standard output belongs to the programs.
say() { printf '== %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

have() { command -v "$1" > /dev/null 2>&1; }

# step NAME COMMAND...: runs it, and prints its name and how long it took. The first that fails ends the script.
# (Bash forgets `set -e` in a function whose status is looked at, so that is left to the trap.)
step() {
    STEP=$1
    shift
    local begun=$SECONDS
    say "$STEP"
    "$@"
    say "$STEP: $((SECONDS - begun)) s"
    STEP=
}

STEP=
trap '[ -z "$STEP" ] || say "$STEP: failed"' EXIT

# install_packages PACKAGE...: Debian packages, through sudo where needed.
install_packages() {
    have apt-get || die "please install what these Debian packages hold: $*"
    local as_root=()
    if ((EUID != 0)); then
        have sudo || die "please run as root: apt-get install $*"
        as_root=(sudo)
    fi
    say "installing $*"
    # Lists may be older than what the mirrors still hold, or missing altogether.
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

need_rust() {
    have cargo || die "please install Rust 1.95 or newer: https://rustup.rs"
    local version
    version=$(cargo --version | cut -d' ' -f2)
    if [ "$(printf '%s\n' 1.95.0 "$version" | sort -V | head -n1)" != 1.95.0 ]; then
        die "Rust 1.95 or newer is needed, this is $version: rustup update"
    fi
}

# libclang, and the headers that belong to it: the library's own package lacks those.
has_libclang() {
    local found
    found=$(find "${LIBCLANG_PATH:-/nonexistent}" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 \
        -maxdepth 1 -name 'libclang*.so*' -print -quit 2> /dev/null || true)
    [ -n "$found" ] || return
    found=$(find /usr/lib/llvm-*/lib/clang /usr/lib/clang /usr/lib64/clang \
        -name stddef.h -print -quit 2> /dev/null || true)
    [ -n "$found" ]
}

# need_native: what the crates with C and C++ in them need: compilers, and libclang to read RocksDB's header.
need_native() {
    local missing=()
    have cc || missing+=(gcc)
    have c++ || missing+=(g++)
    have make || missing+=(make)
    [ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
    has_libclang || missing+=(libclang-dev)
    if ((${#missing[@]})); then
        install_packages "${missing[@]}"
    fi
}

# need_python: Python with virtual environments.
need_python() {
    if ! have python3 || ! python3 -c 'import ensurepip, venv' 2> /dev/null; then
        install_packages python3 python3-venv
    fi
}

# need_cargo_tool BINARY CRATE: a cargo subcommand. Fails where it cannot be had.
need_cargo_tool() {
    have "$1" && return
    say "building $2 (once)"
    cargo install --locked "$2" >&2
}

# The one release build: the server, the tests that need a disk, clippy and the benches share its C++.
build_server() {
    cargo build --release --package server
}
