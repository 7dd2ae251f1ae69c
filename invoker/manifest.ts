// The runtimes manifest: which kinds there are, and the image each of them, and each image of a user, is run in.

import type { Image, Reactive } from "../pool/index.ts";
import { sizeBytes } from "./config/invoker-settings.ts";
import { readDurationMs } from "./config/units.ts";
import { fullImageName, type ImageName, isSameImage, parseImageName } from "./image-name.ts";
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "./wire/json.ts";

/** So many containers of so much memory are kept ready. */
export interface ManifestStemCell {
  readonly count: number;
  readonly memoryMB: number;
  readonly reactive?: Reactive;
}

/** One runtime as OpenWhisk's manifest lists it. */
export interface Runtime {
  readonly kind: string;
  readonly default: boolean;
  readonly deprecated: boolean;
  readonly image: ImageName;
  /** Present: code may be kept as an attachment. What it says is for people. */
  readonly attached?: { readonly attachmentName: string; readonly attachmentType: string };
  readonly requireMain: boolean;
}

/** A runtime with what only invokers care for. */
export interface ManifestRuntime extends Runtime {
  readonly sentinelledLogs: boolean;
  readonly stemCells: readonly ManifestStemCell[];
}

/** Which settings have a say in images. */
export interface ImageSettings {
  readonly runtimesRegistry: string;
  readonly userImagesRegistry: string;
  readonly bypassPullForLocalImages: boolean;
  readonly localImagePrefix: string;
}

/** Resolves names of kinds: each kind itself, and `family:default` for families of small letters and digits. */
export class Kinds<Of extends Runtime> {
  readonly #byName = new Map<string, Of>();
  readonly #kinds: readonly string[];

  constructor(families: { readonly [family: string]: readonly Of[] }) {
    const runtimes = Object.values(families).flat();
    for (const runtime of runtimes) this.#byName.set(runtime.kind, runtime);
    this.#kinds = [...this.#byName.keys()];
    for (const [family, versions] of Object.entries(families)) {
      const usual = defaultOf(versions);
      if (usual !== undefined && /^[a-z0-9]+$/.test(family)) this.#byName.set(`${family}:default`, usual);
    }
  }

  resolve(kind: string): Of | undefined {
    return this.#byName.get(kind);
  }

  list(): readonly string[] {
    return this.#kinds;
  }
}

/** The only one, or the one that says so. */
function defaultOf<Of extends Runtime>(versions: readonly Of[]): Of | undefined {
  return versions.length === 1 ? versions[0] : versions.find((one) => one.default);
}

/** The manifest of a deployment. */
export class Manifest {
  readonly kinds: Kinds<ManifestRuntime>;
  readonly runtimes: readonly ManifestRuntime[];
  readonly #blackboxes: readonly ImageName[];
  readonly #settings: ImageSettings;

  constructor({ families, blackboxes }: ManifestContent, settings: ImageSettings) {
    this.kinds = new Kinds(families);
    this.runtimes = Object.values(families).flat();
    this.#blackboxes = blackboxes;
    this.#settings = settings;
  }

  /** Of a kind by its name; undefined where the manifest has no such kind. */
  kindImage(kind: string): Image | undefined {
    const runtime = this.kinds.resolve(kind);
    return runtime && this.imageOf(runtime);
  }

  /** Of a kind; never pulled here, the deployment does that. */
  imageOf({ image, sentinelledLogs }: ManifestRuntime): Image {
    const name = fullImageName(image, this.#settings.runtimesRegistry);
    return { name, pull: false, sentinelled: sentinelledLogs };
  }

  /** Of an action that brings its own; undefined where the text names no image. */
  userImage(text: string): Image | undefined {
    const image = parseImageName(text.trim());
    if (image === undefined) return undefined;
    const { runtimesRegistry, userImagesRegistry } = this.#settings;
    const isNative = this.#isNative(image);
    const name = fullImageName(image, isNative ? runtimesRegistry : userImagesRegistry);
    return { name, pull: !isNative, sentinelled: isNative };
  }

  #isNative(image: ImageName): boolean {
    const { bypassPullForLocalImages, localImagePrefix } = this.#settings;
    return (
      this.#blackboxes.some((known) => isSameImage(known, image)) ||
      (bypassPullForLocalImages && image.prefix === localImagePrefix)
    );
  }
}

export interface ManifestContent {
  readonly families: { readonly [family: string]: readonly ManifestRuntime[] };
  readonly blackboxes: readonly ImageName[];
}

/** The content of RUNTIMES_MANIFEST, or everything that is wrong with it: a line each, with the entry and the remedy. */
export function readManifest(text: string): ManifestContent | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    return {
      problems: [`it is no JSON (${(error as Error).message}): give it the content of runtimes.json`],
    };
  }
  if (!isJsonObject(json)) return { problems: ["it must be a JSON object with 'runtimes'"] };
  const { runtimes = {}, blackboxes = [] } = json;
  const families: { [family: string]: readonly ManifestRuntime[] } = {};
  if (!isJsonObject(runtimes)) problems.push("runtimes: it must be an object, one list per family");
  else for (const [name, list] of Object.entries(runtimes)) families[name] = readFamily(name, list, problems);
  const images = isJsonArray(blackboxes) ? blackboxes : [];
  if (!isJsonArray(blackboxes)) problems.push("blackboxes: it must be a list of images");
  const content = {
    families,
    blackboxes: images.map((image, i) => readImage(image, `blackboxes[${i}]`, problems)),
  };
  return problems.length > 0 ? { problems } : content;
}

