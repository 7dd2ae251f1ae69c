// Activations for a live page to show: many actions of two kinds, some that fail, some that cost their container.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AdminServer, serveAdmin } from "../../invoker/http.ts";
import { RealInvoker } from "../system/real-invoker.ts";

const hostile = fileURLToPath(new URL("../../../../test/actions/hostile/", import.meta.url));
const [username, password] = ["operator", "page"];
const kinds = { nodejs: `nodejs:${process.versions.node.split(".")[0]}`, python: "python:3" } as const;
/** Two are enough for a page. */
const families = ["nodejs", "python"] as const;
const distinct = 40;
const callers = 3;

/** Rare among the others: how many calls come between two. */
const rare = [
  { name: "throws", file: "nodejs/throws.js", every: 37 },
  { name: "exits", file: "nodejs/exits.js", every: 211 },
  { name: "crashes", file: "python/crashes.py", every: 293 },
  { name: "closes", file: "nodejs/closes-channel.js", every: 397 },
  { name: "garbage", file: "nodejs/garbage-in-channel.js", every: 523 },
] as const;

const code = {
  nodejs: (n: number): string =>
    `exports.main = () => { let x = []; for (let i = 0; i < ${n * 400}; i++) x.push(i); return { n: x.length }; }`,
  python: (n: number): string => `def main(args):\n    return {"n": len([i for i in range(${n * 400})])}\n`,
} as const;

export class LoadedPage {
  readonly #real: RealInvoker;
  readonly #admin: AdminServer;
  readonly #ended: Promise<unknown>;
  #isEnding: boolean = false;

  private constructor(real: RealInvoker, admin: AdminServer) {
    this.#real = real;
    this.#admin = admin;
    for (const family of families)
      for (let n = 0; n < distinct; n++)
        real.put(`${family}${n}`, { kind: kinds[family], code: code[family](n), memoryMB: 128 });
    for (const { name, file } of rare) {
      const kind = kinds[file.startsWith("nodejs") ? "nodejs" : "python"];
      real.put(name, { kind, code: readFileSync(`${hostile}${file}`), memoryMB: 128, timeoutMs: 2000 });
    }
    this.#ended = Promise.all(Array.from({ length: callers }, (_, i) => this.#call(i)));
  }

  /** With so many containers, half of each kind; some of them stay unused. */
  static async start(containers: number): Promise<LoadedPage> {
    const memoryMB = 128;
    const stemCells = families.map((family) => ({ kind: kinds[family], count: containers / 2, memoryMB }));
    const real = await RealInvoker.start(
      { userMemoryMB: containers * memoryMB * 1.25, stemCells, rewind: "always" },
      "page",
    );
    const admin = await serveAdmin(real.invoker, {
      ...{ host: "127.0.0.1", port: 0, username, password, showsMetrics: true, tls: undefined },
      transactionHeader: "X-Request-ID",
    });
    return new LoadedPage(real, admin);
  }

  get url(): string {
    return `http://${username}:${password}@127.0.0.1:${this.#admin.port}/ui`;
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#ended;
    await this.#admin.close();
    await this.#real.stop();
  }

  async #call(caller: number): Promise<void> {
    for (let call = caller; !this.#isEnding; call += callers) {
      const other = rare.find(({ every }) => call % every === every - 1);
      const family = families[call % 2] ?? "nodejs";
      await this.#real.run(other?.name ?? `${family}${(call * 7) % distinct}`);
    }
  }
}
