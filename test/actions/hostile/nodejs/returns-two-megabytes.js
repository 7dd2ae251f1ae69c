/** Returns more than OpenWhisk takes. */
function main() {
  return { text: "z".repeat(2 << 20) };
}
