/** Waits in several ways at once and tells the order in which things happened. */
const { setImmediate: immediate, setTimeout: sleep } = require("timers/promises");

async function main({ delayMs = 20 }) {
  const order = [];
  await null;
  process.nextTick(() => order.push("next tick"));
  queueMicrotask(() => order.push("microtask"));
  order.push("now");
  await immediate();
  order.push("immediate");
  const ticks = new Promise((resolve) => {
    let n = 0;
    const interval = setInterval(() => {
      order.push(`tick ${++n}`);
      if (n === 3) {
        clearInterval(interval);
        resolve();
      }
    }, delayMs);
  });
  // In rests as long as a tick: whatever holds the process up, both go on alike.
  const rest = async () => {
    for (let n = 0; n < 20; n++) await sleep(delayMs);
    order.push("slow");
  };
  const slow = rest();
  await Promise.all([ticks, slow]);
  return { order };
}
