// What actions of the kind nodejs meet once they are loaded: states, outcomes and endings as in OpenWhisk's nodejs runtime.

import { expect } from "chai";
import { endSpares, invoke, resultsOf, withRuntime } from "./runtime.ts";

const hello = 'function main({ name }) { return { greeting: "hello " + name }; }';

const resultOf = resultsOf("nodejs");

after(endSpares);

describe("nodejs: states", () => {
  it("answers an init as stock does, and refuses a second one", async () => {
    await withRuntime("nodejs", async (runtime) => {
      expect(await runtime.init({ code: hello })).to.include({ status: 200, text: '{"OK":true}' });
      const again = await runtime.init({ code: hello });
      expect(again.status).to.equal(403);
      expect(again.body).to.deep.equal({ error: "Cannot initialize the action more than once." });
      expect((await runtime.run({ name: "Ada" })).body).to.deep.equal({ greeting: "hello Ada" });
    });
  });

  it("refuses an init without code or main, a run before init, and anything after a failed init", async () => {
    await withRuntime("nodejs", async (runtime) => {
      for (const code of [{ code: "" }, { code: hello, main: "" }]) {
        expect(await runtime.init(code)).to.deep.include({
          status: 403,
          body: { error: "Missing main/no code to execute." },
        });
      }
      expect(await runtime.run()).to.deep.include({
        status: 403,
        body: { error: "System not initialized." },
      });
      await runtime.init({ code: "nonsense" });
      const stopped = { status: 403, body: { error: "System not ready, status is stopped." } };
      expect(await runtime.init({ code: hello })).to.deep.include(stopped);
      expect(await runtime.run()).to.deep.include(stopped);
    });
  });

  it("keeps an action's state from run to run", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: "let n = 0; const main = () => ({ n: ++n });" });
      await runtime.run();
      expect((await runtime.run()).body).to.deep.equal({ n: 2 });
    });
  });

  it("puts the init environment and the texts of a run body into process.env", async () => {
    await withRuntime("nodejs", async (runtime) => {
      const code =
        "const early = process.env.STAGE; const main = () => ({ early, ...process.env, HOME: undefined, PATH: undefined });";
      await runtime.init({ code, env: { STAGE: "prod", __OW_NAMESPACE: "guest", EMPTY: "" } });
      const { body } = await runtime.run(
        {},
        { activation_id: "abc", deadline: "17", action_version: null, number: 5 },
      );
      expect(body).to.deep.equal({
        early: "prod",
        STAGE: "prod",
        EMPTY: "",
        __OW_API_HOST: "https://openwhisk.example",
        __OW_NAMESPACE: "guest",
        __OW_ACTIVATION_ID: "abc",
        __OW_DEADLINE: "17",
      });
    });
  });
});

