function leave(mark) {
  const file = act("memfd_create", put(`${mark}\0`), 0);
  act("ftruncate", file, 4096);
  return word(act("mmap", 0, 4096, 3, 1, file, 0));
}

function read() {
  const maps = require("node:fs").readFileSync("/proc/self/maps", "utf8");
  return maps.split("\n").filter((line) => /memfd/.test(line) && !/rewhisk/.test(line));
}

module.exports = { leave, read };
