/** Leaves output unfinished: a line without an end, and more than a pipe holds on its way. */
function main({ marker }) {
  process.stdout.write(marker);
  process.stderr.write(`${marker} half a line`);
  setTimeout(() => process.stdout.write(`${marker} too late\n`), 1);
  return { left: true };
}
