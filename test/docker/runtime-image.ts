// Images as those of a manifest: interpreters of this machine with libraries that it does not have, as an OCI layout and in Docker.

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import { addLibraries, addPython, makeFolders } from "./image.ts";

const run = promisify(execFile);

/** Files by path; an empty layer has none. */
export type Files = { readonly [path: string]: string | Buffer };

export interface ImageDraft {
  /** In full, with its tag. */
  readonly name: string;
  readonly environment?: readonly string[];
  readonly workFolder?: string;
  /** The lowest first: archives that `layerOf` or `interpreterLayer` made. */
  readonly layers: readonly string[];
}

/** A folder of layers and layouts, which ends with the test. */
export class ImageWorkshop {
  readonly folder: string = mkdtempSync(join(tmpdir(), "rewhisk-images-"));
  #made = 0;

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Programs may be run, as everything may be. */
  async layerOf(files: Files): Promise<string> {
    const tree = this.#folder();
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), content, { mode: 0o700 });
    }
    return await this.#archive(tree);
  }

  /** This machine's Node (or another one) as /usr/local/bin/node, its Python as /usr/bin/python3, and what both need. */
  async interpreterLayer(node: string = process.execPath): Promise<string> {
    const tree = this.#folder();
    makeFolders(tree);
    mkdirSync(join(tree, "usr/local/bin"), { recursive: true });
    cpSync(realpathSync(node), join(tree, "usr/local/bin/node"));
    await addLibraries(tree, [realpathSync(node)]);
    await addPython(tree);
    return await this.#archive(tree);
  }

  /** A layout that has these images, and is an archive of Docker's as well. */
  layout(...drafts: readonly ImageDraft[]): string {
    const folder = this.#folder();
    mkdirSync(join(folder, "blobs", "sha256"), { recursive: true });
    const put = (content: object): { digest: string; size: number } => {
      const text = JSON.stringify(content);
      const digest = createHash("sha256").update(text).digest("hex");
      writeFileSync(join(folder, "blobs/sha256", digest), text);
      return { digest: `sha256:${digest}`, size: text.length };
    };
    const images = drafts.map(({ name, environment = [], workFolder = "", layers }) => {
      const descriptors = layers.map((archive) => {
        const digest = createHash("sha256").update(readFileSync(archive)).digest("hex");
        cpSync(archive, join(folder, "blobs/sha256", digest));
        const mediaType = "application/vnd.oci.image.layer.v1.tar";
        return { mediaType, digest: `sha256:${digest}`, size: statSync(archive).size };
      });
      const config = put({
        ...{ architecture: "amd64", os: "linux", config: { Env: environment, WorkingDir: workFolder } },
        rootfs: { type: "layers", diff_ids: descriptors.map(({ digest }) => digest) },
      });
      const manifest = put({ schemaVersion: 2, config, layers: descriptors });
      const annotations = { "org.opencontainers.image.ref.name": name };
      const paths = [config, ...descriptors].map(
        ({ digest }) => `blobs/sha256/${digest.slice("sha256:".length)}`,
      );
      const [Config = "", ...Layers] = paths;
      return { manifest: { ...manifest, annotations }, saved: { Config, RepoTags: [name], Layers } };
    });
    writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const manifests = images.map(({ manifest }) => manifest);
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(images.map(({ saved }) => saved)));
    return folder;
  }

  #folder(): string {
    const folder = join(this.folder, `${++this.#made}`);
    mkdirSync(folder);
    return folder;
  }

  async #archive(tree: string): Promise<string> {
    const archive = `${tree}.tar`;
    await run("tar", ["-C", tree, "--owner=1000", "--group=1000", "-cf", `${archive}.part`, "."]);
    rmSync(tree, { recursive: true });
    renameSync(`${archive}.part`, archive);
    return archive;
  }
}

/** All images of a layout, under their names. */
export async function loadIntoDocker(socketPath: string, layout: string): Promise<void> {
  const docker = new Docker({ socketPath, host: "" });
  const tar = spawn("tar", ["-C", layout, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const progress = await docker.loadImage(tar.stdout);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}
