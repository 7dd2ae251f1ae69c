const other = Number(
  require("node:fs")
    .readdirSync("/proc/self/task")
    .sort((one, two) => one - two)[1],
);

function leave(mark) {
  return word(act("elsewhere", other, 157, 15, put(`${mark.slice(0, 15)}\0`)));
}

function read() {
  return require("node:fs").readFileSync(`/proc/self/task/${other}/comm`, "latin1");
}

module.exports = { leave, read };
