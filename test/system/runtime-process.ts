// The process of a container's runtime as the host sees it, for tests that do something to it from outside.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hierarchiesHere } from "../../pool/lean/cgroup-tree.ts";

const starvingTries = 100;

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** The second process of the container's pid namespace. */
export function runtimeOf(container: string): number {
  const found = readdirSync("/proc").find(
    (pid) =>
      /^\d+$/.test(pid) &&
      readIfThere(`/proc/${pid}/cgroup`).includes(`/${container}\n`) &&
      /^NSpid:.*\t2$/m.test(readIfThere(`/proc/${pid}/status`)),
  );
  if (found === undefined) throw new Error(`container ${container} has no runtime`);
  return Number(found);
}

/** From now on the container gets no more memory than it has: what asks for more is killed. */
export function starve(pid: number): void {
  const hierarchy = hierarchiesHere().get("memory");
  if (hierarchy === undefined) throw new Error("no memory controller");
  const { version, base } = hierarchy;
  const name = version === 1 ? /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m : /^0::(.*)$/m;
  const path = name.exec(readFileSync(`/proc/${pid}/cgroup`, "latin1"))?.[1];
  if (path === undefined) throw new Error(`process ${pid} is in no memory cgroup`);
  const folder = version === 1 ? join(base, path) : join("/sys/fs/cgroup", path);
  const [usage, limit] =
    version === 1 ? ["memory.usage_in_bytes", "memory.limit_in_bytes"] : ["memory.current", "memory.max"];
  const set = (): void => {
    const used = readFileSync(join(folder, usage), "latin1").trim();
    writeFileSync(join(folder, limit), used, { flag: "r+" });
  };
  for (let tries = 1; tries < starvingTries; tries++)
    try {
      set();
      return;
    } catch (error) {
      // It has grown between the two calls.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    }
  set();
}
