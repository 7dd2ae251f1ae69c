// The action that invokers are tested with: put into the entity database at start, sent without a revision.

import { randomUUID } from "node:crypto";
import type { ActionDocument, ActivationMessage, Identity, TransactionId } from "../../invoker/index.ts";
import { newActivationId, randomKey } from "../ids.ts";
import type { Manifest } from "../manifest.ts";
import { firstVersion } from "../names.ts";
import type { ControllerSettings } from "../settings.ts";
import type { EntityStore } from "../store/entities.ts";

const namespace = "whisk.system";
/** By family, in the order of preference: controllers of OpenWhisk know only the first. */
const codes = {
  nodejs: "function main(params) { return params; }",
  python: "def main(params):\n    return params\n",
  ruby: "def main(params)\n  params\nend\n",
} as const;

function actionName(controller: string): string {
  return `invokerHealthTestAction${controller}`;
}

/** Creates the action, or overwrites it. Nothing to do where the manifest has no kind that it could be of. */
export async function installHealthAction(
  entities: EntityStore,
  parts: {
    readonly controller: string;
    readonly manifest: Manifest;
    readonly settings: ControllerSettings;
  },
): Promise<void> {
  const { controller, manifest, settings } = parts;
  const found = Object.entries(codes).flatMap(([family, code]) => {
    const runtime = manifest.resolve(`${family}:default`);
    return runtime === undefined ? [] : [{ kind: runtime.kind, code }];
  })[0];
  if (found === undefined) {
    return;
  }
  const name = actionName(controller);
  const _id = `${namespace}/${name}`;
  const before = await entities.get("action", _id);
  const document: ActionDocument = {
    _id,
    ...(before?._rev === undefined ? {} : { _rev: before._rev }),
    namespace,
    name,
    exec: { ...found, binary: false },
    parameters: [],
    limits: {
      timeout: settings.timeoutMs.std,
      memory: settings.memoryMB.min,
      logs: settings.logsMB.std,
      concurrency: settings.concurrency.std,
    },
    version: firstVersion,
    publish: false,
    annotations: [],
    updated: Date.now(),
    entityType: "action",
  };
  await entities.put(document, "none");
}

/** Makes the messages of one controller: the identity is nobody's, and drawn anew in each of its lives. */
export class HealthTests {
  readonly #controller: string;
  readonly #user: Identity;
  readonly #transid: TransactionId;

  constructor(controller: string, startMs: number) {
    this.#controller = controller;
    const uuid = randomUUID();
    this.#user = {
      subject: namespace,
      namespace: { name: namespace, uuid },
      authkey: { api_key: `${uuid}:${randomKey()}` },
      rights: [],
      limits: {},
    };
    this.#transid = ["sid_invokerHealth", startMs];
  }

  message(): ActivationMessage {
    return {
      transid: this.#transid,
      action: { path: namespace, name: actionName(this.#controller), version: firstVersion },
      revision: null,
      user: this.#user,
      activationId: newActivationId(),
      rootControllerIndex: { asString: this.#controller, instanceType: "controller" },
      blocking: false,
      initArgs: [],
      lockedArgs: {},
    };
  }

  /** Is it the transaction of our tests, and not one of a former life? */
  isOurs(transid: TransactionId): boolean {
    const [id, startMs] = this.#transid;
    return transid.length === 2 && transid[0] === id && transid[1] === startMs;
  }
}
