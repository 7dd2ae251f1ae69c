#!/bin/sh
# Keeps the invoker of this folder running where there is no systemd: supervise start | stop | status
# What watches it holds the lock for as long as it lives, so that there is never a second one, and a number that the kernel has
# given to somebody else is never taken for it.

cd "$(dirname "$0")" || exit 1
clean_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

is_running() { ! flock -n lock true; }

watch() {
  exec 9>lock
  flock -w 5 9 || exit 0
  echo $$ >watcher
  wanted=yes
  trap 'wanted=; kill -TERM $invoker 2>/dev/null' TERM
  while [ "$wanted" ]; do
    env -i PATH=$clean_path ./run 9>&- &
    invoker=$!
    [ "$wanted" ] || kill -TERM $invoker
    # A signal ends the wait, not the invoker.
    while kill -0 $invoker 2>/dev/null; do wait $invoker; done
    [ ! "$wanted" ] || sleep 2
  done
  rm -f watcher
}

case $1 in
start)
  touch lock
  setsid -f ./supervise watch </dev/null >/dev/null 2>&1
  until is_running; do sleep 0.1; done
  ;;
watch) watch ;;
stop)
  is_running || exit 0
  kill -TERM "$(cat watcher)"
  flock -w 60 lock true && exit 0
  kill -KILL -- "-$(cat watcher)"
  flock -w 10 lock true
  ;;
status) is_running ;;
*)
  echo "supervise start | stop | status" >&2
  exit 2
  ;;
esac