describe("nodejs: outcomes", () => {
  const main = (body: string) => `function main(args) { ${body} }`;

  it("takes promises, thenables, timers and late promises", async () => {
    expect(await resultOf("async function main() { return { ok: 1 } }")).to.deep.equal({ ok: 1 });
    expect(await resultOf(main("return { then: (resolve) => resolve({ ok: 2 }) }"))).to.deep.equal({ ok: 2 });
    expect(await resultOf(main("return new Promise((r) => setTimeout(r, 20, { ok: 3 }))"))).to.deep.equal({
      ok: 3,
    });
    const read =
      'return require("fs").promises.readFile("/proc/self/comm").then((b) => ({ ok: b.length > 0 }))';
    expect(await resultOf(main(read))).to.deep.equal({ ok: true });
  });

  it("gives {} for undefined, arrays and null as they are, and drops what JSON does not know", async () => {
    expect(await resultOf(main(""))).to.deep.equal({});
    expect(await resultOf(main("return [1, args]"), { a: 1 })).to.deep.equal([1, { a: 1 }]);
    expect((await invoke("nodejs", { code: main("return null") })).text).to.equal("null");
    expect(await resultOf(main("return { a: undefined, f() {}, d: new Date(0) }"))).to.deep.equal({
      d: "1970-01-01T00:00:00.000Z",
    });
  });

  it("treats missing parameters as {} and refuses those that are no dictionary", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: main("return { args }") });
      expect((await runtime.run(null)).body).to.deep.equal({ args: {} });
      expect((await runtime.run([1])).body).to.deep.equal({ args: [1] });
      expect((await runtime.run("text")).status).to.equal(403);
    });
  });

  for (const value of ['"text"', "5", "true", "() => 1", "Symbol('s')", "10n"]) {
    it(`answers 502 for a result that is ${value}`, async () => {
      await withRuntime("nodejs", async (runtime) => {
        await runtime.init({ code: main(`return ${value}`) });
        const { status, body } = await runtime.run();
        expect(status).to.equal(502);
        expect(body).to.deep.equal({ error: "The action did not return a dictionary." });
        expect(runtime.stderr).to.match(/^Result must be of type object but has type "/);
      });
    });
  }

  it("serialises what a promise rejects with", async () => {
    const { error } = (await resultOf(
      'const main = async () => { const e = new TypeError("bad"); e.code = "E1"; e.extra = { list: [1] }; e.self = e; throw e; };',
    )) as { error: Record<string, unknown> };
    expect(error).to.deep.include({ name: "TypeError", message: "bad", code: "E1", extra: { list: [1] } });
    expect(error.self).to.equal("[Circular]");
    expect(error.stack).to.match(/^TypeError: bad\n {4}at main/);
    expect(await resultOf(main("return Promise.reject()"))).to.deep.equal({ error: {} });
    expect(await resultOf(main('return Promise.reject("why")'))).to.deep.equal({ error: "why" });
    expect(await resultOf(main("return Promise.reject({ statusCode: 418, body: 'tea' })"))).to.deep.equal({
      error: { statusCode: 418, body: "tea" },
    });
  });

  it("answers 502 when main throws at once, with the stack on stderr", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: main('throw new Error("boom")') });
      const { status, body } = await runtime.run();
      expect(status).to.equal(502);
      expect(body).to.deep.equal({ error: "An error has occurred: Error: boom" });
      expect(runtime.stderr).to.match(/Error: boom\n {4}at main/);
    });
  });

  it("answers 502 for a cycle and for a BigInt inside a result", async () => {
    for (const [code, text] of [
      [main("const a = {}; a.a = a; return a"), /circular structure/],
      [main("return { n: 10n }"), /BigInt/],
      [main("let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; return a"), /call stack/],
    ] as const) {
      const { status, body } = await invoke("nodejs", { code });
      expect(status).to.equal(502);
      expect((body as { error: string }).error).to.match(/^An error has occurred: /);
      expect((body as { error: string }).error).to.match(text);
    }
  });

  it("carries several megabytes, deep nesting and every sort of character both ways", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(900)}1${"}".repeat(900)}`);
    const value = { big: "x".repeat(6_000_000), deep, text: "grüße 🎉 \u2028 \ud800 \u0000" };
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: `// ${"é".repeat(2_000_000)}\nconst main = (args) => args;` });
      const { body } = await runtime.run(value);
      expect(body).to.deep.equal(value);
      expect((await runtime.run({ small: 1 })).body).to.deep.equal({ small: 1 });
    });
  });
});

