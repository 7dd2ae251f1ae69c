// The machine that figures are of, in one line.

import { cpus, release, totalmem } from "node:os";

export function machineText(): string {
  const memoryGB = Math.round(totalmem() / 1024 ** 3);
  return `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, ${memoryGB} GB, Linux ${release()}, Node ${process.versions.node}`;
}
