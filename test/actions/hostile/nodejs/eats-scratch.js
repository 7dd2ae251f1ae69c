/** Fills every place it may write to with large and with many files, and answers. */
const fs = require("fs");

function fill(folder) {
  const block = Buffer.alloc(1 << 20, "x");
  const refused = new Set();
  try {
    const fd = fs.openSync(`${folder}/large`, "w");
    for (let i = 0; i < 4096; i++) fs.writeSync(fd, block);
  } catch (error) {
    refused.add(error.code);
  }
  try {
    for (let i = 0; i < 20_000; i++) fs.writeFileSync(`${folder}/small-${i}`, "");
  } catch (error) {
    refused.add(error.code);
  }
  return [...refused];
}

function main() {
  return { answered: true, refused: Object.fromEntries(["/tmp", "/home/action", "/dev/shm"].map((f) => [f, fill(f)])) };
}
