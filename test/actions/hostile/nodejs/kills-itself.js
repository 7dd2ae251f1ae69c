/** Kills its own process. */
function main({ signal = "SIGKILL" }) {
  process.kill(process.pid, signal);
  return new Promise(() => {});
}
