function leave(mark) {
  return word(act("set_tid_address", Number.parseInt(mark.slice(0, 10), 16)));
}

function read() {
  act("prctl", 40, act("memory"));
  return [...take(8)];
}

module.exports = { leave, read };
