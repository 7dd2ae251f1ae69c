const fs = require("node:fs");
const [F_SETLEASE, F_GETLEASE, F_NOTIFY, F_SET_RW_HINT, F_SET_FILE_RW_HINT, F_SETDELEG] = [
  1024, 1025, 1026, 1036, 1038, 1040,
];

function leave() {
  const file = fs.openSync("/tmp/file", "w"),
    folder = fs.openSync("/tmp", "r");
  const hint = put([5, 0, 0, 0, 0, 0, 0, 0]);
  return [
    attempt("fcntl", file, F_SETLEASE, 0),
    attempt("fcntl", folder, F_NOTIFY, 0x8000000f),
    attempt("fcntl", file, F_SET_RW_HINT, hint),
    attempt("fcntl", file, F_SET_FILE_RW_HINT, hint),
    attempt("fcntl", folder, F_SETDELEG, hint),
  ];
}

function read() {
  return [...Array(20).keys()].map((number) => act("fcntl", number, F_GETLEASE, 0));
}

module.exports = { leave, read };
