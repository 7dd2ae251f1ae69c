#!/bin/sh
# Says what this machine lacks for an invoker, a line for each thing, with its remedy; prints nothing where nothing is missing.
# Arguments: Node's path (docker: that of an image is used), the invoker's port (0: not looked at), the megabytes that must be free,
# Docker's socket, whether it is needed (yes or no), and for tests the root of another machine's /proc and /sys.

node=$1 port=$2 memory_mb=$3 socket=$4 needs_docker=$5 root=$6

docker() { command docker -H "unix://$socket" "$@" 2>/dev/null; }
missing() { echo "Missing: $1. Remedy: $2."; }

platform=$(uname -sm)
[ "$platform" = "Linux x86_64" ] || missing "Linux on x86_64 (this is $platform)" "take another host"
[ "$(id -u)" = 0 ] || missing "the rights of root" "let Ansible become root"

release=$(cat "$root/proc/sys/kernel/osrelease")
major=${release%%.*} minor=${release#*.} minor=${minor%%[!0-9]*}
[ "$major" -gt 5 ] || { [ "$major" -eq 5 ] && [ "$minor" -ge 12 ]; } || missing "Linux 5.12 (this is $release)" "boot a newer kernel"
for name in pid mnt ipc uts net cgroup; do
  [ -e "$root/proc/self/ns/$name" ] || missing "namespaces of the kind $name" "boot a kernel with them"
done
[ -e "$root/proc/sys/kernel/seccomp/actions_avail" ] || missing "seccomp filters" "boot a kernel with CONFIG_SECCOMP_FILTER"

unified=$(awk '$3 == "cgroup2" { print $2; exit }' "$root/proc/mounts")
for controller in memory pids cpu; do
  awk -v name=$controller '$3 == "cgroup" && ("," $4 ",") ~ ("," name ",") { found = 1 } END { exit !found }' "$root/proc/mounts" ||
    { [ -n "$unified" ] && grep -qw $controller "$root$unified/cgroup.controllers"; } ||
    missing "the cgroup controller $controller" "boot without cgroup_disable=$controller and mount the cgroups"
done

# 1 and 2 let root through.
scope=$(cat "$root/proc/sys/kernel/yama/ptrace_scope" 2>/dev/null)
[ "$scope" != 3 ] || missing "ptrace (kernel.yama.ptrace_scope is 3)" "set it to 2 where sysctls are kept, and boot again"

# What the image has.
if [ "$node" != docker ]; then
  version=$("$node" --version 2>/dev/null)
  case $version in
  v20.1[0-8].* | v20.[0-9].* | v1[0-9].* | v[0-9].*) missing "Node 20.19 ($node is $version)" "install a newer one, or name it in rewhisk_node" ;;
  v[2-9][0-9].*) ;;
  *) missing "Node 20.19 ($node cannot be run)" "install it, or name it in rewhisk_node" ;;
  esac
  for program in flock setsid; do
    command -v $program >/dev/null || missing "the program $program" "install util-linux"
  done
fi

available_mb=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' "$root/proc/meminfo")
[ "$available_mb" -ge "$memory_mb" ] ||
  missing "memory ($available_mb MB are free, and $memory_mb MB wanted by what is to start here)" "lower invoker_user_memory (or user_memory of this host), or free some"

if [ "$port" != 0 ]; then
  listening=$(printf ':%04X [0-9A-F]*:0000 0A' "$port")
  grep -qh "$listening" "$root"/proc/net/tcp "$root"/proc/net/tcp6 2>/dev/null &&
    ! { [ -S "$socket" ] && docker ps --format '{{.Ports}}' | grep -q ":$port->"; } &&
    missing "the port $port, which another process has" "end that process, or change invoker.port"
fi

if [ "$node" = docker ]; then
  api=$(docker version --format '{{.Server.APIVersion}}')
  case $api in
  '') missing "Docker at $socket, in which the invoker is to run" "install and start it, with its command docker, or choose another rewhisk_supervisor" ;;
  1.[0-9] | 1.[0-3][0-9] | 1.40) missing "Docker 20.10 (this one's API is $api)" "install a newer one: older ones hide the host's cgroups from containers" ;;
  esac
  ! docker info --format '{{.SecurityOptions}}' | grep -q name=rootless ||
    missing "the rights of root in containers (this Docker is rootless)" "use a Docker that root runs, or choose another rewhisk_supervisor"
elif [ "$needs_docker" = yes ] && [ ! -S "$socket" ]; then
  missing "Docker at $socket, for those kinds of the manifest that rewhisk has no runtime for" "install Docker, or set rewhisk_docker_required to false"
fi
exit 0
