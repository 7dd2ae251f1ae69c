const { constants, existsSync } = require("node:fs");

/** A queue of that name, made and used: the attributes are its length and the size of its messages. */
function leave(mark) {
  const [name, text] = [put(`${mark}\0`), put(mark, 64)];
  const attributes = put(Buffer.from(BigInt64Array.of(0n, 4n, 64n, 0n, 0n, 0n, 0n, 0n).buffer), 256);
  const queue = attempt("mq_open", name, constants.O_CREAT | constants.O_RDWR, 0o666, attributes);
  return [
    queue,
    attempt("mq_timedsend", queue.result, text, 32, 0, 0),
    attempt("mq_getsetattr", queue.result, 0, attributes),
    attempt("mq_timedreceive", queue.result, text, 64, 0, 0),
    attempt("mq_notify", queue.result, 0),
    attempt("mq_unlink", name),
  ];
}

function read() {
  return existsSync("/dev/mqueue");
}

module.exports = { leave, read };
