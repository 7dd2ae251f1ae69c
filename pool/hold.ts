// Says for as long as this process lives that a file or a folder is in use, to the other invokers of the machine.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { close, open } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { promisify } from "node:util";

// Numbers, not file handles: Node closes a handle that nobody refers to any more, and the lock would end with it.
const openFile = promisify(open);
const closeFile = promisify(close);

/** Only a folder that is being moved is locked for a moment, which is waited for. */
const flags = { shared: "-s", alone: "-xn" } as const;
const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/**
 * The kernel's lock on what is open, so it stays with what is locked when that is renamed, and ends with this process, however that
 * ends: nobody that it starts has the descriptor too.
 */
export class Hold {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** `shared`: with others that hold it so. `alone`: undefined where somebody holds it. Undefined too where it is not there (any more). */
  static async take(path: string, how: keyof typeof flags): Promise<Hold | undefined> {
    const fd = await openFile(path, "r").catch(() => undefined);
    if (fd === undefined) return undefined;
    const hold = new Hold(fd);
    if ((await isLocked(fd, how)) && (await isNamed(fd, path))) return hold;
    await hold.release();
    return undefined;
  }

  /** Idempotent. */
  async release(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) await closeFile(fd);
  }
}

/** Gives the folder another name unless somebody holds it, who then keeps it. */
export async function moveUnheld(folder: string, name: string): Promise<boolean> {
  const hold = await Hold.take(folder, "alone");
  if (hold === undefined) return false;
  try {
    await rename(folder, name);
    return true;
  } catch {
    return false;
  } finally {
    await hold.release();
  }
}

/** Node has no locks; what another process locks of a file that both have open stays locked when that process has ended. */
async function isLocked(fd: number, how: keyof typeof flags): Promise<boolean> {
  const stdio = ["ignore", "ignore", "ignore", fd] as const;
  const flock = spawn("flock", [flags[how], "3"], { env: environment, stdio: [...stdio], detached: true });
  try {
    const [status] = (await once(flock, "exit")) as [number | null];
    return status === 0;
  } catch {
    return false;
  }
}

/** Does the name still stand for what is open? */
async function isNamed(fd: number, path: string): Promise<boolean> {
  try {
    const [open, named] = await Promise.all(
      [`/proc/self/fd/${fd}`, path].map((one) => stat(one, { bigint: true })),
    );
    return open !== undefined && open.dev === named?.dev && open.ino === named.ino;
  } catch {
    return false;
  }
}
