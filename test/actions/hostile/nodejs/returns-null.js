/** Returns null, which is an object only to JavaScript. */
function main() {
  return null;
}
