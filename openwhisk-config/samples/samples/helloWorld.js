// Writes a line to its log.
function main({ payload }) {
  console.log(`hello ${payload ?? "world"}!`);
  return {};
}
