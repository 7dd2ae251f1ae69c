/** Closes the descriptor on which the runtime answers. */
function main() {
  require("fs").closeSync(3);
  return { answered: true };
}
