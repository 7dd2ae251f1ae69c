/** Counts primes on worker threads that share one array of flags. */
const path = require("path");
const { Worker } = require("worker_threads");

function worker(data) {
  return new Promise((resolve, reject) => {
    const thread = new Worker(path.join(__dirname, "worker.js"), { workerData: data });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

exports.main = async ({ bound = 200000, threads = 4 }) => {
  const found = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const share = Math.ceil(bound / threads);
  const counts = await Promise.all(
    Array.from({ length: threads }, (_, i) => worker({ from: i * share, to: Math.min(bound, (i + 1) * share), found })),
  );
  return { counts, total: counts.reduce((a, b) => a + b, 0), shared: Atomics.load(new Int32Array(found), 0) };
};
