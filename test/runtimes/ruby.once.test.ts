// What actions of the kind ruby meet: states, outcomes and error texts as in OpenWhisk's ruby runtime.

import { expect } from "chai";
import { endSpares, frame, invoke, resultsOf, withRuntime } from "./runtime.ts";

const hello = "def main(args)\n  { greeting: \"hello #{args['name']}\" }\nend\n";
const notRun = { error: "Invalid Action: An error occurred running the action" };
const noDictionary = { error: "The action did not return a dictionary or array." };

const resultOf = resultsOf("ruby");

after(endSpares);

describe("ruby: states", () => {
  it("answers an init as stock does, and refuses a second one", async () => {
    await withRuntime("ruby", async (runtime) => {
      expect(await runtime.init({ code: hello })).to.include({ status: 200, text: '{"OK":true}' });
      expect(await runtime.init({ code: hello })).to.deep.include({
        status: 403,
        body: { error: "Cannot initialize the action more than once." },
      });
      expect((await runtime.run({ name: "Ada" })).body).to.deep.equal({ greeting: "hello Ada" });
    });
  });

  it("refuses an init without code and a run before init", async () => {
    await withRuntime("ruby", async (runtime) => {
      expect(await runtime.init({ code: "" })).to.deep.include({
        status: 500,
        body: { error: "Missing main/no code to execute." },
      });
      expect(await runtime.run()).to.deep.include({
        status: 500,
        body: { error: "Invalid Action: no action file found" },
      });
    });
  });

  it("puts the init environment and the texts of a run body into ENV", async () => {
    await withRuntime("ruby", async (runtime) => {
      const code = "EARLY = ENV['STAGE']\ndef main(args)\n  ENV.to_h.merge('early' => EARLY)\nend\n";
      await runtime.init({ code, env: { STAGE: "prod", __OW_NAMESPACE: "guest" } });
      const { body } = await runtime.run({}, { activation_id: "abc", action_version: null, number: 5 });
      const { HOME: _home, PATH: _path, ...rest } = body as Record<string, string>;
      expect(rest).to.deep.equal({
        early: "prod",
        STAGE: "prod",
        __OW_API_HOST: "https://openwhisk.example",
        __OW_NAMESPACE: "guest",
        __OW_ACTIVATION_ID: "abc",
      });
    });
  });

  it("answers 500 for a variable that cannot be set", async () => {
    await withRuntime("ruby", async (runtime) => {
      const { status, body } = await runtime.init({ code: hello, env: { "a=b": "x" } });
      expect(status).to.equal(500);
      expect((body as { error: string }).error).to.match(/^Invalid Ruby Code: .*a=b/);
    });
  });
});

