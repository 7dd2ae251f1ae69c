#!/bin/sh
# Removes the releases that no invoker of this machine is started from, and with the last invoker all that is left of the rest.
# Arguments: rewhisk_folder, then further folders that go with the last invoker if they are empty, or hold images alone.

cd "$1" 2>/dev/null || exit 0
for release in releases/*; do
  [ -e "$release" ] || continue
  grep -qsF "/$release/" invokers/*/run invokers/*/started && continue
  rm -rf "$release" && echo "removed $release"
done
rmdir invokers releases 2>/dev/null
if rmdir "$1" 2>/dev/null; then
  echo "removed $1"
  [ -z "$2" ] || rm -rf "$2"
  [ -z "$3" ] || rmdir "$3" 2>/dev/null
fi
exit 0
