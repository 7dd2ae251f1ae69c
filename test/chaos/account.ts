// Accounts for every activation of a chaos run: what was sent, taken, run, answered, freed and stored, and what of it must not be.

import type { Ledger, Life, Request, Sent, StoredRecord } from "./ledger.ts";

export interface Account {
  readonly table: readonly (readonly [what: string, count: number])[];
  /** What cannot be accounted for, in words; empty: nothing. */
  readonly complaints: readonly string[];
}

/** A commit is this old at most when its process is killed and its activation has no ack yet: a cold start, a run, a broker that is away. */
const longestUnderWayMs = 45_000;
/** Nobody waits for the disk before a slot is freed: the write is only under way then. */
const longestUnwrittenMs = 1_000;

/** One activation with all that is known of it. */
interface Activation {
  readonly id: string;
  readonly sent: readonly Sent[];
  readonly slots: number;
  readonly results: number;
  /** Acks that bring a result and free no slot. */
  readonly resultsAlone: number;
  readonly lastAckMs: number | undefined;
  readonly runs: number;
  readonly records: readonly StoredRecord[];
}

/** Who took a message, and when; undefined: nobody. */
type Taker = { readonly life: Life; readonly atMs: number } | undefined;

export function account(ledger: Ledger): Account {
  const activations = gather(ledger);
  const takerOf = takers(ledger);
  const lost = activations.filter(({ sent, slots }) => slots < sent.length);
  const unstored = activations.filter(
    ({ sent, lastAckMs, records }) => !isTest(sent) && lastAckMs !== undefined && records.length === 0,
  );
  const extraOrders = sum(activations, ({ sent }) => sent.length - 1);
  const extraAcks = sum(activations, ({ sent, slots, resultsAlone }) =>
    sum([slots, resultsAlone], (acks) => Math.max(0, acks - sent.length)),
  );
  const real = activations.filter(({ sent }) => !isTest(sent));
  const forcedOnly = lost.filter(({ id }) => ledger.forced.has(id)).length;
  return {
    table: [
      ["requests", ledger.requests.length],
      ["refused or without an answer, never sent", refused(ledger).length],
      ["activations sent", real.length],
      ["tests of the invoker's health sent", activations.length - real.length],
      ["answered (a result in an ack)", count(real, ({ results }) => results > 0)],
      ["slots freed by an ack", count(real, ({ slots }) => slots > 0)],
      ["seen to run", count(real, ({ runs }) => runs > 0)],
      ["stored in the database", count(real, ({ records }) => records.length > 0)],
      ["messages sent twice by the controller, their answer lost", extraOrders],
      ["acks sent twice by the invoker, their answer lost", extraAcks],
      ["lost with a killed invoker", lost.length],
      ["  of them seen to run", count(lost, ({ runs }) => runs > 0)],
      ["  of them stored", count(lost, ({ records }) => records.length > 0)],
      ["  of them completed by force", forcedOnly],
      ["answered by the killed invoker, and not stored", unstored.length],
      ["  of them with a slot that it freed", count(unstored, ({ slots }) => slots > 0)],
      ["completed by force, and by an ack later", ledger.forced.size - forcedOnly],
      ["run more than once", count(real, ({ runs }) => runs > 1)],
    ],
    complaints: [
      ...activations.flatMap(complaintsOf),
      ...lost.flatMap((activation) => complaintsOfLost(activation, takerOf, ledger.forced)),
      ...unstored.flatMap((activation) => complaintsOfUnstored(activation, takerOf)),
      ...complaintsOfRequests(ledger),
      ...strayIn(ledger),
      ...tooMany(extraOrders, ledger.sentAgain.orders, "messages are doubled by the controller"),
      ...tooMany(extraAcks, ledger.sentAgain.acks, "acks are doubled by the invoker"),
      ...(ledger.slotsHeld === 0 ? [] : [`${ledger.slotsHeld} slots are held at the end`]),
    ],
  };
}

function gather({ sent, acks, runs, records }: Ledger): readonly Activation[] {
  const acksOf = groupBy(acks, ({ activationId }) => activationId);
  const recordsOf = groupBy(records, ({ activationId }) => activationId);
  return [...groupBy(sent, ({ activationId }) => activationId)].map(([id, copies]) => {
    const own = acksOf.get(id) ?? [];
    const token = copies[0]?.token;
    return {
      ...{ id, sent: copies },
      slots: count(own, ({ freesSlot }) => freesSlot),
      results: count(own, ({ hasResult }) => hasResult),
      resultsAlone: count(own, ({ freesSlot }) => !freesSlot),
      lastAckMs: own.length === 0 ? undefined : Math.max(...own.map(({ atMs }) => atMs)),
      runs: token === undefined ? 0 : (runs.get(token) ?? 0),
      records: recordsOf.get(id) ?? [],
    };
  });
}

