// Finds the action of a message, or says in the caller's words why it is not run.

import type { Image } from "../pool/index.ts";
import type { InvokerSettings } from "./config/invoker-settings.ts";
import type { RunnableAction } from "./job.ts";
import { completeLimits, limitViolation } from "./limits.ts";
import { failure, type Outcome, texts } from "./outcome.ts";
import { ActionFetchError, type ActionStore, type StoredAction } from "./store/stores.ts";
import type { Trace } from "./tracing.ts";
import type { Exec } from "./wire/documents.ts";
import type { ActivationMessage } from "./wire/messages.ts";

export interface Refusal {
  readonly refused: Outcome;
  /** For operators. */
  readonly cause: unknown;
}

/** What Docker is to run: a kind without a runtime of ours, an image of a user. Undefined: there is none of that name. */
export interface ContainerImages {
  kindImage(kind: string): Image | undefined;
  userImage(text: string): Image | undefined;
}

export interface LookupParts {
  readonly actions: ActionStore;
  /** With a runtime of ours. */
  readonly kinds: ReadonlySet<string>;
  /** Absent: only kinds with a runtime of ours are run. */
  readonly images?: ContainerImages | undefined;
  readonly settings: InvokerSettings;
  readonly trace: Trace;
}

/** Fetches the document, checks kind and limits. */
export async function findAction(
  message: ActivationMessage,
  parts: LookupParts,
): Promise<RunnableAction | Refusal> {
  const { path, name } = message.action;
  let stored: StoredAction;
  try {
    const fetch = (): Promise<StoredAction> => parts.actions.fetch(`${path}/${name}`, message.revision);
    stored = await parts.trace.part("getDocument", fetch);
  } catch (error) {
    return { refused: fetchFailure(error), cause: error };
  }
  const kind = resolveKind(stored.document.exec.kind, parts.settings);
  if (kind === "sequence") return refusal(3, texts.notFetched, "a sequence");
  const image = parts.kinds.has(kind) ? undefined : imageOf(stored.document.exec, kind, parts.images);
  if (image === undefined && !parts.kinds.has(kind)) {
    return refusal(3, texts.incompatible, `no such kind here: ${kind}`);
  }
  const limits = completeLimits(stored.document.limits, parts.settings);
  const violation = limitViolation(limits, message.user.limits, parts.settings);
  if (violation !== undefined) return refusal(1, violation, violation);
  return { stored, kind, image, limits };
}

function imageOf(exec: Exec, kind: string, images: ContainerImages | undefined): Image | undefined {
  if (kind !== "blackbox") return images?.kindImage(kind);
  return "image" in exec && exec.image !== undefined ? images?.userImage(exec.image) : undefined;
}

function refusal(statusCode: 1 | 3, text: string, cause: string): Refusal {
  return { refused: failure(statusCode, text), cause };
}

function fetchFailure(error: unknown): Outcome {
  if (!(error instanceof ActionFetchError)) return failure(3, texts.notFetched);
  switch (error.code) {
    case "not-found":
      return failure(1, texts.notFound);
    case "unreadable":
      return failure(3, texts.incompatible);
    case "unavailable":
      return failure(3, texts.notFetched);
  }
}

/** `nodejs:default` means a certain version; kinds are trimmed and lower-cased. */
function resolveKind(kind: string, settings: InvokerSettings): string {
  const [family = "", version] = kind.trim().toLowerCase().split(":");
  const resolved = version === "default" ? settings.defaultKinds[family] : undefined;
  return resolved ?? kind.trim().toLowerCase();
}
