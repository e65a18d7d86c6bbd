#!/bin/sh
# Runs a set of tests and ends with one line that counts them all: N passed, N failed, N skipped.
#
#   test.sh test [FILTER] | check | nightly | smoke | wire [FILES]
#
# Each runner leaves "passed failed skipped" in artifacts/test-results/<name>.count. A runner that ends
# badly without a failure in that file has crashed, and counts as one failure.
set -eu
cd "$(dirname "$0")/.."
results=artifacts/test-results
PATH="$PWD/artifacts/nodejs/bin:$PATH" # there when the system's Node.js is too old for the official client
rm -rf "$results"
mkdir -p "$results"

run() { # run <name> <command…>
    name=$1
    shift
    echo "== $name"
    code=0
    "$@" || code=$?
    if [ $code != 0 ] && ! awk '{ exit $2 > 0 ? 0 : 1 }' "$results/$name.count" 2>/dev/null; then
        echo "$name ended with exit code $code"
        echo "0 1 0" >"$results/$name-crash.count"
    fi
}

# The xunit executables print one summary line each; names of failed tests become commands.
xunit() { # xunit <assembly> <filter>
    log="$results/$1.log"
    set -- "$1" "artifacts/bin/$1/release/$1" "$2"
    code=0
    if [ -n "$3" ]; then
        "$2" -noLogo -noColor -filter "/*/*$3*" -filter "/*/*/*$3*" -filter "/*/*/*/*$3*" >"$log" 2>&1 || code=$?
    else
        "$2" -noLogo -noColor >"$log" 2>&1 || code=$?
    fi
    sed '/Discovering: \|Discovered: \|Starting: \|Finished: /d' "$log"
    sed -n 's/^ *\([^ ].*\) \[FAIL\]$/\1/p' "$log" | sed 's/(.*//; s/.*\.//' | sort -u | sed 's/^/alone: make test FILTER=/'
    sed -n 's/.*Total: \([0-9]*\), Errors: \([0-9]*\), Failed: \([0-9]*\), Skipped: \([0-9]*\).*/\1 \2 \3 \4/p' "$log" \
        | awk '{ print $1 - $3 - $4, $2 + $3, $4 }' | tail -1 >"$results/$1.count"
    [ -s "$results/$1.count" ] || rm "$results/$1.count"
    return $code
}

official_client() {
    (cd tests/Wire.Tests && if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
        npm ci --silent
    fi)
}

smoke() { official_client && node tests/Wire.Tests/smoke.js; }
wire() { official_client && node tests/Wire.Tests/run.js "$@"; }

fuzz() { # fuzz <inputs per parser>
    log="$results/fuzz.log"
    code=0
    artifacts/bin/Aerie.Fuzz/release/Aerie.Fuzz all --inputs "$1" --seed "${SEED:-1}" >"$log" 2>&1 || code=$?
    cat "$log"
    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2 0/p' "$log" | tail -1 >"$results/fuzz.count"
    [ -s "$results/fuzz.count" ] || rm "$results/fuzz.count"
    return $code
}

soak() { # soak <verb> [options]: a node process under load; see tests/Soak
    name="soak-$1"
    [ "$1" != crash ] || name="soak-$1-$3"
    log="$results/$name.log"
    code=0
    artifacts/bin/Aerie.Soak/release/Aerie.Soak "$@" >"$log" 2>&1 || code=$?
    cat "$log"
    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2 0/p' "$log" | tail -1 >"$results/$name.count"
    [ -s "$results/$name.count" ] || rm "$results/$name.count"
    return $code
}

formatting() {
    log="$results/formatting.log"
    if dotnet format Aerie.slnx --verify-no-changes --no-restore >"$log" 2>&1; then
        echo "1 0 0" >"$results/formatting.count"
    else
        head -40 "$log"
        echo "alone: dotnet format Aerie.slnx --verify-no-changes; make format mends it"
        echo "0 1 0" >"$results/formatting.count"
    fi
}

crash() { # crash <kills>: in both modes
    run soak-crash-commit soak crash --mode commit --kills "$1"
    run soak-crash-buffered soak crash --mode buffered --kills "$1"
}

default_set() {
    run Aerie.Node.Tests xunit Aerie.Node.Tests ""
    run fuzz fuzz "$1"
    run smoke smoke
    run wire wire --set "$2"
}

case "$1" in
    test)
        if [ -n "${2:-}" ]; then
            run Aerie.Node.Tests xunit Aerie.Node.Tests "$2"
        else
            default_set 100000 core
            crash 3
        fi
        ;;
    check) default_set 1000000 all; run soak-mixed soak mixed --minutes 1; run soak-idle soak idle; crash 5; run formatting formatting ;;
    nightly)
        export AERIE_CRASH_SEEDS=5000
        default_set 10000000 all
        crash 300
        run soak-mixed soak mixed
        run soak-idle soak idle
        run soak-memory soak memory
        run soak-steady soak steady
        run soak-restart soak restart
        run formatting formatting
        ;;
    smoke) run smoke smoke ;;
    wire) if [ -n "${2:-}" ]; then run wire wire --files "$2"; else run wire wire --set all; fi ;;
    *) echo "test.sh: unknown set $1" >&2; exit 2 ;;
esac

cat "$results"/*.count | awk '
    { passed += $1; failed += $2; skipped += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 || passed == 0 }'
