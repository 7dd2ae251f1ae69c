// What an answer to a blocking call tells: the activation's record, its times and its outcome.

export interface Activation {
  readonly activationId: string;
  readonly isSuccess: boolean;
  /** Status and result, written so that equal ones are equal texts. */
  readonly outcome: string;
  readonly waitMs: number | undefined;
  readonly initMs: number | undefined;
  readonly durationMs: number | undefined;
}

/** There is no record yet. */
export interface Unfinished {
  readonly activationId: string;
  readonly outcome?: undefined;
}

interface ActivationBody {
  readonly activationId?: string;
  readonly response?: { readonly status?: string; readonly result?: unknown };
  readonly duration?: number;
  readonly annotations?: readonly { readonly key: string; readonly value: unknown }[];
}

/** Of a record as the API gives it; the id alone where there is no record yet; undefined where it is neither. */
export function readActivation(text: string): Activation | Unfinished | undefined {
  let body: ActivationBody | undefined;
  try {
    body = JSON.parse(text) as ActivationBody;
  } catch {
    return undefined;
  }
  const { activationId, response, annotations = [], duration } = body ?? {};
  if (typeof activationId !== "string") return undefined;
  if (response === undefined) return { activationId };
  const annotated = (key: string): number | undefined => {
    const value = annotations.find((annotation) => annotation.key === key)?.value;
    return typeof value === "number" ? value : undefined;
  };
  const { status, result } = response;
  return {
    ...{ activationId, isSuccess: status === "success" },
    outcome: inOrder({ status, result }),
    waitMs: annotated("waitTime"),
    initMs: annotated("initTime"),
    durationMs: duration,
  };
}

/** JSON with the members of all objects in alphabetical order. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
