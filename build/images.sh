#!/bin/sh
# Builds aerie-node with buildah on a base image made on this machine, and shows that the result starts.
#
#   IMAGE=registry/name:tag  what to call it (default localhost/aerie-node)
#   ARCHIVE=file             also writes it as a docker archive, for machines without a registry
set -eu
cd "$(dirname "$0")/.."
image=${IMAGE:-localhost/aerie-node}

# Works without a daemon, a registry, overlay mounts or user namespaces: in a container as well.
export BUILDAH="${BUILDAH:-buildah --storage-driver vfs}"
export BUILDAH_ISOLATION=chroot

build/base-image.sh localhost/aerie-base
$BUILDAH build -q --format docker --pull-never --layers=false -f Dockerfile.node -t "$image" artifacts/publish >/dev/null

container=$($BUILDAH from --pull-never "$image")
trap '$BUILDAH rm "$container" >/dev/null' EXIT
echo "$image: $($BUILDAH run --user 1000:1000 "$container" -- /opt/aerie/aerie-node --version)"

if [ -n "${ARCHIVE:-}" ]; then
    $BUILDAH push -q "$image" "docker-archive:$ARCHIVE:$image"
    echo "$ARCHIVE: $(du -h "$ARCHIVE" | cut -f1)"
fi
