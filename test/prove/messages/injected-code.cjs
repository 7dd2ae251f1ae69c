const maps = () => require("node:fs").readFileSync("/proc/self/maps", "utf8");

function leave() {
  return word(act("munmap", Number.parseInt(/^(.*)-.*rewhisk-code/m.exec(maps())[1], 16), 4096));
}

function read() {
  return maps().match(/rewhisk/g).length;
}

module.exports = { leave, read };
