#!/bin/sh
# Makes the image aerie-base from files of this machine: the .NET runtime that the SDK brought, and the C libraries it
# loads. No shell, no package manager, no registry: what is not in the image cannot be attacked or go out of date.
set -eu
cd "$(dirname "$0")/.."
base=artifacts/images/base
image=${1:-localhost/aerie-base}

rm -rf "$base"
mkdir -p "$base/etc/ssl" "$base/tmp" "$base/usr/lib" "$base/usr/lib64" "$base/usr/share/dotnet" "$base/var/lib/aerie" "$base/proc"
ln -s usr/lib "$base/lib"
ln -s usr/lib64 "$base/lib64"
chmod 1777 "$base/tmp"
chown 1000:1000 "$base/var/lib/aerie" 2>/dev/null || true
printf 'root:x:0:0::/:/nonexistent\naerie:x:1000:1000::/var/lib/aerie:/nonexistent\n' >"$base/etc/passwd"
printf 'root:x:0:\naerie:x:1000:\n' >"$base/etc/group"
printf 'hosts: files dns\n' >"$base/etc/nsswitch.conf"
[ ! -d /etc/ssl/certs ] || cp -rL /etc/ssl/certs "$base/etc/ssl/"

# The runtime: the newest of the release that global.json names, without the SDK.
dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
release=$(sed -n 's/.*"version": "\([0-9]*\.[0-9]*\)\..*/\1/p' global.json)
newest() { ls "$1" | grep "^$release\." | sort -V | tail -1; }
copy_runtime() { # copy_runtime <folder below the .NET root>
    version=$(newest "$dotnet_root/$1")
    mkdir -p "$base/usr/share/dotnet/$1"
    cp -r "$dotnet_root/$1/$version" "$base/usr/share/dotnet/$1/"
}
cp "$dotnet_root/dotnet" "$base/usr/share/dotnet/"
copy_runtime host/fxr
copy_runtime shared/Microsoft.NETCore.App
copy_runtime shared/Microsoft.AspNetCore.App

# Libraries: everything that the runtime links to, and what it or the node opens by name
# (TLS, name lookup, compression).
linked() {
    find "$base/usr/share/dotnet" -name '*.so' -o -name dotnet | xargs ldd 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u
}
by_name='libssl\.so\.3|libcrypto\.so\.3|libnss_(dns|files)\.so\.2|libresolv\.so\.2|liblz4\.so\.1|libsnappy\.so\.1|libzstd\.so\.1'
opened() { ldconfig -p | sed -n 's/.*=> //p' | grep -E "/($by_name)\$"; }
for file in $(linked) $(opened); do
    case "$file" in *liblttng*|*/dotnet/*) continue ;; esac # tracing for developers; the runtime's own are there
    target="$base/usr/lib/x86_64-linux-gnu/$(basename "$file")"
    mkdir -p "$(dirname "$target")"
    [ -e "$target" ] || cp -L "$file" "$target"
done
loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
cp "$loader" "$base/usr/lib64/ld-linux-x86-64.so.2"

container=$($BUILDAH from scratch)
$BUILDAH copy -q "$container" "$base" / >/dev/null
$BUILDAH commit -q --format docker --rm "$container" "$image" >/dev/null
echo "$image: $(du -sh "$base" | cut -f1)"
