// Where images come from: an OCI layout on disk, or Docker. Both are read, never changed.

import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { ImageError } from "./image-errors.ts";
import { resolveInside } from "./image-path.ts";
import { ImageTree } from "./image-tree.ts";

/** What an image says of its containers, and its layers, the lowest first. */
export interface ImageContent {
  /** `NAME=VALUE` */
  readonly environment: readonly string[];
  readonly workFolder: string;
  readonly layers: readonly AsyncIterable<Uint8Array>[];
}

export interface FoundImage {
  /** 64 hexadecimal digits, which no other content has. */
  readonly id: string;
  /** `folder` is empty, and holds what must be kept until the layers have been read. Throws ImageError. */
  content(folder: string): Promise<ImageContent>;
}

export interface ImageSource {
  /** By its full name. Undefined: it does not have it. Throws ImageError. */
  find(name: string): Promise<FoundImage | undefined>;
}

/** What is needed of Docker. */
export interface ImageEngine {
  /** The image's id, `sha256:…`; undefined: there is none of that name. */
  imageId(name: string): Promise<string | undefined>;
  /** As `docker save` gives it. */
  saveImage(id: string): Promise<AsyncIterable<Uint8Array>>;
  pull(name: string): Promise<void>;
}

const digestPattern = /^sha256:([0-9a-f]{64})$/;

function hexOf(digest: unknown): string {
  const [, hex] = digestPattern.exec(String(digest)) ?? [];
  if (hex === undefined) throw new ImageError("malformed", `${digest} is no digest by SHA-256`);
  return hex;
}

/** `pulls`: one that is not there is fetched once. A daemon that has not answered is not asked again. */
export function dockerSource(engine: ImageEngine, pulls: boolean): ImageSource {
  let away: ImageError | undefined;
  async function idOf(name: string): Promise<string | undefined> {
    if (away !== undefined) throw away;
    try {
      return await engine.imageId(name);
    } catch (cause) {
      away = new ImageError("unreachable", (cause as Error).message, { cause });
      throw away;
    }
  }
  async function pull(name: string): Promise<string | undefined> {
    try {
      await engine.pull(name);
    } catch (cause) {
      throw new ImageError("absent", (cause as Error).message, { cause });
    }
    return await idOf(name);
  }
  return {
    find: async (name) => {
      const id = (await idOf(name)) ?? (pulls ? await pull(name) : undefined);
      return id === undefined
        ? undefined
        : { id: hexOf(id), content: (folder) => savedContent(engine, id, folder) };
    },
  };
}

interface SavedManifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

interface ImageConfig {
  readonly config?: { readonly Env?: readonly string[] | null; readonly WorkingDir?: string };
}

/** Old and new daemons write their archives in different forms, and in both the list of layers of before. */
async function savedContent(engine: ImageEngine, id: string, folder: string): Promise<ImageContent> {
  const archive = await engine.saveImage(id).catch((cause: Error) => {
    throw new ImageError("unreachable", cause.message, { cause });
  });
  await new ImageTree(folder).add(archive);
  const fileOf = (path: string): string => {
    const file = resolveInside(folder, path);
    if (file === undefined) throw new ImageError("malformed", `Docker's archive of the image has no ${path}`);
    return file;
  };
  const [manifest] = readJson<readonly SavedManifest[]>(fileOf("manifest.json"));
  if (manifest === undefined) throw new ImageError("malformed", "Docker's archive of the image is empty");
  const layers = manifest.Layers.map((path) => contentOf(fileOf(path)));
  return { ...settingsOf(readJson<ImageConfig>(fileOf(manifest.Config))), layers };
}

function settingsOf({ config }: ImageConfig): Pick<ImageContent, "environment" | "workFolder"> {
  return { environment: config?.Env ?? [], workFolder: config?.WorkingDir || "/" };
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
  readonly annotations?: { readonly [name: string]: string };
}

/** Writers of layouts keep an image's name in one of these; some only its tag. */
const nameAnnotations = ["io.containerd.image.name", "org.opencontainers.image.ref.name"] as const;

/** A folder that holds images as the OCI image layout has them (`skopeo copy … oci:FOLDER:NAME`, `docker buildx build -o type=oci,…`). */
export function layoutSource(folder: string): ImageSource {
  const blob = (digest: unknown): string => join(folder, "blobs", "sha256", hexOf(digest));
  const manifestsOf = (file: string): readonly Descriptor[] =>
    readJson<{ readonly manifests?: readonly Descriptor[] }>(file).manifests ?? [];
  /** An image for several platforms is a list of images. */
  function imageOf(descriptor: Descriptor): Descriptor | undefined {
    if (!/index|manifest\.list/.test(descriptor.mediaType ?? "")) return descriptor;
    const isOurs = ({ platform }: Descriptor): boolean =>
      platform?.os === "linux" && platform.architecture === "amd64";
    return manifestsOf(blob(descriptor.digest)).find(isOurs);
  }
  return {
    find: (name) => {
      const wanted = plainName(name);
      const named = manifestsOf(join(folder, "index.json")).find(({ annotations = {} }) =>
        nameAnnotations.some(
          (key) => annotations[key] !== undefined && plainName(annotations[key]) === wanted,
        ),
      );
      const image = named && imageOf(named);
      if (image === undefined) return Promise.resolve(undefined);
      const { config, layers } = readJson<{ config: Descriptor; layers: readonly Descriptor[] }>(
        blob(image.digest),
      );
      return Promise.resolve({
        id: hexOf(config.digest),
        content: () =>
          Promise.resolve({
            ...settingsOf(readJson<ImageConfig>(blob(config.digest))),
            layers: layers.map(({ digest }) => checked(blob(digest), hexOf(digest))),
          }),
      });
    },
  };
}

/** Without what stands for Docker's own registry, and with its tag. */
function plainName(name: string): string {
  const short = name.replace(/^docker\.io\//, "").replace(/^library\//, "");
  return /:[^/]*$/.test(short) ? short : `${short}:latest`;
}

/** Opened when it is read. */
async function* contentOf(file: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file) as AsyncIterable<Uint8Array>;
}

/** Throws ImageError at the end of a file whose content is another one. */
async function* checked(file: string, hex: string): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of contentOf(file)) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== hex) throw new ImageError("malformed", `${file} is not what its name says`);
}

function readJson<Content>(file: string): Content {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Content;
  } catch (cause) {
    throw new ImageError("malformed", `${file}: ${(cause as Error).message}`, { cause });
  }
}