function readFamily(family: string, list: Json, problems: string[]): readonly ManifestRuntime[] {
  const entry = `runtimes.${family}`;
  if (!isJsonArray(list) || list.length === 0) {
    problems.push(`${entry}: it must be a list of at least one runtime; remove a family that has none`);
    return [];
  }
  const versions = list.map((one, i) => readRuntime(one, `${entry}[${i}]`, problems));
  const kinds = versions.map(({ kind }) => kind);
  for (const kind of new Set(kinds.filter((one, i) => kinds.indexOf(one) < i))) {
    problems.push(`${entry}: it has ${kind} more than once; leave one of them`);
  }
  const usual = versions.filter((one) => one.default).map((one) => one.kind);
  if (usual.length === 0 && versions.length > 1) {
    problems.push(`${entry}: it has several kinds and no default; give one of them "default": true`);
  } else if (usual.length > 1) {
    problems.push(`${entry}: ${usual.join(" and ")} are both the default; leave it to one of them`);
  }
  return versions;
}

function readRuntime(value: Json | undefined, entry: string, problems: string[]): ManifestRuntime {
  const json = isJsonObject(value) ? value : {};
  const flag = (field: string, usual: boolean): boolean => {
    const given = json[field] ?? usual;
    if (typeof given !== "boolean") problems.push(`${entry}.${field}: it must be true or false`);
    return given === true;
  };
  if (typeof json.kind !== "string" || json.kind === "") {
    problems.push(`${entry}.kind: it must be a text such as nodejs:20`);
  }
  const { attached, stemCells = [] } = json;
  if (!isJsonArray(stemCells)) problems.push(`${entry}.stemCells: it must be a list`);
  const cells = isJsonArray(stemCells) ? stemCells : [];
  return {
    kind: String(json.kind),
    default: flag("default", false),
    deprecated: flag("deprecated", false),
    image: readImage(json.image, `${entry}.image`, problems),
    ...(attached === undefined || attached === null ? {} : { attached: readAttached(attached) }),
    requireMain: flag("requireMain", false),
    sentinelledLogs: flag("sentinelledLogs", true),
    stemCells: cells.map((cell, i) => readStemCell(cell, `${entry}.stemCells[${i}]`, problems)),
  };
}

function readAttached(value: Json): NonNullable<Runtime["attached"]> {
  const { attachmentName, attachmentType } = isJsonObject(value) ? value : ({} as JsonObject);
  return { attachmentName: String(attachmentName ?? ""), attachmentType: String(attachmentType ?? "") };
}

function readImage(value: Json | undefined, entry: string, problems: string[]): ImageName {
  const json = isJsonObject(value) ? value : {};
  if (typeof json.name !== "string" || json.name === "") {
    problems.push(`${entry}.name: it must name an image, such as action-nodejs-v20`);
  }
  const part = (field: "registry" | "prefix" | "tag"): { readonly [field: string]: string } => {
    const given = json[field] ?? undefined;
    if (given !== undefined && typeof given !== "string")
      problems.push(`${entry}.${field}: it must be a text`);
    return typeof given === "string" ? { [field]: given } : {};
  };
  return { ...part("registry"), ...part("prefix"), name: String(json.name), ...part("tag") };
}

function readStemCell(value: Json | undefined, entry: string, problems: string[]): ManifestStemCell {
  const json = isJsonObject(value) ? value : {};
  const field = "initialCount" in json ? "initialCount" : "count";
  const memoryBytes = sizeBytes(json.memory);
  if (memoryBytes === undefined || memoryBytes < 2 ** 20) {
    problems.push(`${entry}.memory: it must be a size such as "256 MB"`);
  }
  const { reactive } = json;
  return {
    count: wholeNumber(json, field, { entry, least: 1 }, problems),
    memoryMB: Math.floor((memoryBytes ?? 0) / 2 ** 20),
    ...(reactive === undefined || reactive === null
      ? {}
      : { reactive: readReactive(reactive, `${entry}.reactive`, problems) }),
  };
}

function readReactive(value: Json | undefined, entry: string, problems: string[]): Reactive {
  const json = isJsonObject(value) ? value : {};
  const number = (field: string, least: number): number =>
    wholeNumber(json, field, { entry, least }, problems);
  const before = problems.length;
  const [minCount, maxCount] = [number("minCount", 0), number("maxCount", 1)];
  const [threshold, increment] = [number("threshold", 1), number("increment", 1)];
  const ttlMs = typeof json.ttl === "string" ? (readDurationMs(json.ttl) ?? 0) : 0;
  if (!(ttlMs > 0 && ttlMs < Number.POSITIVE_INFINITY)) {
    problems.push(`${entry}.ttl: it must be a duration above 0, such as "2 minutes"`);
  }
  if (problems.length === before && (minCount > maxCount || increment > maxCount)) {
    problems.push(`${entry}: maxCount is ${maxCount}; minCount and increment may not be larger`);
  }
  return { minCount, maxCount, ttlMs, threshold, increment };
}

function wholeNumber(
  json: JsonObject,
  field: string,
  { entry, least }: { readonly entry: string; readonly least: number },
  problems: string[],
): number {
  const value = json[field];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  problems.push(`${entry}.${field}: it must be a whole number from ${least} on`);
  return least;
}
