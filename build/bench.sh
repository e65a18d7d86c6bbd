#!/bin/sh
# Compiles the floor, a C server with the same socket work and no database, and measures the node beside it: in memory, and
# on a file in artifacts (about 7 GB while it runs), where the floor waits for its device. Then measures what a node computes in
# records beside plain requests to it.
# Prints the table and writes artifacts/bench.json. Arguments go to `aerie bench suite`.
set -eu
cd "$(dirname "$0")/.."
mkdir -p artifacts
[ artifacts/floor -nt tests/Floor/floor.c ] || gcc -O2 -pthread -o artifacts/floor tests/Floor/floor.c
exec bin/aerie bench suite --node-bin bin/aerie-node --floor artifacts/floor --out artifacts "$@"
