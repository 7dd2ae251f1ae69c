// Paths inside an image's file system: looked up as a process would that has it as its root.

import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ImageError } from "./image-errors.ts";

/** As the kernel's. */
const linksMax = 40;

/** The parts of a path, which may be absolute or not. */
export function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/**
 * Where on this machine the thing is that `path` names in the image at `root`: every link is followed, and none leads out.
 * What is not there `make` may make. Undefined: it is not there. Throws
 * ImageError `malformed` for what the kernel would not follow either.
 */
export function resolveInside(
  root: string,
  path: string,
  make: (missing: string) => void = () => undefined,
): string | undefined {
  const ahead = [...partsOf(path)];
  let reached: string[] = [];
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "..") {
      reached.pop();
      continue;
    }
    const place = join(root, ...reached, part);
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) make(place);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) {
      const target = readlinkSync(place);
      if (++links > linksMax) throw new ImageError("malformed", `${path}: its links lead nowhere`);
      if (target.startsWith("/")) reached = [];
      ahead.unshift(...partsOf(target));
    } else if (ahead.length > 0 && !found.isDirectory()) {
      return undefined;
    } else {
      reached.push(part);
    }
  }
  return join(root, ...reached);
}
