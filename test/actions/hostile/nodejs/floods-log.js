/** Prints three megabytes, most of them on one line. */
function main() {
  for (let i = 0; i < 20000; i++) console.log(`line ${i} ${"x".repeat(40)}`);
  console.error("y".repeat(2 << 20));
  return { answered: true };
}
