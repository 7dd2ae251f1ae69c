// How code of the kind ruby is loaded: texts, archives, and what is said of those that make no action.

import { expect } from "chai";
import { files, tarGz, zip } from "./archives.ts";
import { endSpares, frame, resultsOf, withRuntime } from "./runtime.ts";

const hello = "def main(args)\n  { greeting: \"hello #{args['name']}\" }\nend\n";
const notRun = { error: "Invalid Action: An error occurred running the action" };
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
