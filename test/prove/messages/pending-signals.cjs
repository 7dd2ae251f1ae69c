function leave() {
  act("rt_sigprocmask", 0, put(Buffer.alloc(8, 255)), 0, 8);
  return word(
    Math.min(
      ...[10, 12, 15, 17, 40, 40, 63].map((signal) => act("tgkill", process.pid, process.pid, signal)),
    ),
  );
}

function read() {
  const status = require("node:fs").readFileSync("/proc/self/status", "utf8");
  return status.split("\n").filter((line) => /^(SigPnd|ShdPnd|SigQ)/.test(line));
}

module.exports = { leave, read };
