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

# The xunit executable prints one summary line; names of failed tests become commands.
xunit() { # xunit <name> <filter>
    log="$results/$1.log"
    tests=artifacts/bin/Aerie.Node.Tests/release/Aerie.Node.Tests
    code=0
    if [ -n "$2" ]; then
        "$tests" -noLogo -noColor -filter "/*/*$2*" -filter "/*/*/*$2*" -filter "/*/*/*/*$2*" >"$log" 2>&1 || code=$?
    else
        "$tests" -noLogo -noColor >"$log" 2>&1 || code=$?
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

fuzz() { # fuzz <name> <parser or all> <inputs per parser>
    log="$results/$1.log"
    code=0
    artifacts/bin/Aerie.Fuzz/release/Aerie.Fuzz "$2" --inputs "$3" --seed "${SEED:-1}" >"$log" 2>&1 || code=$?
    cat "$log"
    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2 0/p' "$log" | tail -1 >"$results/$1.count"
    [ -s "$results/$1.count" ] || rm "$results/$1.count"
    return $code
}

# Each parser by itself: a crash ends one of them, not those behind it. What clients' values and calls are made of gets twice as much.
fuzz_long() {
    for target in $(artifacts/bin/Aerie.Fuzz/release/Aerie.Fuzz targets); do
        case $target in
            bits | cdt | expressions | geo | hll | packed | udf) inputs=20000000 ;;
            *) inputs=10000000 ;;
        esac
        run "fuzz-$target" fuzz "fuzz-$target" "$target" "$inputs"
    done
}

# What the default set does with few random sequences and errors, with many.
models_long() {
    export AERIE_MODEL_SEQUENCES=1000000 AERIE_LUA_ERRORS=10000000
    run models xunit models ModelTests
    run lua-errors xunit lua-errors CollectionTests
    unset AERIE_MODEL_SEQUENCES AERIE_LUA_ERRORS
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

default_set() { # default_set <set of the official suite>
    run Aerie.Node.Tests xunit Aerie.Node.Tests ""
    run smoke smoke
    run wire wire --set "$1"
}

case "$1" in
    test)
        if [ -n "${2:-}" ]; then
            run Aerie.Node.Tests xunit Aerie.Node.Tests "$2"
        else
            default_set core
            run fuzz fuzz fuzz all 100000
            crash 3
        fi
        ;;
    check)
        default_set all
        run fuzz fuzz fuzz all 1000000
        run soak-mixed soak mixed --minutes 1
        run soak-udf soak udf --minutes 1
        run soak-idle soak idle
        crash 5
        run formatting formatting
        ;;
    nightly)
        export AERIE_CRASH_SEEDS=5000
        default_set all
        models_long
        fuzz_long
        crash 300
        run soak-mixed soak mixed
        run soak-udf soak udf --errors 10000000
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
