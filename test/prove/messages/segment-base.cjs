function leave(mark) {
  return word(act("arch_prctl", 0x1001, Number.parseInt(mark.slice(0, 11), 16)));
}

function read() {
  act("arch_prctl", 0x1004, act("memory"));
  return [...take(8)];
}

module.exports = { leave, read };
