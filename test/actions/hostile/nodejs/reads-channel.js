/** Reads where the runtime reads: there is nothing to come. */
function main() {
  require("fs").readSync(3, Buffer.alloc(1));
  return { answered: true };
}
