/** Ends the process while it runs. */
function main({ code = 0 }) {
  process.exit(code);
}
