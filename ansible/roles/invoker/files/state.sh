#!/bin/sh
# Says how things stand, in words, a line each:
#   by X          what shall keep the invoker running: systemd, script or docker
#   kept by X     what has been set up to do so, by an earlier run of the role
#   running       it runs
#   current       it was started from what its folder holds, and has served since
#   container ID  the container that it runs in, or ran in
#   stock ID      OpenWhisk's own invoker of this name, in Docker
#   root PATH     where Docker keeps its containers
# Arguments: auto, systemd, script or docker; the invoker's name, the folder it is started from, its unit of systemd, Docker's socket.

supervisor=$1 name=$2 home=$3 unit=$4 socket=$5

docker() { [ -S "$socket" ] && command docker -H "unix://$socket" "$@"; }

if [ "$supervisor" = auto ]; then
  supervisor=script
  [ -d /run/systemd/system ] && supervisor=systemd
fi
echo "by $supervisor"
if [ -e "$unit" ]; then
  echo 'kept by systemd'
  systemctl is-active --quiet "$(basename "$unit")" && echo running
fi
if [ -x "$home/supervise" ]; then
  echo 'kept by script'
  "$home/supervise" status && echo running
fi
docker ps --all --filter "name=^/$name\$" --format '{{.ID}} {{.Label "rewhisk.home"}} {{.Status}}' |
  while read -r id label status; do
    if [ "$label" != "$home" ]; then
      echo "stock $id"
      continue
    fi
    echo 'kept by docker'
    echo "container $id"
    [ "${status%% *}" != Up ] || echo running
  done
cmp -s "$home/run" "$home/started" && [ ! -e "$home/unproved" ] && echo current
docker info --format '{{.DockerRootDir}}' 2>/dev/null | sed 's/^/root /'
exit 0
