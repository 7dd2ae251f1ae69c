// Unpacked archives of actions on this machine's disk: each by its content, unpacked once, given up when others need its room.

import { webcrypto } from "node:crypto";
import { chmodSync, mkdirSync, statfsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeName, type Entry, isSound, keyOf, readFolder, requireOwn, sealEntry } from "./code-folder.ts";
import { CodeRemoval } from "./code-removal.ts";
import type { CodeCounts, CodeUse, KeptCode, MakeRoom, Unpack } from "./code-use.ts";
import type { Hold } from "./hold.ts";

export interface CodeStoreOptions {
  /** Of this process alone: it removes what it does not know of. */
  readonly folder: string;
  /** What says so to others; released at the end. */
  readonly hold?: Pick<Hold, "release">;
  readonly maxBytes: number;
  /** What the disk has left; by default the folder's. */
  readonly freeBytes?: () => number;
  readonly nowMs?: () => number;
  /** Told the first time that an archive cannot be kept, or shown, for this reason: a code, and the system's number. */
  readonly onTrouble?: (use: "full" | "failed", error: unknown) => void;
}

const rememberedMax = 1000;
/** What could not be kept once is hardly kept the next time; what was missing may have come meanwhile. */
const triedAgainAfterMs = 300_000;
/** Of the disk, for all that others write there meanwhile. */
const leftFreeBytes = 64 * 1024 * 1024;
const usualPatienceMs = 10_000;
/** The order of last uses outlives the invoker so exactly. */
const touchedEveryMs = 60_000;

export class CodeStore {
  readonly #options: CodeStoreOptions;
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #adding = new Map<string, Promise<unknown>>();
  readonly #refused = new Set<string>();
  /** Of archives for which there was no room: what they need. */
  readonly #needs = new Map<string, number>();
  /** Of archives that could not be kept: until when they are not tried again. */
  readonly #failedUntilMs = new Map<string, number>();
  readonly #digests = new WeakMap<Buffer, Promise<string>>();
  readonly #removal: CodeRemoval;
  readonly #background = new Set<Promise<unknown>>();
  readonly #told = new Set<string>();
  readonly #uses: Record<CodeUse, number> = { hit: 0, miss: 0, refused: 0, full: 0, busy: 0, failed: 0 };
  /** Of the one that is being copied: each copy keeps a thread that others' rewinds need. */
  #reservedBytes: number | undefined;

  /** What a former life has left half-written is removed. Throws where the folder cannot be made, or others could write to it. */
  constructor(options: CodeStoreOptions) {
    this.#options = options;
    const { folder } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    requireOwn(folder);
    chmodSync(folder, 0o700);
    this.#removal = new CodeRemoval(folder, (error) => this.#tell("failed", error));
    const { entries, leftovers } = readFolder(folder);
    for (const path of leftovers) this.#removal.add(path);
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#makeRoom(0);
  }

