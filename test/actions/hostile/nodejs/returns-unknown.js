/** Returns what JSON cannot express: a number beyond its kind. */
function main() {
  return { n: 10n };
}
