#!/bin/sh
# Unpacks a package into a release's folder, wholly or not at all, if it can be run here: unpack PACKAGE RELEASE

package=$1 release=$2
part=$package.part
trap 'rm -rf "$part" "$package"' EXIT
set -e
rm -rf "$part"
mkdir "$part"
tar -xzf "$package" -C "$part" --strip-components=1 --no-same-owner
if unfit=$(ldd "$part"/build/native/* 2>&1 | grep 'not found'); then
  echo "It was built for a newer system than this host's, pack it on one as old: $unfit" >&2
  exit 1
fi
# Another invoker of this host may have been faster.
mv -T "$part" "$release" 2>/dev/null || [ -d "$release" ]
