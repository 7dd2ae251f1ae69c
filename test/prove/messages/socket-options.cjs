const [SOL_SOCKET, SO_ERROR, SO_COOKIE, SO_PEERPIDFD] = [1, 4, 57, 77];
const CHANNEL = 3;

function option(number) {
  put(Buffer.alloc(64));
  put([64, 0, 0, 0], 256);
  const result = act("getsockopt", CHANNEL, SOL_SOCKET, number, act("memory"), act("memory") + 256);
  return result < 0 ? word(result) : take(take(4, 256).readUInt32LE()).toString("hex");
}

/** Every option there is, by one of two values. */
function leave() {
  for (let number = 0; number < 90; number++) {
    const value = put([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    if (act("setsockopt", CHANNEL, SOL_SOCKET, number, value, 8) < 0)
      act("setsockopt", CHANNEL, SOL_SOCKET, number, value, 16);
  }
  return "left";
}

function read() {
  const numbers = [...Array(90).keys()].filter(
    (number) => ![SO_ERROR, SO_COOKIE, SO_PEERPIDFD].includes(number),
  );
  return Object.fromEntries(numbers.map((number) => [number, option(number)]));
}

module.exports = { leave, read };
