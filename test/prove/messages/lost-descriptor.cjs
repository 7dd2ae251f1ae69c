const { closeSync, fstatSync } = require("node:fs");

function leave() {
  closeSync(0);
  return "left";
}

function read() {
  return fstatSync(0).rdev;
}

module.exports = { leave, read };