describe("ruby: outcomes", () => {
  const main = (body: string) => `def main(args)\n  ${body}\nend\n`;

  it("writes the result as stock does: compact, unescaped", async () => {
    const { text } = await invoke("ruby", { code: main('{ a: { "n" => 1 }, s: "grüße", t: :symbol }') });
    expect(text).to.equal('{"a":{"n":1},"s":"grüße","t":"symbol"}');
  });

  it("takes arrays, and missing parameters as {}", async () => {
    expect(await resultOf(main("[1, args]"), { a: 1 })).to.deep.equal([1, { a: 1 }]);
    expect(await resultOf(main("{ args: args }"), null)).to.deep.equal({ args: {} });
  });

  for (const value of ["'text'", "5", "nil", "Object.new"]) {
    it(`answers 502 for a result that is ${value}`, async () => {
      expect(await invoke("ruby", { code: main(value) })).to.deep.include({
        status: 502,
        body: noDictionary,
      });
    });
  }

  for (const [what, body] of [
    ["raises an exception", 'raise "böse"'],
    ["raises one that is no StandardError", "raise NotImplementedError"],
    ["exits", "exit 3"],
    ["aborts with a message", "abort 'sorry'"],
    ["recurses for ever", "main(args)"],
    ["returns a cycle", "args['a'] = args"],
    ["returns what is nested without end", "10_000.times.inject({}) { |a, _| { a: a } }"],
    ["returns what JSON has no number for", "{ a: Float::NAN }"],
    ["returns bytes that are no text", '{ a: "\\xff" }'],
    ["throws", "throw :nowhere"],
    ["ends its thread", "Thread.exit"],
  ] as const) {
    it(`answers 502 for an action that ${what}, as stock does, and goes on`, async () => {
      await withRuntime("ruby", async (runtime) => {
        await runtime.init({ code: main(`return { went: 'on' } if args['again']\n  ${body}`) });
        expect(await runtime.run()).to.deep.include({ status: 502, body: notRun });
        expect((await runtime.run({ again: true })).body).to.deep.equal({ went: "on" });
      });
    });
  }

  it("shows an exception with its line on stderr", async () => {
    await withRuntime("ruby", async (runtime) => {
      await runtime.init({ code: main('raise ArgumentError, "böse"') });
      await runtime.run();
      expect(runtime.stderr).to.match(/main\.rb:2:in `main': böse \(ArgumentError\)\n/);
    });
  });

  it("carries several megabytes and deep nesting both ways", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(300)}1${"}".repeat(300)}`);
    const value = { big: "x".repeat(6_000_000), deep, text: "grüße 🎉 \u2028 \u0000" };
    await withRuntime("ruby", async (runtime) => {
      await runtime.init({ code: `# ${"é".repeat(2_000_000)}\n${main("args")}` });
      const { body } = await runtime.run(value);
      expect(body).to.deep.equal(value);
      expect((await runtime.run({ small: 1 })).body).to.deep.equal({ small: 1 });
    });
  });

  it("answers 502 for parameters that are nested too deeply", async () => {
    await withRuntime("ruby", async (runtime) => {
      await runtime.init({ code: hello });
      runtime.send(frame(2, Buffer.from(`{"value":${'{"a":'.repeat(100_000)}1${"}".repeat(100_001)}`)));
      const { status, body } = await runtime.receive();
      expect(status).to.equal(502);
      expect(body).to.deep.equal({ error: "The action's parameters are nested too deeply." });
    });
  });
});

describe("ruby: output, endings, tampering", () => {
  it("has everything in the pipes before the answer, however much it is", async () => {
    await withRuntime("ruby", async (runtime) => {
      await runtime.init({
        code: "def main(args)\n  STDOUT.sync = false\n  puts 'o' * 400000\n  print 'rest'\n  $stderr.write('e' * 400000)\n  {}\nend\n",
      });
      await runtime.run();
      await new Promise((resolve) => setImmediate(resolve));
      expect(runtime.stdout).to.match(/^o{400000}\nrest$/);
      expect(runtime.stderr).to.have.length(400_000);
    });
  });

  it("warns of what Ruby warns of, and not of the timers that lean containers lack", async () => {
    await withRuntime("ruby", async (runtime) => {
      const late =
        'Warning.warn("x: warning: timer_create failed: Function not implemented, signals racy\\n")';
      await runtime.init({ code: `A = 1\nA = 2\nwarn 'mine'\n${late}\n${hello}` });
      await runtime.run();
      expect(runtime.stderr).to.match(/already initialized constant A[\s\S]*mine\n$/);
      expect(runtime.stderr).not.to.include("timer_create");
    });
  });

  for (const [call, status] of [
    ["exit!(4)", 4],
    ["Process.kill(:KILL, Process.pid)", null],
  ] as const) {
    it(`is gone after ${call}, having written what was printed before`, async () => {
      await withRuntime("ruby", async (runtime) => {
        await runtime.init({ code: `def main(args)\n  puts "last words"\n  ${call}\nend\n` });
        await runtime.run().catch(() => {});
        expect((await runtime.ended).status).to.equal(status);
        expect(runtime.stdout).to.equal("last words\n");
      });
    });
  }

  for (const [what, code] of Object.entries({
    "replaces methods of IO and JSON":
      "class IO\n  def sysread(*) = ''\n  def syswrite(*) = 0\n  def flush = nil\nend\nmodule JSON\n  def self.generate(*) = 'x'\n  def self.parse(*) = nil\nend",
    "replaces the streams": "require 'stringio'\n$stdout = $stderr = StringIO.new",
    "closes the streams": "STDOUT.close\nSTDERR.close",
    "forgets what was loaded": "$LOADED_FEATURES.clear\n$LOAD_PATH.clear",
    "replaces random generators and exceptions":
      "def Random.srand(*) = raise\ndef Random.urandom(*) = nil\nclass Exception\n  def full_message(*, **) = raise\nend",
  })) {
    it(`still answers an action that ${what}`, async () => {
      await withRuntime("ruby", async (runtime) => {
        const start = "def main(args)\n  args.key?('name') ? args : 1 / 0\nend\n";
        expect((await runtime.init({ code: `${code}\n${start}` })).status).to.equal(200);
        expect((await runtime.run({ name: "one" })).body).to.deep.equal({ name: "one" });
        expect((await runtime.run({})).body).to.deep.equal(notRun);
      });
    });
  }

  it("ends an action that closes the channel, with a line on stderr", async () => {
    await withRuntime("ruby", async (runtime) => {
      await runtime.init({ code: "def main(args)\n  IO.for_fd(3).close\n  {}\nend\n" });
      await runtime.run().catch(() => {});
      expect((await runtime.ended).status).to.equal(70);
      expect(runtime.stderr).to.match(/action proxy: the channel is broken: [\s\S]*Bad file descriptor/);
    });
  });
});
