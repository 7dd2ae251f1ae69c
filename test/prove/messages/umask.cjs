function leave() {
  process.umask(0o70);
  return "left";
}

function read() {
  return process.umask();
}

module.exports = { leave, read };
