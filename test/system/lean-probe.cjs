// Stands in for a runtime: runs the JavaScript that comes over descriptor 3 and answers with what it returns.
const fs = require("node:fs");

function read(length) {
  const data = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = fs.readSync(3, data, at, length - at);
    if (got === 0) process.exit(0);
    at += got;
  }
  return data;
}

async function serve() {
  for (;;) {
    const code = read(read(4).readUInt32LE()).toString();
    let answer;
    try {
      answer = {
        result: (await new Function("require", `return (async () => { ${code} })()`)(require)) ?? null,
      };
    } catch (error) {
      answer = { error: `${error}` };
    }
    const body = Buffer.from(JSON.stringify(answer));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    fs.writeSync(3, Buffer.concat([length, body]));
  }
}

void serve();
