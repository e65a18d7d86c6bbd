#!/bin/sh
# Compiles the solution once, publishes the two programs from it and leaves their launchers in bin/.
set -eu
cd "$(dirname "$0")/.."
configuration=$1

dotnet build Aerie.slnx -c "$configuration" -v q -nologo -clp:ErrorsOnly
mkdir -p bin
publish() { # publish <project folder> <program>
    dotnet publish "$1" -c "$configuration" --no-build -v q -nologo -o "artifacts/publish/$2"
    cp build/launcher.sh "bin/$2"
    chmod 755 "bin/$2"
}
publish node/Server aerie-node
publish tools aerie
