const fs = require("node:fs");
const places = ["/tmp", "/home/action", "/dev/shm"];

/** Files, folders, links, in all places; names that need care; one file of no name. */
function leave(mark) {
  for (const place of places) {
    const folder = `${place}/${mark}`;
    fs.mkdirSync(`${folder}/${"deep/".repeat(50)}`, { recursive: true });
    fs.mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]));
    fs.writeFileSync(`${folder}/file`, mark);
    fs.linkSync(`${folder}/file`, `${place}/hard`);
    fs.symlinkSync(folder, `${place}/soft`);
    act("mknod", put(`${place}/fifo\0`), 0o10600, 0);
    act("setxattr", put(`${place}/hard\0`), put("user.mark\0", 256), put(mark, 512), mark.length, 0);
    fs.chmodSync(folder, 0);
  }
  globalThis.kept = fs.openSync("/tmp/deleted", "w");
  fs.writeSync(globalThis.kept, mark.repeat(1000));
  fs.unlinkSync("/tmp/deleted");
  return "left";
}

function read() {
  const { bfree, ffree } = fs.statfsSync("/tmp");
  return [...places.map((place) => fs.readdirSync(place).sort()), bfree, ffree];
}

module.exports = { leave, read };
