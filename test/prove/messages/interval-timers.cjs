function leave(mark) {
  return word(act("alarm", 1000 + Number.parseInt(mark.slice(0, 4), 16)));
}

function read() {
  act("getitimer", 0, act("memory"));
  return take(32).readInt32LE(16) > 0;
}

module.exports = { leave, read };
