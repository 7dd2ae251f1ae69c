// Which interpreter each kind of the manifest has: its image's own, or this machine's; said once, for operators.

import { join } from "node:path";
import {
  Engine,
  familyOf,
  findInterpreters,
  ImageError,
  type Interpreter,
  RuntimeImages,
} from "../pool/index.ts";
import type { ClusterSettings } from "./config/cluster-settings.ts";
import { projectFolder } from "./config/entries.ts";
import type { Manifest, ManifestRuntime } from "./manifest.ts";
import type { Observer } from "./observe.ts";

export interface Runtimes {
  /** Of the kinds that lean containers run; all others are Docker's. */
  readonly interpreters: readonly Interpreter[];
  /** When no containers are left. */
  close(): Promise<void>;
}

/**
 * Without the image a kind runs over this machine's files until the next start. With an image that lean containers cannot run over it is Docker's, as
 * stock's kinds are: slower, but with all its libraries. The first start with an image takes as long as unpacking it. Throws
 * LeanError.
 */
export async function openRuntimes(
  { docker, leanImages }: Pick<ClusterSettings, "docker" | "leanImages">,
  manifest: Manifest,
  observer: Pick<Observer, "noted">,
): Promise<Runtimes> {
  const engine = new Engine(docker.socketPath, docker.timeouts);
  const images = new RuntimeImages({
    ...leanImages,
    docker: engine,
    launcher: join(projectFolder(), "build", "native", "lean"),
  });
  const ofMachine = new Map((await findInterpreters()).map((one) => [one.kind, one]));
  const choose = async (runtime: ManifestRuntime): Promise<readonly Interpreter[]> => {
    const { kind } = runtime;
    const { name } = manifest.imageOf(runtime);
    try {
      const found = await images.interpreter(kind, name);
      const { version } = found;
      observer.noted("info", { event: "image-used", kind, image: name, version }, texts.used);
      return [found];
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const hasDocker = engine.hasSocket;
      const isThere = error.code !== "absent" && error.code !== "unreachable";
      const instead = isThere && hasDocker ? undefined : ofMachine.get(kind);
      const runsIn = instead !== undefined ? "machine" : hasDocker ? "docker" : "nothing";
      const fields = { event: "image-not-used", kind, image: name, code: error.code, reason: error.message };
      observer.noted("warn", { ...fields, runsIn }, texts[runsIn]);
      return instead === undefined ? [] : [instead];
    }
  };
  const ours = manifest.runtimes.filter(({ kind }) => familyOf(kind) !== undefined);
  const interpreters = (await Promise.all(ours.map(choose))).flat();
  await images.collect();
  return { interpreters, close: () => images.close() };
}

const texts = {
  used: "lean containers of this kind run over the files of its image",
  machine:
    "containers of this kind run over this machine's files, without libraries of its image, which is looked for again at the next start",
  docker: "containers of this kind are Docker's: they are not rewound",
  nothing: "actions of this kind are refused until Docker is there to run its image",
} as const;
