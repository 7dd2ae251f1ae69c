/** Runs, however much follows. */
function main() {
  return { ran: true };
}