  get counts(): CodeCounts {
    return { uses: { ...this.#uses }, archives: this.#entries.size, bytes: this.#bytes };
  }

  /**
   * Undefined: the runtime is to be sent the archive, also where another's unpacking of the same takes longer than `patienceMs`. Throws what
   * `unpack` throws.
   */
  async use(
    family: string,
    archive: Buffer,
    unpack: Unpack,
    patienceMs: number = usualPatienceMs,
  ): Promise<KeptCode | undefined> {
    const key = keyOf(family, await this.#digest(archive));
    for (let hasWaited: boolean = false; ; hasWaited = true) {
      if (this.#refused.has(key)) return this.#count("refused");
      if (this.#nowMs() < (this.#failedUntilMs.get(key) ?? 0)) return this.#count("failed");
      const found = this.#sound(key);
      if (found !== undefined) {
        this.#uses.hit++;
        return this.#hold(found);
      }
      const adding = this.#adding.get(key);
      if (adding === undefined) break;
      if (hasWaited || !(await endsWithin(patienceMs, adding))) return this.#count("busy");
    }
    // Unpacking it would be in vain.
    if (this.#reservedBytes !== undefined) return this.#count("busy");
    if ((this.#needs.get(key) ?? archive.length) > this.#freeableBytes) return this.#count("full");
    const adding = this.#add(key, unpack);
    this.#adding.set(key, adding);
    try {
      return await adding;
    } finally {
      this.#adding.delete(key);
    }
  }

  /** What was held could not be shown: counts as a failure, and is said once. */
  notShown(error: unknown): void {
    this.#count("failed", error);
  }

  /** When nothing is in use any more, and all that was begun has ended. */
  async close(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.#removal.ended();
    await this.#options.hold?.release();
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? Date.now)();
  }

  get #bytes(): number {
    return [...this.#entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #digest(archive: Buffer): Promise<string> {
    const known = this.#digests.get(archive);
    if (known !== undefined) return known;
    const digest = webcrypto.subtle
      .digest("SHA-256", archive)
      .then((bytes) => Buffer.from(bytes).toString("hex"));
    this.#digests.set(archive, digest);
    return digest;
  }

  /** Undefined too where it is not as it was made, by its owners and modes: then it is forgotten. */
  #sound(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || isSound(entry.path)) return entry;
    // Whoever uses it has opened what was there.
    this.#entries.delete(key);
    this.#removal.add(entry.path);
    return undefined;
  }

  #hold(entry: Entry): KeptCode {
    entry.uses++;
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    const nowMs = Date.now();
    if (nowMs - entry.touchedMs > touchedEveryMs) {
      entry.touchedMs = nowMs;
      utimesSync(entry.path, nowMs / 1000, nowMs / 1000);
    }
    let isHeld = true;
    return {
      folder: join(entry.path, codeName),
      release: () => {
        if (isHeld) entry.uses--;
        isHeld = false;
      },
    };
  }

  async #add(key: string, unpack: Unpack): Promise<KeptCode | undefined> {
    const path = join(this.#options.folder, key);
    let isCopying = false;
    const makeRoom: MakeRoom = (bytes) => {
      if (this.#reservedBytes !== undefined) return "busy";
      if (!this.#makeRoom(bytes)) {
        remember(this.#needs, key, bytes);
        return "full";
      }
      isCopying = true;
      this.#reservedBytes = bytes;
      mkdirSync(path, { mode: 0o700 });
      return undefined;
    };
    let entry: Entry | undefined;
    try {
      const unpacked = await unpack(join(path, codeName), makeRoom);
      if ("not" in unpacked) {
        if (unpacked.not === "refused") remember(this.#refused, key);
        if (!("error" in unpacked)) return this.#count(unpacked.not);
        this.#holdBack(key);
        return this.#count("failed", unpacked.error);
      }
      entry = { key, path, bytes: unpacked.bytes, uses: 0, touchedMs: Date.now() };
      this.#entries.set(key, entry);
      this.#uses.miss++;
      const held = this.#hold(entry);
      this.#follow(this.#seal(entry));
      return held;
    } catch (error) {
      // It may be what was unpacked that forbids trusting the container; the next one is sent the archive.
      this.#holdBack(key);
      throw error;
    } finally {
      if (isCopying) this.#reservedBytes = undefined;
      if (entry === undefined) this.#removal.add(path);
    }
  }

  /** What is not sealed is removed by the next life: nothing is believed to be on disk before it is. */
  async #seal(entry: Entry): Promise<void> {
    const isThere = (): boolean => this.#entries.get(entry.key) === entry;
    try {
      await sealEntry(entry, isThere);
    } catch (error) {
      if (isThere()) this.#tell("failed", error);
    }
  }

  #holdBack(key: string): void {
    remember(this.#failedUntilMs, key, this.#nowMs() + triedAgainAfterMs);
  }

  /** What there would be room for without all that is not in use. */
  get #freeableBytes(): number {
    const inUse = [...this.#entries.values()].reduce(
      (sum, { uses, bytes }) => sum + (uses > 0 ? bytes : 0),
      0,
    );
    return this.#limitBytes - inUse;
  }

  /** Less than it may have where the disk has not so much. */
  get #limitBytes(): number {
    return Math.min(this.#options.maxBytes, this.#bytes + this.#removal.bytes + this.#freeBytes());
  }

  #freeBytes(): number {
    const { folder, freeBytes } = this.#options;
    if (freeBytes !== undefined) return freeBytes() - leftFreeBytes;
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize - leftFreeBytes;
  }

  /** Gives up what was used longest ago and is not in use. */
  #makeRoom(bytes: number): boolean {
    if (bytes > this.#freeableBytes) return false;
    let surplus = this.#bytes + bytes - this.#limitBytes;
    for (const entry of this.#entries.values()) {
      if (surplus <= 0) break;
      if (entry.uses > 0) continue;
      surplus -= entry.bytes;
      this.#entries.delete(entry.key);
      this.#removal.add(entry.path, entry.bytes);
    }
    // What is still being removed is room for the next one.
    return bytes <= this.#freeBytes();
  }

  #follow(work: Promise<unknown>): void {
    this.#background.add(work);
    void work.then(() => this.#background.delete(work));
  }

  #count(use: "refused" | "full" | "busy" | "failed", error?: unknown): undefined {
    this.#uses[use]++;
    if (use === "full") this.#tell(use, error);
    else if (error !== undefined) this.#tell("failed", error);
    return undefined;
  }

  #tell(use: "full" | "failed", error: unknown): void {
    const { code, errnum } = (error ?? {}) as { readonly code?: unknown; readonly errnum?: unknown };
    const reason = [use, code, errnum].join();
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#options.onTrouble?.(use, error);
  }
}

async function endsWithin(patienceMs: number, work: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const late = sleep(patienceMs, false, { signal: waiting.signal }).catch(() => false);
  try {
    return await Promise.race([ended, late]);
  } finally {
    waiting.abort();
  }
}

/** Of so many archives. */
function remember(kept: Set<string> | Map<string, number>, key: string, number = 0): void {
  const [oldest] = kept.keys();
  if (kept.size === rememberedMax && oldest !== undefined) kept.delete(oldest);
  if (kept instanceof Map) kept.set(key, number);
  else kept.add(key);
}
