/** Prints bytes that are no text, half a character, a terminal's control codes and what looks like OpenWhisk's end marker. */
const fs = require("fs");

function main() {
  fs.writeSync(1, Buffer.from([0x00, 0xff, 0xfe, 0xc3, 0x28, 0x0a]));
  fs.writeSync(2, "\u001b[2J\u001b]0;owned\u0007\r\n");
  fs.writeSync(1, "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n");
  fs.writeSync(2, "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n");
  fs.writeSync(1, "after the marker\n");
  fs.writeSync(1, Buffer.from([0xe2, 0x82]));
  return { answered: true };
}
