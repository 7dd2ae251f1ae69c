// Several runs of one action at a time in one nodejs proxy.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { holdsWithin } from "../within.ts";
import { type Answer, endSpares, frame, otherNodes, type Runtime, withRuntime } from "./runtime.ts";

const nonceOf = (number: number): Buffer => Buffer.alloc(16, number);
const sharedRun = (number: number, value: object): Buffer =>
  frame(5, Buffer.from(JSON.stringify({ value, activation_id: `id${number}` })), nonceOf(number));

/** Waits until a neighbour of a larger number calls, or as long as it is told. */
const code = `
  let running = 0, most = 0, wake = () => {};
  async function main({ waits, ms, prints, throws, fails }) {
    most = Math.max(most, ++running);
    if (prints) console.log(prints);
    if (throws) { running--; throw new Error("at once"); }
    if (waits) await new Promise((resolve) => { wake = resolve; });
    else if (ms) await new Promise((resolve) => setTimeout(resolve, ms));
    else wake();
    running--;
    return fails ? 42 : { most, id: process.env.__OW_ACTIVATION_ID };
  }`;

async function receive(runtime: Runtime, count: number): Promise<ReadonlyMap<number, Answer>> {
  const answers = new Map<number, Answer>();
  for (let i = 0; i < count; i++) {
    const answer = await runtime.receive();
    answers.set(answer.nonce[0] ?? 0, answer);
  }
  return answers;
}

/** True: the main thread blocks in a system call on descriptor 3, and sleeps. */
function isReading(runtime: Runtime): boolean {
  const [call, fd] = readFileSync(`/proc/${runtime.process.pid}/syscall`, "utf8").split(" ");
  return call === "0" && fd === "0x3";
}

after(endSpares);

describe("nodejs: neighbours", () => {
  for (const node of [process.execPath, ...otherNodes()]) {
    it(`run at the same time and are answered in the order of their ends, on ${node}`, async () => {
      await withRuntime(
        "nodejs",
        async (runtime) => {
          await runtime.init({ code });
          runtime.send(sharedRun(1, { waits: true }));
          expect(await holdsWithin(60_000, () => !isReading(runtime))).to.equal(true);
          runtime.send(sharedRun(2, {}));
          const first = await runtime.receive();
          expect(first.nonce.equals(nonceOf(2))).to.equal(true);
          expect(first.body).to.deep.equal({ most: 2, id: "id2" });
          const second = await runtime.receive();
          expect(second.nonce.equals(nonceOf(1))).to.equal(true);
          expect(second.body, "the environment is that of the last one").to.deep.equal({
            most: 2,
            id: "id2",
          });
        },
        node,
      );
    });
  }

  it("are taken from one piece as well as from many, and each gets its own answer", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      const numbers = Array.from({ length: 100 }, (_, i) => i + 1);
      const frames = Buffer.concat(
        numbers.map((n) => sharedRun(n, { ms: 1 + (n % 7), text: "x".repeat(n * 50) })),
      );
      for (let at = 0; at < frames.length; at += 9973) {
        runtime.send(frames.subarray(at, at + 9973));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const answers = await receive(runtime, 100);
      expect([...answers.keys()].sort((a, b) => a - b)).to.deep.equal(numbers);
      expect([...answers.values()].every(({ status }) => status === 200)).to.equal(true);
    });
  });

  it("leave the main thread as it was: blocked in read(2), the descriptor blocking and watched by nobody", async () => {
    const facts = (runtime: Runtime): string[] => {
      const { pid } = runtime.process;
      const watched = /^tfd: +3 /m;
      const epolls = Array.from({ length: 40 }, (_, fd) => fd).flatMap((fd) => {
        try {
          const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
          return text.includes("tfd:") ? [`${fd} ${watched.test(text)}`] : [];
        } catch {
          return [];
        }
      });
      return [...epolls, /flags:.*/.exec(readFileSync(`/proc/${pid}/fdinfo/3`, "utf8"))?.[0] ?? ""];
    };
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      expect(await holdsWithin(60_000, () => isReading(runtime))).to.equal(true);
      const before = facts(runtime);
      for (let round = 0; round < 3; round++) {
        runtime.send(Buffer.concat([sharedRun(1, { waits: true }), sharedRun(2, { ms: 20 })]));
        expect(await holdsWithin(60_000, () => facts(runtime).join() !== before.join())).to.equal(true);
        runtime.send(sharedRun(3, {}));
        await receive(runtime, 3);
        expect(await holdsWithin(60_000, () => isReading(runtime))).to.equal(true);
        expect(facts(runtime)).to.deep.equal(before);
      }
      expect((await runtime.run()).status, "and a run alone is served").to.equal(200);
    });
  });

  it("have all that was printed before the answer in the pipe, whoever printed it", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      runtime.send(
        Buffer.concat([sharedRun(1, { waits: true, prints: "one" }), sharedRun(2, { prints: "two" })]),
      );
      await receive(runtime, 2);
      expect(runtime.stdout).to.equal("one\ntwo\n");
    });
  });

  it("go on when one returns what is no result, and when a promise rejects", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      runtime.send(Buffer.concat([sharedRun(1, { waits: true }), sharedRun(2, { fails: true, ms: 1 })]));
      runtime.send(sharedRun(3, { throws: true }));
      const early = await receive(runtime, 2);
      expect(early.get(2)?.status).to.equal(502);
      expect(early.get(3)?.text).to.contain("at once");
      runtime.send(sharedRun(4, {}));
      const late = await receive(runtime, 2);
      expect([late.get(1)?.status, late.get(4)?.status]).to.deep.equal([200, 200]);
    });
  });

  it("are told apart from one that runs alone: a second one of that sort waits", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      runtime.send(frame(2, Buffer.from('{"value":{"ms":30}}'), nonceOf(1)));
      runtime.send(frame(2, Buffer.from('{"value":{}}'), nonceOf(2)));
      const [first, second] = [await runtime.receive(), await runtime.receive()];
      expect([first.nonce[0], second.nonce[0]]).to.deep.equal([1, 2]);
      expect(second.body).to.have.property("most", 1);
    });
  });

  it("end with the process when one of them ends it, or something else than a run comes", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      runtime.send(sharedRun(1, { waits: true }));
      runtime.send(frame(1, Buffer.alloc(4), nonceOf(2)));
      expect((await runtime.ended).status).to.equal(70);
      expect(runtime.stderr).to.match(/a frame of type 1 among runs/);
    });
  });

  it("end when the channel is closed while they run", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code });
      runtime.send(sharedRun(1, { waits: true }));
      expect(await holdsWithin(60_000, () => !isReading(runtime))).to.equal(true);
      runtime.hangUp();
      expect(await runtime.ended).to.deep.equal({ status: 0, signal: null });
    });
  });
});
