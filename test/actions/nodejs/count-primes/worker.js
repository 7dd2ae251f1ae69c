const { parentPort, workerData } = require("worker_threads");

function isPrime(n) {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

const total = new Int32Array(workerData.found);
let count = 0;
for (let n = workerData.from; n < workerData.to; n++) {
  if (isPrime(n)) {
    count++;
    Atomics.add(total, 0, 1);
  }
}
parentPort.postMessage(count);
