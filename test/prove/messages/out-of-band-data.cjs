const MSG_OOB = 1;

function leave(mark) {
  return word(act("sendto", 3, put(Buffer.from(mark, "hex")), 1, MSG_OOB, 0));
}

function read() {
  act("ioctl", 3, 0x5411, put([0, 0, 0, 0]));
  return take(4).readUInt32LE();
}

module.exports = { leave, read };
