#!/bin/sh
# Removes the releases that no invoker of this machine is started from, and with the last invoker all that is left of the rest.
# Arguments: rewhisk_folder; then, to go with the last invoker, rewhisk_images_folder and rewhisk_spool_folder, each if nothing but
# images that nobody uses is in it.

# As invokers do, who hold what they use: ownNames in pool/lean/image-store.ts, moveUnheld in pool/hold.ts.
remove_unheld() (
  exec 9<"$1" && flock -xn 9 && [ /proc/self/fd/9 -ef "$1" ] || exit
  old=${1%/*}/.old-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  mv -T "$1" "$old" && rm -rf "$old"
)

remove_images() {
  for image in "$1"/* "$1"/.new-* "$1"/.old-*; do
    [ -d "$image" ] && [ ! -L "$image" ] || continue
    echo "${image##*/}" | grep -qxE '[0-9a-f]{64}-[0-9]+|\.(new|old)-[0-9a-f]{16}' && remove_unheld "$image"
  done
}

cd "$1" 2>/dev/null || exit 0
for release in releases/*; do
  [ -e "$release" ] || continue
  grep -qsF "/$release/" invokers/*/run invokers/*/started && continue
  rm -rf "$release" && echo "removed $release"
done
rmdir invokers releases 2>/dev/null
if rmdir "$1" 2>/dev/null; then
  echo "removed $1"
  [ -z "$2" ] || remove_images "$2"
  [ -z "$2" ] || rmdir "$2" 2>/dev/null
  [ -z "$3" ] || rmdir "$3" 2>/dev/null
fi
exit 0
