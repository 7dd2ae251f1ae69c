// The runtimes manifest of this machine: OpenWhisk's shape, made from a template and the interpreters found.

import { StartError } from "./errors.ts";

/** One runtime as OpenWhisk's manifest lists it. */
export interface Runtime {
  readonly kind: string;
  readonly default: boolean;
  readonly deprecated: boolean;
  readonly image: { readonly prefix: string; readonly name: string; readonly tag: string };
  readonly attached: { readonly attachmentName: string; readonly attachmentType: string };
  readonly requireMain: boolean;
}

/** The template in openwhisk-config/runtimes.template.json: per family, what all its kinds share. */
export interface ManifestTemplate {
  readonly families: {
    readonly [family: string]: {
      /** The kind that `family:default` means, where it is present; else the newest is. */
      readonly preferred: string;
      readonly deprecated: readonly string[];
      /** `{version}` stands for what follows the colon of the kind. */
      readonly image: Runtime["image"];
      readonly attached: Runtime["attached"];
    };
  };
}

/** Kinds that exist on this machine, and how names of kinds resolve. */
export class Manifest {
  readonly runtimes: { readonly [family: string]: readonly Runtime[] };
  readonly #byKind = new Map<string, Runtime>();
  readonly #defaults = new Map<string, Runtime>();

  /** `kinds` are those an interpreter was found for, such as `nodejs:20`. Throws StartError when none is usable. */
  constructor(template: ManifestTemplate, kinds: readonly string[]) {
    const runtimes: { [family: string]: Runtime[] } = {};
    for (const [family, shared] of Object.entries(template.families)) {
      const present = [...new Set(kinds)].filter((kind) => kind.startsWith(`${family}:`)).sort(byVersion);
      const chosen = present.includes(shared.preferred) ? shared.preferred : present.at(-1);
      const make = (kind: string, deprecated: boolean): Runtime => ({
        kind,
        default: kind === chosen,
        deprecated,
        image: {
          ...shared.image,
          name: shared.image.name.replace("{version}", kind.slice(family.length + 1)),
        },
        attached: shared.attached,
        requireMain: false,
      });
      if (present.length > 0) {
        const old = shared.deprecated.filter((kind) => !present.includes(kind));
        runtimes[family] = [
          ...old.map((kind) => make(kind, true)),
          ...present.map((kind) => make(kind, false)),
        ];
      }
    }
    this.runtimes = runtimes;
    for (const [family, list] of Object.entries(runtimes)) {
      for (const runtime of list) {
        this.#byKind.set(runtime.kind, runtime);
        if (runtime.default) {
          this.#defaults.set(`${family}:default`, runtime);
        }
      }
    }
    if (this.#byKind.size === 0) {
      throw new StartError("No language runtime is available: install Node or Python 3, or check --kinds.");
    }
  }

  /** The runtime of a kind or `family:default`; undefined when there is none. */
  resolve(kind: string): Runtime | undefined {
    return this.#defaults.get(kind) ?? this.#byKind.get(kind);
  }

  /** All names a request may use, for the text that refuses others. */
  knownKinds(): readonly string[] {
    return [...this.#byKind.keys(), "sequence"];
  }
}

function byVersion(left: string, right: string): number {
  const numbers = (kind: string): number[] =>
    kind
      .slice(kind.indexOf(":") + 1)
      .split(".")
      .map(Number);
  const [a, b] = [numbers(left), numbers(right)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
