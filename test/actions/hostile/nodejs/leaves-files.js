/** Leaves files, folders, links, sockets and odd names wherever it may write. */
const fs = require("fs");
const path = require("path");

function main({ marker }) {
  const left = [];
  for (const folder of ["/tmp", "/home/action", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue", "/"]) {
    try {
      const deep = path.join(folder, "left", "a", "b");
      fs.mkdirSync(deep, { recursive: true });
      fs.writeFileSync(path.join(folder, ".left-hidden"), marker, { mode: 0o600 });
      fs.writeFileSync(path.join(deep, "left\nwith a newline"), marker);
      fs.symlinkSync("/etc/passwd", path.join(folder, "left-link"));
      fs.linkSync(path.join(folder, ".left-hidden"), path.join(folder, "left-twin"));
      fs.chmodSync(deep, 0);
      left.push(folder);
    } catch {}
  }
  return { left: left.length > 0, places: left };
}
