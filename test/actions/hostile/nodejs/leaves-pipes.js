/** Takes from the event loop's own pipes and counters what is in them, or puts something in. */
const fs = require("fs");

function main({ how }) {
  for (const fd of fs.readdirSync("/proc/self/fd").map(Number)) {
    if (fd < 4) continue;
    try {
      if (!/^pipe|eventfd/.test(fs.readlinkSync(`/proc/self/fd/${fd}`))) continue;
      if (how === "filled") fs.writeSync(fd, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
      else fs.readSync(fd, Buffer.alloc(64));
    } catch {
      // The other end of a pipe, or nothing in it.
    }
  }
  return { left: true };
}
