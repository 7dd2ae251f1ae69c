/** Sorts records that do not fit one file: splits, sorts and merges them in the temporary directory. */
const fs = require("fs/promises");
const { createReadStream } = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");

async function main({ count = 2000, files = 8 }) {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), "sort-"));
  let state = 12345;
  const next = () => (state = (state * 1103515245 + 12345) % 2147483648);
  const names = [];
  for (let i = 0; i < files; i++) {
    const lines = Array.from({ length: count }, () => String(next()).padStart(10, "0")).sort();
    names.push(path.join(dir, `part-${i}`));
    await fs.writeFile(names[i], lines.join("\n"));
  }
  const readers = names.map((name) => readline.createInterface({ input: createReadStream(name) })[Symbol.asyncIterator]());
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  let merged = 0, previous = "", sorted = true, checksum = 0;
  while (heads.some((head) => !head.done)) {
    let least = -1;
    heads.forEach((head, i) => {
      if (!head.done && (least < 0 || head.value < heads[least].value)) least = i;
    });
    sorted = sorted && previous <= heads[least].value;
    previous = heads[least].value;
    checksum = (checksum * 31 + Number(previous)) % 4294967291;
    merged++;
    heads[least] = await readers[least].next();
  }
  const left = (await fs.readdir(dir)).length;
  await fs.rm(dir, { recursive: true });
  return { merged, sorted, checksum, files: left };
}
