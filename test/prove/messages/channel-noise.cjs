const fs = require("node:fs");

/** More than the socket holds, so that it takes the host's reading to get rid of it; its beginning is no frame's head. */
function leave(mark) {
  const noise = Buffer.alloc(65536, Buffer.from(`${"ff".repeat(21)}${mark}`, "hex"));
  for (let i = 0; i < 64; i++)
    try {
      fs.writeSync(3, noise);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  return "left";
}

function read() {
  return "quiet";
}

module.exports = { leave, read };
