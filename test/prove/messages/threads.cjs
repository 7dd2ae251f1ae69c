const { Worker } = require("node:worker_threads");

async function leave() {
  for (const code of ["for (;;);", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"])
    await new Promise((resolve) => new Worker(code, { eval: true }).on("online", resolve).unref());
  return word(act("churn_threads"));
}

function read() {
  return require("node:fs").readdirSync("/proc/self/task").sort();
}

module.exports = { leave, read };
