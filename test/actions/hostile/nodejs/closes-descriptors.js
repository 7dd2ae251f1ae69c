/** Closes every descriptor of its process, those of the runtime included. */
const fs = require("fs");

function main() {
  for (let fd = 0; fd < 1024; fd++) {
    try {
      fs.closeSync(fd);
    } catch {}
  }
  return { answered: true };
}
