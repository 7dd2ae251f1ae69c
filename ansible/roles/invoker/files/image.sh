#!/bin/sh
# Prints the id of the image that the invoker is to run in, after `pulled` where it was not on this host: image SOCKET IMAGE [look]
# With `look` nothing is pulled, and nothing printed of an image that is not there.

socket=$1 image=$2

docker() { command docker -H "unix://$socket" "$@"; }
identify() { docker image inspect --format '{{.Id}}' "$image" 2>/dev/null; }

identify && exit 0
[ "$3" != look ] || exit 0
if ! said=$(docker pull "$image" 2>&1); then
  echo "Missing: the image $image, which cannot be pulled either ($said). Remedy: push it to a registry and name it with that in rewhisk_image, or load it into this host's Docker; \`npm run image\` builds it." >&2
  exit 1
fi
echo pulled
identify
