// One container's life against a scripted runtime, with real descriptors.

import { expect } from "chai";
import { Container } from "../../../pool/container.ts";
import { LeanError } from "../../../pool/lean/errors.ts";
import { defaultPoolSettings, type InitFrame, type PoolSettings, TaintError } from "../../../pool/types.ts";
import { RestorerError } from "../../../restorer/index.ts";
import { holdsWithin } from "../../within.ts";
import { type FakeCheckpoint, FakeMachine, type FakeSandbox } from "./fake-machine.ts";

const limits = { timeoutMs: 10_000, maxBodyBytes: 1_000_000, keptBodyBytes: 1_000_000 };
const init: InitFrame = { name: "a", main: "main", binary: false, env: {}, code: undefined };
const job = { kind: "nodejs:20", memoryMB: 256, owner: "a" };

describe("a container", () => {
  const made: Container[] = [];
  const lost: Container[] = [];

  async function started(
    machine = new FakeMachine(),
    settings: Partial<PoolSettings> = {},
  ): Promise<{
    container: Container;
    sandbox: FakeSandbox;
    checkpoint: FakeCheckpoint;
    machine: FakeMachine;
  }> {
    const order = { id: 1, kind: "nodejs:20", memoryMB: 256 };
    const container = new Container(
      order,
      machine,
      { ...defaultPoolSettings, userMemoryMB: 1024, ...settings },
      { onLost: (it) => lost.push(it), levelRoomBytes: () => 0 },
    );
    made.push(container);
    await container.start();
    const [sandbox] = machine.sandboxes;
    const [checkpoint] = machine.checkpoints;
    if (sandbox === undefined || checkpoint === undefined) throw new Error("nothing was made");
    return { container, sandbox, checkpoint, machine };
  }

  async function rejection(promise: Promise<unknown>): Promise<TaintError> {
    const error: unknown = await promise.then(() => undefined).catch((reason: unknown) => reason);
    if (!(error instanceof TaintError)) throw new Error(`no taint: ${String(error)}`);
    return error;
  }

  afterEach(async () => {
    for (const container of made.splice(0)) {
      if (container.state === "gone") continue;
      container.taint(new TaintError("system", "the test is over"));
      await container.destroy();
    }
    lost.length = 0;
  });

  it("is clean only after its checkpoint was taken and a first rewind proved it", async () => {
    const { container, sandbox, checkpoint } = await started();
    expect(container.state).to.equal("clean");
    expect(checkpoint.verified).to.deep.equal([true]);
    expect(sandbox.emptied).to.equal(1);
  });

  it("runs a job, is put back and is clean again", async () => {
    const { container, sandbox, checkpoint } = await started();
    container.assign(job, 1);
    expect((await container.init(init, limits)).exchange).to.include({ outcome: "answer", status: 200 });
    const run = await container.run('{"value":{}}', limits);
    expect(run.exchange).to.include({ outcome: "answer", body: '{"ok":true}' });
    expect(run.endMs).to.be.at.least(run.startMs);
    container.beginRewind();
    await container.rewind();
    expect(container.state).to.equal("clean");
    expect(container.owner).to.equal(undefined);
    expect(sandbox.killedOthers).to.equal(2);
    expect(checkpoint.verified.length).to.equal(2);
  });

  it("verifies its first rewinds and one in so many later on", async () => {
    const { container, checkpoint } = await started(new FakeMachine(), { verifyFirst: 3, verifyOneIn: 5 });
    for (let i = 0; i < 10; i++) {
      container.assign(job, i);
      container.beginRewind();
      await container.rewind();
    }
    const verified = checkpoint.verified.flatMap((verify, rewind) => (verify ? [rewind] : []));
    expect(verified).to.deep.equal([0, 1, 2, 5, 10]);
  });

  it("gets the memory of its job, and gives back what exceeds its own", async () => {
    const { container, sandbox } = await started();
    container.assign({ ...job, memoryMB: 512 }, 1);
    expect([sandbox.memoryMB, container.memoryMB]).to.deep.equal([512, 512]);
    container.beginRewind();
    await container.rewind();
    expect([sandbox.memoryMB, container.memoryMB]).to.deep.equal([256, 256]);
  });

  it("is not given to a job that wants one which nobody has used, once somebody has", async () => {
    const { container } = await started();
    container.assign({ ...job, rewind: "fresh" }, 1);
    expect(container.isUsedUp).to.equal(true);
    container.spend();
    const { container: other } = await started();
    other.assign(job, 1);
    other.beginRewind();
    await other.rewind();
    expect(() => other.assign({ ...job, rewind: "fresh" }, 2)).to.throw(TaintError, /used before/);
    expect(other.state).to.equal("tainted");
  });

  it("leaves without a rewind once it has served long enough", async () => {
    const { container, checkpoint } = await started();
    const before = checkpoint.verified.length;
    container.assign(job, 1);
    container.retire();
    expect(container.state).to.equal("removing");
    expect(checkpoint.verified.length).to.equal(before);
  });

  it("has all that was printed before the answer, and nothing printed after it", async () => {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => {
      runtime.print(`out ${request.type}\npartial`);
      runtime.printError("err\n");
      runtime.answer(request, 200, "{}");
    };
    const { container, sandbox } = await started(machine);
    container.assign(job, 1);
    container.keepLogs(1000);
    await container.run("{}", limits);
    const { lines } = await container.collectLogs();
    expect(lines.map((line) => line.slice(31))).to.have.members([
      "stdout: out 2",
      "stdout: partial",
      "stderr: err",
    ]);
    sandbox.runtime.print("too late\n");
    container.beginRewind();
    await container.rewind();
    container.assign(job, 2);
    container.keepLogs(1000);
    expect((await container.collectLogs()).lines).to.deep.equal([]);
  });

  it("reads floods so that nobody blocks, and keeps no more than the limit", async () => {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => {
      const flood = (left: number): void => {
        if (left === 0) {
          runtime.answer(request, 200, "{}");
          return;
        }
        let printed = 1;
        try {
          runtime.print(Buffer.alloc(32_768, "flood\n"));
        } catch {
          printed = 0;
        }
        setImmediate(flood, left - printed);
      };
      flood(100);
    };
    const { container } = await started(machine);
    container.assign(job, 1);
    container.keepLogs(1000 * (71 + "flood".length));
    expect((await container.run("{}", { ...limits, timeoutMs: 5000 })).exchange.outcome).to.equal("answer");
    const { lines, truncated } = await container.collectLogs();
    expect(truncated).to.equal(true);
    expect(lines.length).to.equal(1001);
  });

  it("can be put back after a time-out", async () => {
    const machine = new FakeMachine();
    machine.behave = () => undefined;
    const { container } = await started(machine);
    container.assign(job, 1);
    expect((await container.run("{}", { ...limits, timeoutMs: 20 })).exchange).to.deep.equal({
      outcome: "timeout",
    });
    container.beginRewind();
    await container.rewind();
    expect(container.state).to.equal("clean");
  });

  it("is tainted when its runtime ends, and says how it ended", async () => {
    const machine = new FakeMachine();
    machine.behave = () => machine.sandboxes[0]?.die({ status: 3 });
    const { container } = await started(machine);
    container.assign(job, 1);
    const { exchange } = await container.init(init, limits);
    expect(exchange).to.deep.include({ outcome: "gone", oomKilled: false });
    expect(exchange).to.have.nested.property("exit.status", 3);
    expect(container.state).to.equal("tainted");
    expect(container.fault?.reason).to.equal("process-gone");
  });

  it("has the answer that was written just before the end, and sees the end though the channel stays open", async () => {
    const machine = new FakeMachine();
    machine.behave = (request, runtime) => {
      runtime.answer(request, 200, `{"x":"${"y".repeat(100_000)}"}`);
      machine.sandboxes[0]?.die({}, { closing: false });
    };
    const { container } = await started(machine);
    container.assign(job, 1);
    const { exchange } = await container.run("{}", limits);
    expect(exchange).to.deep.include({ outcome: "answer", bodyBytes: 100_008 });
    expect((await container.run("{}", limits)).exchange.outcome).to.equal("gone");
  });

  it("has begun nothing when its runtime ends without having read the question, though the channel stays open", async () => {
    const machine = new FakeMachine();
    const { container } = await started(machine);
    const [sandbox] = machine.sandboxes;
    container.assign(job, 1);
    sandbox?.runtime.socket.pause();
    const asked = container.run("{}", limits);
    sandbox?.die({}, { closing: false });
    expect((await asked).exchange.outcome).to.equal("unavailable");
    expect(container.fault?.reason).to.equal("process-gone");
  });

  it("knows death by memory from the exit, or from the counter where the exit says nothing", async () => {
    for (const behave of [
      (machine: FakeMachine) => machine.sandboxes[0]?.die({ cause: "signal", status: 9, oomKilled: true }),
      (machine: FakeMachine) => {
        const [sandbox] = machine.sandboxes;
        if (sandbox !== undefined) sandbox.ooms = 1;
        sandbox?.runtime.socket.destroy();
      },
    ]) {
      const machine = new FakeMachine();
      machine.behave = () => behave(machine);
      const { container } = await started(machine);
      container.assign(job, 1);
      expect((await container.run("{}", limits)).exchange).to.include({ outcome: "gone", oomKilled: true });
    }
  });

  it("is tainted by garbage on its channel", async () => {
    const machine = new FakeMachine();
    machine.behave = (_request, runtime) => void runtime.socket.write("printed to the wrong descriptor\n");
    const { container } = await started(machine);
    container.assign(job, 1);
    expect((await container.run("{}", limits)).exchange.outcome).to.equal("garbled");
    expect(container.fault?.reason).to.equal("channel");
  });

  it("is lost when its runtime ends while nobody uses it", async () => {
    const { container, sandbox } = await started();
    sandbox.die();
    expect(await holdsWithin(60_000, () => container.state === "tainted")).to.equal(true);
    expect(lost).to.deep.equal([container]);
  });

  describe("whose rewind", () => {
    const failures: readonly (readonly [
      string,
      (parts: Awaited<ReturnType<typeof started>>) => void,
      string,
    ])[] = [
      [
        "is refused",
        ({ checkpoint }) => {
          checkpoint.behave = () =>
            Promise.reject(Object.assign(new Error("a thread is gone"), { code: "lost-thread" }));
        },
        "lost-thread",
      ],
      [
        "fails in a way nobody foresaw",
        ({ checkpoint }) => {
          checkpoint.behave = () => Promise.reject(new Error("what?"));
        },
        "system",
      ],
      [
        "does not return",
        ({ checkpoint, sandbox }) => {
          checkpoint.behave = () => sandbox.exited.then(() => undefined);
        },
        "freeze-timeout",
      ],
      ["leaves an answer nobody asked for", ({ sandbox }) => sandbox.runtime.ready(), "channel"],
      [
        "leaves processes behind",
        ({ sandbox }) => {
          sandbox.killOthers = () => Promise.reject(new LeanError("survivor", "one is left"));
        },
        "survivor",
      ],
      [
        "made processes while others were killed",
        ({ sandbox }) => {
          sandbox.allowOthers = () => {
            throw new LeanError("survivor", "one is left");
          };
        },
        "survivor",
      ],
      [
        "leaves files behind",
        ({ sandbox }) => {
          sandbox.emptyScratch = () => Promise.reject(new RestorerError("scratch", "one is left", false));
        },
        "scratch",
      ],
      [
        "leaves sockets behind",
        ({ sandbox }) => {
          sandbox.awaitNoSockets = () => Promise.reject(new LeanError("survivor", "one is left"));
        },
        "survivor",
      ],
    ];
    for (const [what, arrange, reason] of failures) {
      it(`${what} is tainted: ${reason}`, async () => {
        // Long enough for the first rewind, which is a part of the start.
        const rewindTimeoutMs = reason === "freeze-timeout" ? 1000 : 60_000;
        const parts = await started(new FakeMachine(), { rewindTimeoutMs });
        const { container, checkpoint } = parts;
        container.assign(job, 1);
        container.beginRewind();
        arrange(parts);
        const error = await rejection(container.rewind());
        expect(error.reason).to.equal(reason);
        expect(container.state).to.equal("tainted");
        expect(() => container.assign(job, 2), "never offered again").to.throw();
        await container.destroy();
        expect(container.state).to.equal("gone");
        expect(checkpoint.isReleased).to.equal(true);
      });
    }
  });

  it("whose runtime is killed by its memory limit during the rewind says so, and keeps the reason", async () => {
    const { container, sandbox, checkpoint } = await started();
    container.assign(job, 1);
    container.beginRewind();
    checkpoint.behave = () => {
      sandbox.ooms++;
      return Promise.reject(new RestorerError("process-gone", "the process has ended", false));
    };
    const error = await rejection(container.rewind());
    expect(error.reason).to.equal("process-gone");
    expect(error.message).to.match(/has ended.*want of memory.*256 MB/);
    expect(container.state).to.equal("tainted");
  });

  it("whose memory cannot be limited is tainted", async () => {
    const { container, sandbox } = await started();
    sandbox.setMemoryMB = () => {
      throw new Error("EBUSY");
    };
    expect(() => container.assign({ ...job, memoryMB: 128 }, 1)).to.throw(TaintError);
    expect(container.state).to.equal("tainted");
  });

  it("that was given more memory has it until it is at its base again, and longer where the kernel still has pages of it", async () => {
    const { container, sandbox } = await started();
    const refused: number[] = [];
    const setMemoryMB = sandbox.setMemoryMB.bind(sandbox);
    sandbox.setMemoryMB = (memoryMB) => {
      if (memoryMB < sandbox.memoryMB && refused.push(memoryMB) === 1)
        throw Object.assign(new Error("busy"), { code: "EBUSY" });
      setMemoryMB(memoryMB);
    };
    for (const left of [512, 256]) {
      container.assign({ ...job, memoryMB: 512 }, 1);
      expect([container.memoryMB, sandbox.memoryMB]).to.deep.equal([512, 512]);
      container.beginRewind();
      await container.rewind();
      expect([container.state, container.memoryMB, sandbox.memoryMB]).to.deep.equal(["clean", left, left]);
    }
    expect(refused).to.deep.equal([256, 256]);
  });

  it("whose memory cannot be limited at its base, for another reason, is tainted", async () => {
    const { container, sandbox } = await started();
    container.assign({ ...job, memoryMB: 512 }, 1);
    sandbox.setMemoryMB = () => {
      throw Object.assign(new Error("none"), { code: "ENOENT" });
    };
    container.beginRewind();
    expect((await rejection(container.rewind())).reason).to.equal("system");
    expect(container.state).to.equal("tainted");
  });

  it("whose runtime never greets is not clean", async () => {
    const machine = new FakeMachine();
    machine.isSilent = true;
    const error = await rejection(started(machine, { startTimeoutMs: 30 }));
    expect(error.message).to.equal("no READY within 30 ms");
    expect(made[0]?.state).to.equal("tainted");
  });

  it("whose runtime ends before it greets says how", async () => {
    const machine = new FakeMachine();
    machine.isSilent = true;
    const start = rejection(started(machine));
    expect(await holdsWithin(60_000, () => machine.sandboxes.length === 1)).to.equal(true);
    machine.sandboxes[0]?.die({ cause: "failed", status: 0, message: "mount /tmp: no space" });
    expect((await start).message).to.contain("mount /tmp: no space");
  });
});
