#!/bin/sh
# Runs a command on a machine as OpenWhisk's playbook leaves it: Docker's bridge with the address that the environment names, /conf with
# the keys, a name server, and nothing of this
# machine's network, /run and /var/lib. To be run in namespaces of its own: unshare --net --mount.
# Arguments: a folder with what goes to /conf, a free folder, the command.

set -e
conf=$1
root=$2
shift 2

mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
for entry in /*; do
  name=$(basename "$entry")
  if [ -L "$entry" ]; then
    cp -P "$entry" "$root/$name"
  elif [ -d "$entry" ]; then
    mkdir -p "$root/$name"
    case $name in
    run) ;;
    etc) cp -a /etc/. "$root/etc" ;;
    *) mount --rbind "$entry" "$root/$name" ;;
    esac
  fi
done
mkdir -p "$root/conf" "$root/old"
cp "$conf"/* "$root/conf/"
mount -t tmpfs tmpfs "$root/var/lib"
rm "$root/etc/resolv.conf"
echo "nameserver 172.17.0.1" >"$root/etc/resolv.conf"
cd "$root"
pivot_root . old
umount -l /old

ip link set lo up
ip link add docker0 type bridge
ip address add 172.17.0.1/16 dev docker0
ip link set docker0 up
sysctl -qw net.ipv4.ip_forward=1
exec "$@"
