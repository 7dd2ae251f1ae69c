/** Returns a string. */
function main() {
  return "only a text";
}
