const fs = require("node:fs");

/** The last thread of the runtime's own blocks nearly all signals. */
function leave() {
  const last = Math.max(...fs.readdirSync("/proc/self/task").map(Number));
  return word(Math.min(...[10, 15, 40, 40, 41].map((signal) => act("tgkill", process.pid, last, signal))));
}

function read() {
  const tasks = fs.readdirSync("/proc/self/task");
  return tasks.map((task) => /SigPnd.*/.exec(fs.readFileSync(`/proc/self/task/${task}/status`, "latin1"))[0]);
}

module.exports = { leave, read };
