const { spawn } = require("node:child_process");

async function leave() {
  spawn("sleep", ["3600"]);
  spawn("sh", ["-c", "sleep 3600 & setsid sleep 3600 & trap '' TERM; sleep 3600"], { detached: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  return "left";
}

function read() {
  const names = require("node:fs").readdirSync("/proc");
  return names.filter((name) => /^\d+$/.test(name)).sort();
}

module.exports = { leave, read };
