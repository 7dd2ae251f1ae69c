/** Leaves worker threads, one busy and one asleep, and jobs in the thread pool. */
const { Worker } = require("worker_threads");

const started = (code) => new Promise((resolve) => new Worker(code, { eval: true }).once("online", resolve));

async function main() {
  await Promise.all([started("for (;;);"), started("setInterval(() => {}, 1)"), started("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)")]);
  for (let i = 0; i < 8; i++) require("crypto").pbkdf2("left", "left", 3_000_000, 64, "sha512", () => {});
  return { left: true };
}
