/** Never gives the event loop back. */
function main() {
  for (;;);
}
