// The sample packages of whisk.system, put into the database at start where they are missing or have changed.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ActionDocument,
  type Json,
  type KeyValue,
  projectFolder,
  readConfigFile,
} from "../invoker/index.ts";
import { readLimits } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import { firstVersion, nextVersion } from "./names.ts";
import { type Services, systemSubject } from "./services.ts";
import { placeCode, readCode } from "./store/actions.ts";
import type { PackageDocument } from "./store/entity-documents.ts";

interface SampleAction {
  readonly name: string;
  readonly kind: string;
  readonly file: string;
  readonly description: string;
  readonly parameters?: Json;
  readonly sampleInput?: Json;
  readonly sampleOutput?: Json;
}

interface SamplePackage {
  readonly name: string;
  readonly description: string;
  readonly actions: readonly SampleAction[];
}

/** Installs them; actions of a kind that this machine does not have are left out. */
export async function installSamples(services: Services): Promise<void> {
  const { packages } = readConfigFile("samples/samples.json") as {
    readonly packages: readonly SamplePackage[];
  };
  for (const sample of packages) {
    await installPackage(services, sample);
    for (const action of sample.actions) {
      await installAction(services, sample.name, action);
    }
  }
}

async function installPackage(services: Services, sample: SamplePackage): Promise<void> {
  const _id = `${systemSubject}/${sample.name}`;
  const before = await services.entities.get("package", _id);
  if (before !== undefined) {
    return;
  }
  const document: PackageDocument = {
    _id,
    namespace: systemSubject,
    name: sample.name,
    binding: {},
    parameters: [],
    version: firstVersion,
    publish: true,
    annotations: [{ key: "description", value: sample.description }],
    updated: Date.now(),
    entityType: "package",
  };
  await services.entities.put(document);
}

async function installAction(services: Services, packageName: string, sample: SampleAction): Promise<void> {
  const { entities, manifest, settings } = services;
  const kind = manifest.resolve(sample.kind)?.kind;
  if (kind === undefined) {
    return;
  }
  const path = join(projectFolder(), "openwhisk-config", "samples", packageName, sample.file);
  const code = readFileSync(path, "utf8");
  const namespace = `${systemSubject}/${packageName}`;
  const _id = `${namespace}/${sample.name}`;
  const before = await entities.get("action", _id);
  if (before !== undefined && (await isUpToDate(services, before, { code, manifest }))) {
    return;
  }
  const placed = placeCode(code, false, settings.inlineCodeBytes);
  const document: ActionDocument = {
    _id,
    ...(before?._rev === undefined ? {} : { _rev: before._rev }),
    namespace,
    name: sample.name,
    exec: { kind, code: placed.code, binary: false },
    parameters: [],
    limits: readLimits(undefined, undefined, {}, settings),
    version: before === undefined ? firstVersion : nextVersion(before.version),
    publish: true,
    annotations: annotationsOf(sample, kind),
    updated: Date.now(),
    entityType: "action",
  };
  await entities.put(document, placed.attachment);
}

async function isUpToDate(
  services: Services,
  document: ActionDocument,
  wanted: { readonly code: string; readonly manifest: Manifest },
): Promise<boolean> {
  const code = await readCode(services.entities, document);
  return code?.toString("utf8") === wanted.code && wanted.manifest.resolve(document.exec.kind) !== undefined;
}

function annotationsOf(sample: SampleAction, kind: string): readonly KeyValue[] {
  const described = (["description", "parameters", "sampleInput", "sampleOutput"] as const).flatMap((key) => {
    const value = sample[key];
    return value === undefined ? [] : [{ key, value }];
  });
  return [...described, { key: "provide-api-key", value: false }, { key: "exec", value: kind }];
}
