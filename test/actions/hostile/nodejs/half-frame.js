/** Writes the head of a very long frame where the runtime answers. */
function main() {
  require("fs").writeSync(3, Buffer.from([0xff, 0xff, 0xff, 0x7f, 1, 2, 3]));
  return { answered: true };
}
