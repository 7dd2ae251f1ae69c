// All archives of the corpus and of the hostile actions, out of the code store: each is answered as without it, every time.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CodeStore, type PoolSettings } from "../../pool/index.ts";
import { complaint, families, type Json, loadCorpus, readCode } from "../corpus.ts";
import { hostileCode, hostileComplaint, loadHostile } from "../hostile.ts";
import { RealInvoker } from "./real-invoker.ts";

const [ownLine] = process.versions.node.split(".");
const kinds = { nodejs: `nodejs:${ownLine}`, python: "python:3", ruby: "ruby:3" } as const;
const statuses = ["success", "application error", "developer error", "whisk error"] as const;
const memoryMB = 512;
const storeBytes = 2 ** 30;
/** Unpacked, and out of the store. */
const rounds = 2;
const patienceMs = 900_000;
/** What unpacks to more than the memory limit costs the container, as it does without the store. */
const endsRuntime = /exhausted its memory/;

for (const family of families) {
  const kind = kinds[family];
  describe(`archives out of the code store in one ${kind} container`, () => {
    let folder: string;
    let codes: CodeStore;
    let real: RealInvoker;

    async function start(pool: Partial<PoolSettings> = {}): Promise<void> {
      folder = mkdtempSync(join(tmpdir(), "rewhisk-codes-"));
      codes = new CodeStore({ folder: join(folder, "code"), maxBytes: storeBytes });
      const settings = {
        ...{ userMemoryMB: memoryMB, stemCells: [{ kind, count: 1, memoryMB }] },
        ...{ verifyFirst: Number.POSITIVE_INFINITY, ...pool },
      };
      real = await RealInvoker.start(settings, "codes", undefined, 1, {}, codes);
    }
    afterEach(async () => {
      await real.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const archives = loadCorpus().filter((action) => action.family === family && action.binary);
    for (const levelMemoryMB of [0, 512])
      it(`answer as they should, each time${levelMemoryMB > 0 ? ", at their action checkpoints too" : ""}`, async () => {
        await start({ levelMemoryMB });
        for (const action of archives) {
          const { name, main, binary } = action;
          const limits = { memoryMB, timeoutMs: 60_000 };
          real.put(name, { kind, code: readCode(action), binary, ...limits, ...(main ? { main } : {}) });
        }
        for (let round = 0; round < rounds; round++)
          for (const { name, env, invocations } of archives)
            for (const [i, invocation] of invocations.entries()) {
              const { record } = await real.run(name, { ...env, ...invocation.value }, Object.keys(env));
              const result = (record.response.result ?? null) as Json;
              expect(complaint(invocation, result), `${name} ${i}, round ${round}`).to.equal(undefined);
            }
        expect(codes.counts.uses).to.include({ miss: archives.length, refused: 0, full: 0, failed: 0 });
        expect(real.taints()).to.deep.equal([]);
      }).timeout(patienceMs);

    const hostile = loadHostile().filter((action) => action.family === family && action.binary);
    if (hostile.length > 0)
      it("are told what OpenWhisk owes them when they are hostile", async () => {
        await start();
        let exhausted = 0;
        for (const action of hostile) {
          const { name, binary, timeoutMs, logsMB, value } = action;
          real.put(name, {
            kind,
            code: hostileCode(action),
            binary,
            memoryMB: action.memoryMB,
            timeoutMs,
            logsMB,
          });
          for (let round = 0; round < rounds; round++) {
            const { record } = await real.run(name, value);
            const answer = {
              status: statuses[record.response.statusCode],
              result: (record.response.result ?? null) as Json,
            };
            if (endsRuntime.test(JSON.stringify(answer.result))) exhausted++;
            expect(hostileComplaint(action, answer), `${name}, round ${round}`).to.equal(undefined);
          }
        }
        expect(real.taints()).to.have.lengthOf(exhausted);
      }).timeout(patienceMs);
  });
}
