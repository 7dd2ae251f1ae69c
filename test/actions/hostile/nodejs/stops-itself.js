/** Stops its own process with a signal that cannot be caught. */
function main() {
  process.kill(process.pid, "SIGSTOP");
  return {};
}
