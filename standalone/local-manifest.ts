// The manifest of this machine, made from a template and the interpreters found.

import { Manifest, type Runtime } from "./manifest.ts";

/** The template in openwhisk-config/runtimes.template.json: per family, what all its kinds share. */
export interface ManifestTemplate {
  readonly families: {
    readonly [family: string]: {
      /** The kind that `family:default` means, where it is present; else the newest is. */
      readonly preferred: string;
      readonly deprecated: readonly string[];
      /** `{version}` stands for what follows the colon of the kind. */
      readonly image: Required<Omit<Runtime["image"], "registry">>;
      readonly attached: Required<Runtime>["attached"];
    };
  };
}

/** `kinds` are those an interpreter was found for, such as `nodejs:20`. Throws StartError when none is usable. */
export function localManifest(template: ManifestTemplate, kinds: readonly string[]): Manifest {
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
  return new Manifest(runtimes);
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
