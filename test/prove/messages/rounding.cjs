function leave() {
  return word(act("rounding", 3));
}

function read() {
  return act("rounding", -1);
}

module.exports = { leave, read };
