/** Leaves children that hold the runtime's channel and outputs, and write into them after the answer. */
const { spawn } = require("child_process");

function main({ marker }) {
  const script = `sleep 1; while :; do echo "${marker}"; echo "${marker}" >&2; echo "${marker}" >&3; done`;
  for (let i = 0; i < 2; i++) spawn("/bin/sh", ["-c", script], { stdio: ["ignore", 1, 2, 3], detached: true }).unref();
  return { left: true };
}
