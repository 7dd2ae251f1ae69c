/** Returns a promise that nothing will ever settle. */
function main() {
  return new Promise(() => {});
}
