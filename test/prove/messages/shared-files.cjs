const fs = require("node:fs");

function leave(mark) {
  const at = parseInt(mark.slice(0, 8), 16);
  const files = [fs.realpathSync(process.execPath), "/etc/passwd", "/dev/null", "/runtime/nodejs/proxy.js"];
  return files
    .flatMap((file) =>
      [
        attempt("chmod", () => fs.chmodSync(file, 0o777)),
        attempt("utimes", () => fs.utimesSync(file, at, at)),
        attempt("rename", () => fs.renameSync(file, `${file}2`)),
        attempt("truncate", () => fs.truncateSync(file)),
      ].slice(0, file.startsWith("/dev") ? 3 : 4),
    )
    .concat(
      ["/", "/usr", "/etc", "/dev", "/run", "/runtime"].map((folder) =>
        attempt("mkdir", () => fs.mkdirSync(`${folder}/${mark}`)),
      ),
    );
}

function read() {
  return ["/", "/usr", "/etc", "/dev", "/run", "/runtime"].map((folder) => fs.readdirSync(folder).sort());
}

module.exports = { leave, read };
