// One server for one data folder: a name in the kernel that a second server cannot take, and that no crash leaves behind.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";

/**
 * Takes the folder, or gives undefined when another process of this machine has it. LevelDB locks its files as well,
 * but such locks belong to a process in ways that starting containers disturbs; an abstract socket has one owner.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> } | undefined> {
  const digest = createHash("sha256").update(realpathSync(folder)).digest("hex");
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    server.listen(`\0rewhisk-data-${digest.slice(0, 32)}`);
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      return undefined;
    }
    throw error;
  }
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
