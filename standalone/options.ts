// The command line of the standalone server.

import { homedir } from "node:os";
import { join, resolve } from "node:path";

export interface Options {
  readonly port: number;
  readonly host: string;
  readonly dataFolder: string;
  readonly userMemoryMB: number;
  /** The only kinds to offer; undefined: all that are found. */
  readonly kinds: readonly string[] | undefined;
  readonly help: boolean;
}

/** What is wrong with a command line, every point of it. */
export interface OptionErrors {
  readonly errors: readonly string[];
}

const defaultPort = 3233;
const names = ["--port", "--host", "--data-dir", "--user-memory", "--kinds"] as const;

/** Reads `--name value` and `--name=value`. Gives all errors at once instead of the options if there are any. */
export function readOptions(
  argv: readonly string[],
  defaults: {
    readonly pool: { readonly userMemoryMB: number };
    readonly memoryMB: { readonly std: number };
  },
): Options | OptionErrors {
  const errors: string[] = [];
  const given = new Map<string, string>();
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const [name = "", inline] = splitOnce(argv[i] ?? "");
    if (name === "--help" || name === "-h") {
      help = true;
    } else if (!(names as readonly string[]).includes(name)) {
      errors.push(`${name}: there is no such option${nearest(name)}`);
      const isFollowedByValue =
        name.startsWith("--") && inline === undefined && argv[i + 1]?.startsWith("--") === false;
      i += isFollowedByValue ? 1 : 0;
    } else if (given.has(name)) {
      errors.push(`${name} is given twice`);
      i += inline === undefined ? 1 : 0;
    } else {
      const value = inline ?? argv[++i];
      if (value === undefined || value === "" || (inline === undefined && value.startsWith("--"))) {
        errors.push(`${name} needs a value`);
        i -= value?.startsWith("--") === true ? 1 : 0;
      } else {
        given.set(name, value);
      }
    }
  }
  const options = {
    port: readPort(given.get("--port"), errors),
    host: given.get("--host") ?? "127.0.0.1",
    dataFolder: resolve(given.get("--data-dir") ?? join(homedir(), ".rewhisk")),
    userMemoryMB: readMemory(given.get("--user-memory"), errors, {
      absentMB: defaults.pool.userMemoryMB,
      leastMB: defaults.memoryMB.std,
    }),
    kinds: readKinds(given.get("--kinds"), errors),
    help,
  };
  return errors.length > 0 ? { errors } : options;
}

function splitOnce(argument: string): [string, string | undefined] {
  const equals = argument.indexOf("=");
  return argument.startsWith("--") && equals > 0
    ? [argument.slice(0, equals), argument.slice(equals + 1)]
    : [argument, undefined];
}

function nearest(name: string): string {
  const similar = names.find((known) => known.startsWith(name.slice(0, 4)) && name.length > 3);
  return similar === undefined ? "" : `, did you mean ${similar}?`;
}

function readPort(text: string | undefined, errors: string[]): number {
  if (text === undefined) {
    return defaultPort;
  }
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    errors.push(`--port ${text}: a port is a number from 0 (any free one) to 65535`);
  }
  return port;
}

function readMemory(
  text: string | undefined,
  errors: string[],
  { absentMB, leastMB }: { readonly absentMB: number; readonly leastMB: number },
): number {
  if (text === undefined) {
    return absentMB;
  }
  const [, digits = "", unit = "m"] = /^(\d+)\s*([mg])?i?b?$/i.exec(text) ?? [];
  const memoryMB = Number(digits) * (unit.toLowerCase() === "g" ? 1024 : 1);
  if (digits === "") {
    errors.push(`--user-memory ${text}: a size is a number with m or g, such as 2048m`);
  } else if (memoryMB < leastMB) {
    errors.push(`--user-memory ${text}: at least ${leastMB}m, what an action has that states no memory`);
  }
  return memoryMB;
}

function readKinds(text: string | undefined, errors: string[]): readonly string[] | undefined {
  if (text === undefined) {
    return undefined;
  }
  const kinds = text.split(",").map((kind) => kind.trim());
  for (const kind of kinds) {
    if (!/^[a-z0-9]+:[a-z0-9.]+$/.test(kind)) {
      errors.push(`--kinds: '${kind}' is no kind, one looks like nodejs:20`);
    }
  }
  return kinds;
}
