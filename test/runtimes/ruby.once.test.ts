// What actions of the kind ruby meet: loading, calling, outcomes and error texts as in OpenWhisk's ruby runtime.

import { expect } from "chai";
import { files, tarGz, zip } from "./archives.ts";
import { endSpares, frame, invoke, resultsOf, withRuntime } from "./runtime.ts";

const hello = "def main(args)\n  { greeting: \"hello #{args['name']}\" }\nend\n";
const notRun = { error: "Invalid Action: An error occurred running the action" };
const noDictionary = { error: "The action did not return a dictionary or array." };
const notParsed = { error: "Invalid Ruby Code: failed to parse the input code" };
const notUnpacked = {
  error:
    "Invalid Binary: failed to open zip file. Please make sure you have finished $bundle package successfully.",
};

const resultOf = resultsOf("ruby");

after(endSpares);

describe("ruby: loading code", () => {
  it("takes a source text, and another name for main", async () => {
    expect(await resultOf(hello, { name: "Ada" })).to.deep.equal({ greeting: "hello Ada" });
    expect(await resultOf("def act(args)\n  args\nend\n", { a: 1 }, "act")).to.deep.equal({ a: 1 });
  });

  it("takes a source text in another encoding than UTF-8 when it says so", async () => {
    const code = Buffer.from(
      '# encoding: iso-8859-1\ndef main(args) {s: "grüße".encode("UTF-8")} end\n',
      "latin1",
    );
    await withRuntime("ruby", async (runtime) => {
      const header = Buffer.from('{"name":"x","main":"main","binary":false,"env":{}}');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(header.length);
      runtime.send(frame(1, Buffer.concat([length, header, code])));
      expect((await runtime.receive()).status).to.equal(200);
      expect((await runtime.run()).body).to.deep.equal({ s: "grüße" });
    });
  });

  it("gives a source text the file's name that stock gives it, and its methods to the top level alone", async () => {
    const code =
      "def helper(a) a end\ndef main(args)\n" +
      "  { file: File.basename(__FILE__), self: self.to_s, public: 1.respond_to?(:main), helper: helper(1), loaded: __method__ }\nend\n";
    const expected = { file: "main.rb", self: "main", public: false, helper: 1, loaded: "main" };
    expect(await resultOf(code)).to.deep.equal(expected);
    expect(await resultOf(zip(files({ "main.rb": code })))).to.deep.equal(expected);
  });

  it("takes a zip archive with main.rb and further files, beside which it runs", async () => {
    const archive = zip(
      files({
        "main.rb":
          "require __dir__ + '/output.rb'\nrequire_relative 'kit/inner'\ndef main(args)\n  output(text: Kit::TEXT, cwd: File.basename(Dir.pwd), again: require_relative('main'))\nend\n",
        "output.rb": "def output(data)\n  { result: data }\nend\n",
        "kit/inner.rb": "module Kit\n  TEXT = 'unpacked'\nend\n",
      }),
    );
    expect(await resultOf(archive)).to.deep.equal({
      result: { text: "unpacked", cwd: "code", again: false },
    });
  });

  it("finds the gems of an archive that was made with bundle install --standalone", async () => {
    const archive = zip(
      files({
        "main.rb":
          "require __dir__ + '/bundle/bundler/setup'\nrequire 'greet'\ndef main(args)\n  { greeting: Greet.to(args['name']) }\nend\n",
        "bundle/bundler/setup.rb":
          "$:.unshift File.expand_path(__dir__ + '/../ruby/any/gems/greet-1.0.0/lib')\n",
        "bundle/ruby/any/gems/greet-1.0.0/lib/greet.rb":
          'module Greet\n  def self.to(name) = "hello #{name}"\nend\n',
      }),
    );
    expect(await resultOf(archive, { name: "Ada" })).to.deep.equal({ greeting: "hello Ada" });
  });

  it("finds files that are called like the proxy's own, and methods do not get into its way", async () => {
    const names = ["action", "channel", "load", "archive", "zip", "server", "warm_up", "randomness", "proxy"];
    const methods = [
      "read",
      "write",
      "init",
      "run",
      "fill",
      "answer",
      "flush",
      "refuse",
      "complain",
      "found",
      "puts",
    ];
    const archive = zip(
      files({
        "main.rb":
          names.map((name) => `require_relative '${name}'\n`).join("") +
          methods.map((name) => `def ${name}(*) nil end\n`).join("") +
          "def main(args)\n  raise 'asked' if args['raise']\n  { texts: $texts }\nend\n",
        ...Object.fromEntries(names.map((name) => [`${name}.rb`, `($texts ||= []) << "${name}"\n`])),
      }),
    );
    await withRuntime("ruby", async (runtime) => {
      expect((await runtime.init({ code: archive })).status).to.equal(200);
      expect((await runtime.run()).body).to.deep.equal({ texts: names });
      expect((await runtime.run({ raise: true })).body).to.deep.equal(notRun);
      expect((await runtime.run()).body).to.deep.equal({ texts: names });
    });
  });

  for (const [what, { code, body, log }] of Object.entries({
    "code that does not parse": {
      code: '10 PRINT "Hello world!"\n20 GOTO 10\n',
      body: notParsed,
      log: /main\.rb:1: syntax error/,
    },
    "an archive whose main.rb does not parse": {
      code: zip(files({ "main.rb": "def main(args\n" })),
      body: notParsed,
      log: /main\.rb:\d: syntax error/,
    },
    "an archive without main.rb": {
      code: zip(files({ "readme.md": "" })),
      body: { error: "Invalid Ruby Code: zipped actions must contain main.rb at the root." },
      log: /zipped actions must contain main\.rb/,
    },
    "bytes that are no archive": { code: Buffer.from("plain"), body: notUnpacked, log: /not a zip archive/ },
    "a tar.gz archive": { code: tarGz(files({ "main.rb": hello })), body: notUnpacked, log: /not a zip/ },
  })) {
    it(`answers 500 and says why on stderr for ${what}`, async () => {
      await withRuntime("ruby", async (runtime) => {
        const answer = await runtime.init({ code });
        expect(answer.status).to.equal(500);
        expect(answer.body).to.deep.equal(body);
        expect(runtime.stderr).to.match(log);
      });
    });
  }

  for (const [what, code, log] of [
    ["a missing method", "x = 1\n", /undefined method `main'.*NameError/],
    ["an exception at the top", "1 / 0\n", /main\.rb:1.*ZeroDivisionError/],
    ["a missing file", "require 'absent'\n", /cannot load such file -- absent.*LoadError/],
    ["an exit at the top", "exit\n", /exit.*SystemExit/],
  ] as const) {
    it(`answers 500 with the trace, as stock does, for ${what}`, async () => {
      await withRuntime("ruby", async (runtime) => {
        const { status, body } = await runtime.init({ code });
        expect(status).to.equal(500);
        const { error } = body as { error: string };
        expect(error).to.match(/^Invalid Ruby Code: method checking failed \/ {2}\/ /);
        expect(error).to.match(log);
        expect(runtime.stderr).to.match(log);
      });
    });
  }
});

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
