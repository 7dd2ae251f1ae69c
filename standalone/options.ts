// The command line of the standalone server.

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type RewindPolicy, readLibrarySets, rewindPolicies } from "../invoker/index.ts";
import type { CouchSettings } from "./store/couchdb.ts";

export interface Options {
  readonly port: number;
  readonly host: string;
  /** Of the invoker's own pages. */
  readonly adminPort: number;
  readonly dataFolder: string;
  readonly userMemoryMB: number;
  /** The only kinds to offer; undefined: all that are found. */
  readonly kinds: readonly string[] | undefined;
  /** For actions without the annotation. */
  readonly rewind: RewindPolicy;
  /** Containers are booted from the checkpoint of one that was started. */
  readonly boots: boolean;
  /** Which containers have libraries, as the setting `rewhisk.libraries` says it. */
  readonly libraries: string;
  /** The largest concurrency limit that an action may have. */
  readonly concurrencyMax: number;
  readonly place: Place;
  /** OpenWhisk's `runtimes.json`; undefined: the kinds of this machine. */
  readonly manifestFile: string | undefined;
  readonly help: boolean;
}

/** Where the broker, the database and the invokers are. */
export type Place =
  /** In this process, the invoker too. */
  | { readonly kind: "alone" }
  /** On this machine, each a process of its own. */
  | { readonly kind: "cluster" }
  /** Wherever these say: this process is one of the controllers. */
  | {
      readonly kind: "controller";
      /** `host:port`, several separated by commas. */
      readonly kafkaHosts: string;
      readonly couch: CouchSettings;
      readonly controller: string;
      readonly clusterSize: number;
    };

/** What is wrong with a command line, every point of it. */
export interface OptionErrors {
  readonly errors: readonly string[];
}

const defaultPort = 3233;
const portMax = 65_535;
const names = [
  "--port",
  "--host",
  "--admin-port",
  "--data-dir",
  "--user-memory",
  "--kinds",
  "--rewind",
  "--libraries",
  "--concurrency-limit",
  "--kafka",
  "--couchdb",
  "--db-prefix",
  "--controller",
  "--controllers",
  "--manifest",
] as const;
const defaultPrefix = "whisk_local_";

/** Reads `--name value` and `--name=value`. Gives all errors at once instead of the options if there are any. */
export function readOptions(
  argv: readonly string[],
  defaults: {
    readonly pool: { readonly userMemoryMB: number; readonly rewind: RewindPolicy };
    readonly memoryMB: { readonly std: number };
    readonly concurrency: { readonly min: number; readonly max: number };
  },
): Options | OptionErrors {
  const errors: string[] = [];
  const given = new Map<string, string>();
  let help = false;
  let cluster = false;
  let boots = false;
  for (let i = 0; i < argv.length; i++) {
    const [name = "", inline] = splitOnce(argv[i] ?? "");
    if (name === "--help" || name === "-h") {
      help = true;
    } else if (name === "--cluster" && inline === undefined) {
      cluster = true;
    } else if (name === "--boots" && inline === undefined) {
      boots = true;
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
  const port = readPort("--port", given, errors, defaultPort);
  const options = {
    port,
    adminPort: readAdminPort(port, given, errors),
    host: given.get("--host") ?? "127.0.0.1",
    dataFolder: resolve(given.get("--data-dir") ?? join(homedir(), ".rewhisk")),
    userMemoryMB: readMemory(given.get("--user-memory"), errors, {
      absentMB: defaults.pool.userMemoryMB,
      leastMB: defaults.memoryMB.std,
    }),
    kinds: readKinds(given.get("--kinds"), errors),
    rewind: readPolicy(given.get("--rewind"), defaults.pool.rewind, errors),
    boots,
    libraries: readLibraries(given.get("--libraries"), errors),
    concurrencyMax: readConcurrency(given.get("--concurrency-limit"), defaults.concurrency, errors),
    place: readPlace(given, cluster, errors),
    manifestFile: readManifestFile(given.get("--manifest"), given, cluster, errors),
    help,
  };
  return errors.length > 0 ? { errors } : options;
}

function readManifestFile(
  file: string | undefined,
  given: ReadonlyMap<string, string>,
  cluster: boolean,
  errors: string[],
): string | undefined {
  if (file !== undefined && !cluster && !given.has("--kafka")) {
    errors.push("--manifest: without --cluster or --kafka there are the kinds of this machine alone");
  }
  return file === undefined ? undefined : resolve(file);
}

function readPlace(given: ReadonlyMap<string, string>, cluster: boolean, errors: string[]): Place {
  const kafkaHosts = given.get("--kafka");
  const url = given.get("--couchdb");
  const isController = kafkaHosts !== undefined && url !== undefined;
  if (!isController) {
    const alone = ["--kafka", "--couchdb", "--db-prefix", "--controller", "--controllers"].filter((name) =>
      given.has(name),
    );
    if (alone.length > 0) {
      errors.push(`${alone.join(", ")}: a controller needs both --kafka and --couchdb`);
    }
    return { kind: cluster ? "cluster" : "alone" };
  }
  if (cluster) {
    errors.push("--cluster starts a broker and a database: leave out --kafka and --couchdb");
  }
  const controller = given.get("--controller") ?? "0";
  if (!/^[\w.-]+$/.test(controller)) {
    errors.push(`--controller ${controller}: letters, digits, dots, dashes and underscores alone`);
  }
  const clusterSize = Number(given.get("--controllers") ?? "1");
  if (!Number.isInteger(clusterSize) || clusterSize < 1) {
    errors.push(`--controllers ${given.get("--controllers")}: it is a number from 1 on`);
  }
  const couch = { url, prefix: given.get("--db-prefix") ?? defaultPrefix };
  return { kind: "controller", kafkaHosts, couch, controller, clusterSize };
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

function readPort(
  name: "--port" | "--admin-port",
  given: ReadonlyMap<string, string>,
  errors: string[],
  absent: number,
): number {
  const text = given.get(name);
  if (text === undefined) {
    return absent;
  }
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > portMax) {
    errors.push(`${name} ${text}: a port is a number from 0 (any free one) to ${portMax}`);
  }
  return port;
}

/** By default the one after the API's. */
function readAdminPort(port: number, given: ReadonlyMap<string, string>, errors: string[]): number {
  if (given.has("--admin-port") && given.has("--kafka")) {
    errors.push("--admin-port: a controller has no invoker; each invoker has pages of its own");
  }
  return readPort("--admin-port", given, errors, port === 0 ? 0 : Math.min(port + 1, portMax));
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

function readLibraries(text: string | undefined, errors: string[]): string {
  for (const { item, why } of readLibrarySets(text ?? "").problems)
    errors.push(`--libraries: '${item}': ${why}`);
  return text ?? "";
}

function readPolicy(text: string | undefined, absent: RewindPolicy, errors: string[]): RewindPolicy {
  if (text === undefined) {
    return absent;
  }
  const policy = rewindPolicies.find((one) => one === text);
  if (policy === undefined) {
    errors.push(`--rewind ${text}: it is ${rewindPolicies.join(" or ")}`);
  }
  return policy ?? absent;
}

function readConcurrency(
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
  errors: string[],
): number {
  if (text === undefined) {
    return max;
  }
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < min || !Number.isSafeInteger(limit)) {
    errors.push(`--concurrency-limit ${text}: it is a number from ${min} on`);
  }
  return limit;
}
