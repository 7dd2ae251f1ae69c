/** Leaves handlers for every signal that takes one, and for Node's own events. */
function main({ marker }) {
  let left = 0;
  for (const signal of Object.keys(require("os").constants.signals)) {
    try {
      process.on(signal, () => console.log(marker));
      left++;
    } catch {}
  }
  for (const event of ["exit", "beforeExit", "uncaughtException", "unhandledRejection", "warning", "newListener"]) {
    process.on(event, () => console.log(marker));
  }
  process.stdout.on("error", () => {});
  process.setUncaughtExceptionCaptureCallback(() => {});
  return { left: left > 0 };
}
