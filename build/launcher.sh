#!/bin/sh
# Starts the published program of the same name; works through symbolic links and from any folder.
self=$(readlink -f "$0")
name=$(basename "$self")
program=$(dirname "$self")/../artifacts/publish/$name/$name.dll
if [ ! -f "$program" ]; then
    echo "$name is not built yet: run 'make build'" >&2
    exit 1
fi
exec dotnet "$program" "$@"
