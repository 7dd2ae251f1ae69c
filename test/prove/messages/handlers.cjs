function leave() {
  process.on("SIGUSR2", () => {});
  process.on("SIGWINCH", () => {});
  return "left";
}

function read() {
  const status = require("node:fs").readFileSync("/proc/self/status", "utf8");
  return status.split("\n").filter((line) => /^Sig(Ign|Cgt)/.test(line));
}

module.exports = { leave, read };
