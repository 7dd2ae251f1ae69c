// Far, and read coarsely: other threads of this runtime decide how much of its own malloc has taken by then.
const far = 0x10000000;

function leave(mark) {
  return word(act("brk", act("brk", 0) + far + Number.parseInt(mark.slice(0, 4), 16)));
}

function read() {
  return Math.floor(act("brk", 0) / far);
}

module.exports = { leave, read };
