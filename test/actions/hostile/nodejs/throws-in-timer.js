/** Throws where nobody catches while the answer is still awaited. */
function main() {
  setTimeout(() => {
    throw new Error("nobody catches this");
  }, 10);
  return new Promise(() => {});
}
