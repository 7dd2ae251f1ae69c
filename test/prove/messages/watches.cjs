const { existsSync, readdirSync } = require("node:fs");
const [FAN_REPORT_FID, FAN_MARK_ADD, OPEN] = [0x200, 1, 0x20];

function leave() {
  const file = put(`${process.execPath}\0`);
  const watch = attempt("inotify_init1", 0);
  const group = attempt("fanotify_init", FAN_REPORT_FID, 0);
  return [
    attempt("inotify_init"),
    watch,
    attempt("inotify_add_watch", watch.result, file, OPEN),
    group,
    attempt("fanotify_mark", group.result, FAN_MARK_ADD, OPEN, -100, file),
  ];
}

function read() {
  return readdirSync("/proc/self/fd").filter((number) => existsSync(`/proc/self/fd/${number}`)).length;
}

module.exports = { leave, read };
