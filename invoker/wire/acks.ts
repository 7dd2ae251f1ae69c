// The texts of acknowledgements: three shapes, told apart only by the fields present.

import type { ActivationRecord, InvokerInstance, TransactionId } from "./messages.ts";

/** A record with its result as the action wrote it, or only the activation's id. */
export type AckResponse = { readonly record: ActivationRecord; readonly resultText: string } | string;

/** Carries the result, frees nothing. */
export function resultAck(transid: TransactionId, response: AckResponse): string {
  return `{"transid":${JSON.stringify(transid)},"response":${responseText(response)}}`;
}

/** Frees the slot, carries no result. */
export function completionAck(
  transid: TransactionId,
  activationId: string,
  isSystemError: boolean,
  instance: InvokerInstance,
): string {
  return JSON.stringify({ transid, activationId, isSystemError, instance });
}

/** Frees the slot and carries the result. */
export function combinedAck(
  transid: TransactionId,
  response: AckResponse,
  isSystemError: boolean,
  instance: InvokerInstance,
): string {
  const rest = JSON.stringify({ transid, isSystemError, instance });
  return `{"response":${responseText(response)},${rest.slice(1)}`;
}

/** The result is spliced in as text: parsed and printed again its numbers might change. */
function responseText(ack: AckResponse): string {
  if (typeof ack === "string") return JSON.stringify(ack);
  const { response, ...fields } = ack.record;
  const { result: _, ...rest } = response;
  const rendered = `{"result":${ack.resultText},${JSON.stringify(rest).slice(1)}`;
  return `{"response":${rendered},${JSON.stringify(fields).slice(1)}`;
}