describe("nodejs: output and endings", () => {
  it("has everything in the pipes before the answer, however much it is", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({
        code: 'function main() { console.log("o".repeat(400000)); console.error("e".repeat(400000)); Promise.resolve().then(() => console.log("micro")); process.nextTick(() => console.log("tick")); return {}; }',
      });
      await runtime.run();
      await new Promise((resolve) => setImmediate(resolve));
      expect(runtime.stdout).to.match(/^o{400000}\n(micro\ntick|tick\nmicro)\n$/);
      expect(runtime.stderr).to.have.length(400_001);
    });
  });

  it("lets go what an action holds back, and does not wait until it does so itself", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({
        code: `const { Duplex, Writable } = require("stream");
          function main() {
            for (const stream of [process.stdout, process.stderr, process.stderr]) stream.cork();
            process.stderr.uncork = Duplex.prototype.uncork = Writable.prototype.uncork = () => {};
            console.log("held");
            console.error("back");
            return { ok: 1 };
          }`,
      });
      expect((await runtime.run()).body).to.deep.equal({ ok: 1 });
      expect([runtime.stdout, runtime.stderr]).to.deep.equal(["held\n", "back\n"]);
    });
  });

  it("does not let process.exit overtake what was printed", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: 'function main() { console.log("o".repeat(400000)); process.exit(3); }' });
      await runtime.run().catch(() => {});
      expect(await runtime.ended).to.deep.equal({ status: 3, signal: null });
      expect(runtime.stdout).to.have.length(400_001);
    });
  });

  for (const [what, body] of Object.entries({
    "an exception outside the promise": 'setTimeout(() => { throw new Error("loose") }, 1)',
    "a rejection that nobody handles": 'setTimeout(() => Promise.reject(new Error("loose")), 1)',
  })) {
    it(`ends with the reason on stderr at ${what}`, async () => {
      await withRuntime("nodejs", async (runtime) => {
        await runtime.init({ code: `function main() { ${body}; return new Promise(() => {}); }` });
        await runtime.run().catch(() => {});
        expect((await runtime.ended).status).to.equal(1);
        expect(runtime.stderr).to.match(/Error: loose/);
      });
    });
  }

  it("waits for a promise that nothing will settle, as stock does", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: "function main() { return new Promise(() => {}); }" });
      const first = await Promise.race([
        runtime.run().catch(() => "gone"),
        new Promise((resolve) => setTimeout(resolve, 150, "waiting")),
      ]);
      expect(first).to.equal("waiting");
    });
  });
});

describe("nodejs: actions that tamper with their process", () => {
  for (const [what, code] of Object.entries({
    "replaces JSON.stringify and JSON.parse":
      'JSON.stringify = () => "no"; JSON.parse = () => ({ value: {} });',
    "breaks console and the streams":
      "console.error = console.log = () => { throw 1 }; process.stdout.write = process.stderr.write = () => { throw 2 };",
    "pollutes Object.prototype":
      'Object.defineProperty(Object.prototype, "error", { set() { throw 3 } }); Object.prototype.value = 5; Object.prototype.status = 1; Object.prototype.extra = "x";',
    "replaces fs and Buffer functions":
      'const fs = require("fs"); fs.readSync = fs.writeSync = () => 0; Buffer.byteLength = () => 0; Buffer.prototype.utf8Slice = Buffer.prototype.toString = Buffer.prototype.write = () => ""; Uint8Array.prototype.subarray = Uint8Array.prototype.set = () => {};',
    "replaces promises and ticks":
      "Promise.prototype.then = () => {}; process.nextTick = queueMicrotask = setTimeout = setInterval = () => {}; Reflect.apply = () => {}; Function.prototype.call = Function.prototype.bind = () => () => {};",
    "replaces process.exit, arrays' and strings' functions":
      "process.exit = process.reallyExit = () => {}; Array.prototype[Symbol.iterator] = undefined; Object.keys = () => []; String.prototype.toUpperCase = () => 'X'; TextEncoder.prototype.encodeInto = () => ({});",
  })) {
    it(`still answers an action that ${what}`, async () => {
      await withRuntime("nodejs", async (runtime) => {
        const start =
          "const { keys } = Object; const main = async ({ name }) => ({ name, id: process.env.__OW_ACTIVATION_ID });";
        expect((await runtime.init({ code: `${start} ${code}` })).status).to.equal(200);
        for (const name of ["one", "two"]) {
          const { body } = await runtime.run({ name }, { activation_id: name });
          expect(body).to.deep.equal({ name, id: name });
        }
      });
    });
  }

  it("ends an action that closes the channel, with a line on stderr", async () => {
    await withRuntime("nodejs", async (runtime) => {
      await runtime.init({ code: 'function main() { require("fs").closeSync(3); return {}; }' });
      await runtime.run().catch(() => {});
      expect((await runtime.ended).status).to.equal(70);
      expect(runtime.stderr).to.match(/action proxy: the channel is broken: .*EBADF/);
    });
  });
});
