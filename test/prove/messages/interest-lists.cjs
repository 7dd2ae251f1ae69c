const fs = require("node:fs");
const [EPOLL_CTL_ADD, EPOLLONESHOT] = [1, 1 << 30];

/** What each event loop waits for. */
function lists() {
  const found = {};
  for (const number of fs.readdirSync("/proc/self/fd")) {
    const lines = attempt(() => fs.readFileSync(`/proc/self/fdinfo/${number}`, "utf8").split("\n")) ?? [];
    const waits = lines.filter((line) => line.startsWith("tfd:")).map((line) => line.replace(/ pos:.*/, ""));
    if (waits.length > 0) found[number] = waits.sort();
  }
  return found;
}

function attempt(step) {
  try {
    return step();
  } catch {
    return undefined;
  }
}

/** The mark stands where the kernel keeps a number for the program. */
function leave(mark) {
  const event = Buffer.alloc(12);
  event.writeUInt32LE(EPOLLONESHOT);
  Buffer.from(mark, "hex").copy(event, 4, 0, 8);
  for (const number of Object.keys(lists())) act("epoll_ctl", Number(number), EPOLL_CTL_ADD, 3, put(event));
  return "left";
}

const read = lists;

module.exports = { leave, read };
