function leave() {
  return word(act("identification", 1));
}

function read() {
  return act("identification", -1);
}

module.exports = { leave, read };
