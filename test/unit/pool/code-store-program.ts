// A process of its own that is killed with an archive in the code store: `half` unpacked, or `whole` and on disk. Arguments: that, and the folder.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CodeStore } from "../../../pool/code-store.ts";

const [, , when, folder = ""] = process.argv;
const size = 4096;

const store = new CodeStore({ folder, maxBytes: 10 * size });
const kept = await store.use("nodejs", Buffer.from("an archive"), async (into, makeRoom) => {
  makeRoom(size);
  mkdirSync(into);
  writeFileSync(join(into, "file"), "x");
  if (when === "half") process.kill(process.pid, "SIGKILL");
  return { bytes: size };
});
while (!existsSync(join(kept?.folder ?? "", "../kept"))) await sleep(1);
process.kill(process.pid, "SIGKILL");