/** The first commit beyond a message says who took it. */
function takers({ commits, lives }: Ledger): (sent: Sent) => Taker {
  const byName = new Map(lives.map((life) => [life.name, life]));
  return ({ offset }) => {
    const commit = commits.find(({ next }) => next > offset);
    const life = byName.get(commit?.life ?? "");
    return commit && life && { life, atMs: commit.atMs };
  };
}

function complaintsOf({ id, sent, slots, results, runs, records }: Activation): string[] {
  const said: string[] = [];
  if (slots > 0 && results === 0 && sent[0]?.isBlocking === true)
    said.push(`${id}: its slot was freed, but who waited got no result`);
  if (runs > sent.length) said.push(`${id}: run ${runs} times, sent ${sent.length} times`);
  if (records.length > 1) said.push(`${id}: ${records.length} records`);
  for (const { revision, isSuccess, fault } of records) {
    if (isSuccess && runs === 0 && !isTest(sent))
      said.push(`${id}: recorded as a success, but never seen to run`);
    if (!revision.startsWith("1-")) said.push(`${id}: its record was written again (${revision})`);
    if (fault !== undefined) said.push(`${id}: its record is wrong: ${fault}`);
  }
  return said;
}

/** Only what a killed invoker had taken a moment before may have no ack. */
function complaintsOfLost(
  { id, sent, slots }: Activation,
  takerOf: (sent: Sent) => Taker,
  forced: ReadonlySet<string>,
): string[] {
  const excused = sent.filter((copy) => {
    const taker = takerOf(copy);
    return taker?.life.isKilled === true && taker.life.endedMs - taker.atMs <= longestUnderWayMs;
  });
  const isHeld = slots === 0 && !isTest(sent) && !forced.has(id);
  if (slots + excused.length >= sent.length)
    return isHeld ? [`${id}: lost with its invoker, and never completed by force`] : [];
  const whose = sent.map((copy) => {
    const taker = takerOf(copy);
    if (taker === undefined) return `message ${copy.offset} was never taken`;
    const { name, isKilled, endedMs } = taker.life;
    const end = isKilled ? `was killed ${endedMs - taker.atMs} ms later` : "ended in order";
    return `message ${copy.offset} was taken by ${name}, which ${end}`;
  });
  return [`${id}: ${sent.length - slots} acks are missing (${whose.join("; ")})`];
}

/** Only what a killed invoker had not done with, or had freed the slot of at its very end, may have no record. */
function complaintsOfUnstored(
  { id, sent, slots, lastAckMs = 0 }: Activation,
  takerOf: (sent: Sent) => Taker,
): string[] {
  const isExcused = sent.some((copy) => {
    const taker = takerOf(copy);
    if (taker?.life.isKilled !== true) return false;
    return slots === 0 || taker.life.endedMs - lastAckMs <= longestUnwrittenMs;
  });
  return isExcused ? [] : [`${id}: acknowledged, and its record is lost`];
}

function complaintsOfRequests(ledger: Ledger): string[] {
  const known = new Set(ledger.sent.map(({ activationId }) => activationId));
  return ledger.requests.flatMap(({ token, activationId, fault }) => [
    ...(activationId === undefined || known.has(activationId)
      ? []
      : [`request ${token}: accepted as ${activationId}, and never sent`]),
    ...(fault === undefined ? [] : [`request ${token}: answered wrongly: ${fault}`]),
  ]);
}

/** Acks, runs and records of nothing that was sent. */
function strayIn({ sent, acks, runs, records }: Ledger): string[] {
  const ids = new Set(sent.map(({ activationId }) => activationId));
  const tokens = new Set(sent.map(({ token }) => token));
  return [
    ...acks
      .filter(({ activationId }) => !ids.has(activationId))
      .map((ack) => `an ack of ${ack.activationId}`),
    ...records
      .filter(({ activationId }) => !ids.has(activationId))
      .map((one) => `a record of ${one.activationId}`),
    ...[...runs.keys()].filter((token) => !tokens.has(token)).map((token) => `a run with token ${token}`),
  ].map((what) => `${what}, which nobody sent`);
}

function refused({ requests, sent }: Ledger): readonly Request[] {
  const tokens = new Set(sent.map(({ token }) => token));
  return requests.filter(({ token }) => !tokens.has(token));
}

function tooMany(found: number, excused: number, what: string): string[] {
  return found <= excused ? [] : [`${found} ${what}, but only ${excused} answers got lost`];
}

function isTest(sent: readonly Sent[]): boolean {
  return sent[0]?.token === undefined;
}

function count<Item>(items: readonly Item[], has: (item: Item) => boolean): number {
  return items.filter(has).length;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
