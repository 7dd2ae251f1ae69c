/** Ranks lines with the system's own tools and a script of the archive, in child processes. */
const { execFile, spawn } = require("child_process");
const path = require("path");
const { promisify } = require("util");

function pipe(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}`))));
    child.stdin.end(input);
  });
}

exports.rank = async ({ lines }) => {
  const sorted = await pipe("sort", ["-n"], lines.join("\n") + "\n");
  const script = path.join(__dirname, "..", "bin", "count.sh");
  const counted = await pipe("/bin/sh", [script], sorted);
  const { stdout } = await promisify(execFile)("/bin/echo", ["done"]);
  return { sorted: sorted.trim().split("\n"), count: Number(counted), last: stdout.trim() };
};
