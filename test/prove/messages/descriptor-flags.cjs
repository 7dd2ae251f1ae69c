const [F_GETFD, F_SETFD, F_GETFL, F_SETFL] = [1, 2, 3, 4];
const { O_APPEND, O_NONBLOCK } = require("node:fs").constants;

function leave() {
  for (const number of [0, 1, 2]) {
    act("fcntl", number, F_SETFL, act("fcntl", number, F_GETFL) | O_NONBLOCK | O_APPEND);
    act("fcntl", number, F_SETFD, 1);
  }
  return "left";
}

function read() {
  return [...Array(20).keys()].map((number) => [
    act("fcntl", number, F_GETFL),
    act("fcntl", number, F_GETFD),
  ]);
}

module.exports = { leave, read };
