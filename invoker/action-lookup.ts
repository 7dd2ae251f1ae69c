// Finds the action of a message, or says in the caller's words why it is not run.

import type { InvokerSettings } from "./config.ts";
import type { RunnableAction } from "./job.ts";
import { completeLimits, limitViolation } from "./limits.ts";
import { failure, type Outcome, texts } from "./outcome.ts";
import { ActionFetchError, type ActionStore, type StoredAction } from "./store/stores.ts";
import type { ActivationMessage } from "./wire/messages.ts";

export interface Refusal {
  readonly refused: Outcome;
  /** For operators. */
  readonly cause: unknown;
}

export interface LookupParts {
  readonly actions: ActionStore;
  readonly kinds: ReadonlySet<string>;
  readonly settings: InvokerSettings;
}

/** Fetches the document, checks kind and limits. */
export async function findAction(
  message: ActivationMessage,
  parts: LookupParts,
): Promise<RunnableAction | Refusal> {
  const { path, name } = message.action;
  let stored: StoredAction;
  try {
    stored = await parts.actions.fetch(`${path}/${name}`, message.revision);
  } catch (error) {
    return { refused: fetchFailure(error), cause: error };
  }
  const kind = resolveKind(stored.document.exec.kind, parts.settings);
  if (kind === "sequence") return refusal(3, texts.notFetched, "a sequence");
  if (!parts.kinds.has(kind)) return refusal(3, texts.incompatible, `no such kind here: ${kind}`);
  const limits = completeLimits(stored.document.limits, parts.settings);
  const violation = limitViolation(limits, message.user.limits, parts.settings);
  if (violation !== undefined) return refusal(1, violation, violation);
  return { stored, kind, limits };
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
