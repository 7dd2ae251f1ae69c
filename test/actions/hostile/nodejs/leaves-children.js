/** Leaves children: asleep, busy, a daemon that left its session, and one that ignores what it can. */
const { spawn } = require("child_process");

async function main() {
  const commands = ["sleep 600", "while :; do :; done", "trap '' TERM INT HUP QUIT; sleep 600; sleep 600", "(setsid sleep 600 >/dev/null 2>&1 &) ; exit 0"];
  for (const command of commands) spawn("/bin/sh", ["-c", command], { stdio: "ignore", detached: true }).unref();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { left: true };
}
