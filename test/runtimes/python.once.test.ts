// What actions of the kind python meet: loading, calling, outcomes and error texts as in OpenWhisk's python runtime.

import { expect } from "chai";
import { files, tarGz, zip } from "./archives.ts";
import { endSpares, frame, invoke, resultsOf, withRuntime } from "./runtime.ts";

const hello = 'def main(args):\n    return {"greeting": "hello " + args["name"]}\n';
const notBuilt = { error: "The action failed to generate or locate a binary. See logs for details." };
const notStarted = { error: "Cannot start action. Check logs for details." };
const noDictionary = { error: "The action did not return a dictionary or array." };

const resultOf = resultsOf("python");

after(endSpares);

describe("python: loading code", () => {
  it("takes a source text, and another name for main", async () => {
    expect(await resultOf(hello, { name: "Ada" })).to.deep.equal({ greeting: "hello Ada" });
    expect(await resultOf("def act(args):\n    return args\n", { a: 1 }, "act")).to.deep.equal({ a: 1 });
    const path = "class A:\n    @staticmethod\n    def b(args):\n        return args\n";
    expect(await resultOf(path, { a: 2 }, "A.b")).to.deep.equal({ a: 2 });
  });

  it("takes a source text in another encoding than UTF-8 when it says so", async () => {
    const code = Buffer.from(
      '# -*- coding: latin-1 -*-\ndef main(args):\n    return {"s": "grüße"}\n',
      "latin1",
    );
    await withRuntime("python", async (runtime) => {
      const header = Buffer.from('{"name":"x","main":"main","binary":false,"env":{}}');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(header.length);
      runtime.send(frame(1, Buffer.concat([length, header, code])));
      expect((await runtime.receive()).status).to.equal(200);
      expect((await runtime.run()).body).to.deep.equal({ s: "grüße" });
    });
  });

  it("gives a source text the module's name and place that stock gives it", async () => {
    const code =
      "import sys, inspect, pickle\nclass C: pass\ndef main(args):\n    pickle.loads(pickle.dumps(C()))\n" +
      '    return {"name": __name__, "file": __file__.split("/")[-1], "same": sys.modules["main__"].main is main, "source": inspect.getsource(main)[:8]}\n';
    expect(await resultOf(code)).to.deep.equal({
      name: "main__",
      file: "main__.py",
      same: true,
      source: "def main",
    });
  });

  for (const [format, pack] of Object.entries({ zip, "tar.gz": tarGz })) {
    it(`takes a ${format} archive with __main__.py, modules and packages`, async () => {
      const archive = pack(
        files({
          "__main__.py":
            "import os\nfrom words import text\nfrom kit.inner import two\ndef main(args):\n    return {'text': text, 'two': two, 'cwd': os.path.basename(os.getcwd()), 'name': __name__}\n",
          "words.py": "text = 'unpacked'\n",
          "kit/__init__.py": "",
          "kit/inner.py": "from . import __name__ as package\ntwo = package\n",
        }),
      );
      expect(await resultOf(archive)).to.deep.equal({
        text: "unpacked",
        two: "kit",
        cwd: "code",
        name: "main__",
      });
    });
  }

  it("finds modules that are called like the proxy's own", async () => {
    const names = ["action", "channel", "load", "archive", "server", "warm_up", "randomness", "proxy"];
    const archive = zip(
      files({
        "__main__.py": `import ${names.join(", ")}\ndef main(args):\n    return {"texts": [m.text for m in (${names.join(", ")})]}\n`,
        ...Object.fromEntries(names.map((name) => [`${name}.py`, `text = "${name}"\n`])),
      }),
    );
    expect(await resultOf(archive)).to.deep.equal({ texts: names });
  });

  it("takes a function of another module of the archive", async () => {
    const archive = zip(files({ "__main__.py": "", "other.py": "def act(args):\n    return {'ok': 1}\n" }));
    expect(await resultOf(archive, {}, "other.act")).to.deep.equal({ ok: 1 });
  });

  it("activates a virtualenv by its script, or by its site-packages alone", async () => {
    const main = "from packed import text\ndef main(args):\n    return {'text': text}\n";
    const packages = "virtualenv/lib/python3.9/site-packages";
    const script = `import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib/python3.9/site-packages"))\n`;
    for (const extra of [{ "virtualenv/bin/activate_this.py": script }, {}]) {
      const archive = zip(
        files({ "__main__.py": main, [`${packages}/packed.py`]: "text = 'found'\n", ...extra }),
      );
      expect(await resultOf(archive)).to.deep.equal({ text: "found" });
    }
  });

  for (const [what, { code, body, log }] of Object.entries({
    "code that does not parse": { code: "def main(args:\n", body: notBuilt, log: /SyntaxError/ },
    "an archive without __main__.py": {
      code: zip(files({ "readme.md": "" })),
      body: notBuilt,
      log: /Zip file does not include __main__\.py/,
    },
    "a virtualenv without packages": {
      code: zip(files({ "__main__.py": hello, "virtualenv/readme.md": "" })),
      body: notBuilt,
      log: /Invalid virtualenv\. Zip file does not include 'activate_this\.py'\./,
    },
    "bytes that are no archive": {
      code: Buffer.from("plain"),
      body: notBuilt,
      log: /neither a zip nor a tar\.gz/,
    },
    "a missing function": { code: "x = 1\n", body: notStarted, log: /cannot import name 'main'/ },
    "an exception at the top": { code: "1 / 0\n", body: notStarted, log: /ZeroDivisionError/ },
    "a missing module": { code: "import absent\n", body: notStarted, log: /No module named 'absent'/ },
  })) {
    it(`answers 502 and says why on stderr for ${what}`, async () => {
      await withRuntime("python", async (runtime) => {
        const answer = await runtime.init({ code });
        expect(answer.status).to.equal(502);
        expect(answer.body).to.deep.equal(body);
        expect(runtime.stderr).to.match(log);
      });
    });
  }
});

describe("python: states", () => {
  it("answers an init as stock does, and refuses a second one", async () => {
    await withRuntime("python", async (runtime) => {
      expect(await runtime.init({ code: hello })).to.include({ status: 200, text: '{"ok":true}\n' });
      expect(await runtime.init({ code: hello })).to.deep.include({
        status: 403,
        body: { error: "Cannot initialize the action more than once." },
      });
      expect((await runtime.run({ name: "Ada" })).body).to.deep.equal({ greeting: "hello Ada" });
    });
  });

  it("refuses an init without code and a run before init", async () => {
    await withRuntime("python", async (runtime) => {
      expect(await runtime.init({ code: "" })).to.deep.include({
        status: 403,
        body: { error: "Missing main/no code to execute." },
      });
      expect(await runtime.run()).to.deep.include({ status: 500, body: { error: "no action defined yet" } });
    });
  });

  it("puts the init environment and the texts of a run body into os.environ", async () => {
    await withRuntime("python", async (runtime) => {
      const code =
        "import os\nearly = os.environ['STAGE']\ndef main(args):\n    return dict(os.environ, early=early)\n";
      await runtime.init({ code, env: { STAGE: "prod", __OW_NAMESPACE: "guest" } });
      const { body } = await runtime.run({}, { activation_id: "abc", action_version: null, number: 5 });
      const { HOME: _home, PATH: _path, LC_CTYPE: _locale, ...rest } = body as Record<string, string>;
      expect(rest).to.deep.equal({
        early: "prod",
        STAGE: "prod",
        __OW_API_HOST: "https://openwhisk.example",
        __OW_NAMESPACE: "guest",
        __OW_ACTIVATION_ID: "abc",
      });
    });
  });
});

describe("python: outcomes", () => {
  const main = (body: string) => `def main(args):\n    ${body}\n`;

  it("writes the result as stock does: unescaped, with blanks, ended by a newline", async () => {
    const { text } = await invoke("python", { code: main('return {"a": {"n": 1}, "s": "grüße"}') });
    expect(text).to.equal('{"a": {"n": 1}, "s": "grüße"}\n');
  });

  it("takes arrays, tuples and None, and missing parameters as {}", async () => {
    expect(await resultOf(main("return [1, args]"), { a: 1 })).to.deep.equal([1, { a: 1 }]);
    expect(await resultOf(main("return (1, 2)"))).to.deep.equal([1, 2]);
    expect((await invoke("python", { code: main("return None") })).text).to.equal("null\n");
    expect(await resultOf(main("return {'args': args}"), null)).to.deep.equal({ args: {} });
  });

  for (const value of [
    "'text'",
    "5",
    "{1, 2}",
    "{'a': object()}",
    "{'a': float('nan')}",
    "b'x'",
    "{(1, 2): 3}",
  ]) {
    it(`answers 502 for a result that is ${value}`, async () => {
      const { status, body } = await invoke("python", { code: main(`return ${value}`) });
      expect(status).to.equal(502);
      expect(body).to.deep.equal(noDictionary);
    });
  }

  it("answers 502 for a cycle and for a result nested without end", async () => {
    for (const code of [
      main("args['a'] = args; return args"),
      main("a = {}\n    for _ in range(100000):\n        a = {'a': a}\n    return a"),
    ]) {
      expect(await invoke("python", { code })).to.deep.include({ status: 502, body: noDictionary });
    }
  });

  it("gives an exception's text as the error, and the traceback with its source line on stderr", async () => {
    await withRuntime("python", async (runtime) => {
      await runtime.init({ code: main('raise ValueError("böse")') });
      const { status, body } = await runtime.run();
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ error: "böse" });
      expect(runtime.stderr).to.match(
        /Traceback[\s\S]*main__\.py", line 2, in main\n {4}raise ValueError[\s\S]*ValueError: böse/,
      );
    });
  });

  it("carries several megabytes, deep nesting and lone surrogates both ways", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(300)}1${"}".repeat(300)}`);
    const value = { big: "x".repeat(6_000_000), deep, text: "grüße 🎉 \u2028 \ud800 \u0000" };
    await withRuntime("python", async (runtime) => {
      await runtime.init({ code: `# ${"é".repeat(2_000_000)}\n${main("return args")}` });
      const { body } = await runtime.run(value);
      expect(body).to.deep.equal(value);
      expect((await runtime.run({ small: 1 })).body).to.deep.equal({ small: 1 });
    });
  });

  it("answers 502 for parameters that are nested too deeply for python", async () => {
    await withRuntime("python", async (runtime) => {
      await runtime.init({ code: hello });
      runtime.send(frame(2, Buffer.from(`{"value":${'{"a":'.repeat(100_000)}1${"}".repeat(100_001)}`)));
      const { status, body } = await runtime.receive();
      expect(status).to.equal(502);
      expect(body).to.deep.equal({ error: "The action's parameters are nested too deeply." });
    });
  });
});

describe("python: output, endings, tampering", () => {
  it("has everything in the pipes before the answer, however much it is", async () => {
    await withRuntime("python", async (runtime) => {
      await runtime.init({
        code: 'import sys\ndef main(args):\n    print("o" * 400000)\n    sys.stdout.write("rest")\n    sys.stderr.write("e" * 400000)\n    return {}\n',
      });
      await runtime.run();
      await new Promise((resolve) => setImmediate(resolve));
      expect(runtime.stdout).to.match(/^o{400000}\nrest$/);
      expect(runtime.stderr).to.have.length(400_000);
    });
  });

  for (const [call, status] of [
    ["sys.exit(3)", 3],
    ["os._exit(4)", 4],
    ["os.abort()", null],
  ] as const) {
    it(`is gone after ${call}, having written what was printed before`, async () => {
      await withRuntime("python", async (runtime) => {
        await runtime.init({
          code: `import os, sys\ndef main(args):\n    print("last words")\n    ${call}\n`,
        });
        await runtime.run().catch(() => {});
        expect((await runtime.ended).status).to.equal(status);
        expect(runtime.stdout).to.equal("last words\n");
      });
    });
  }

  for (const [what, code] of Object.entries({
    "replaces os and json functions":
      'import os, json\nos.read = os.write = os.writev = os.readv = lambda *a: b""\njson.dumps = json.loads = lambda *a: None',
    "replaces the streams": "import sys\nsys.stdout = sys.stderr = None",
    "closes the streams": "import sys\nsys.stdout.close()\nsys.stderr.close()",
    "empties the module table": "import sys\nsys.modules.clear()",
    "patches traceback and random":
      "import traceback, random\ntraceback.format_exc = None\nrandom.seed = None",
  })) {
    it(`still answers an action that ${what}`, async () => {
      await withRuntime("python", async (runtime) => {
        const start = 'def main(args):\n    return args if "name" in args else 1 / 0\n';
        expect((await runtime.init({ code: `${code}\n${start}` })).status).to.equal(200);
        expect((await runtime.run({ name: "one" })).body).to.deep.equal({ name: "one" });
        expect((await runtime.run({})).body).to.deep.equal({ error: "division by zero" });
      });
    });
  }

  it("ends an action that closes the channel, with a line on stderr", async () => {
    await withRuntime("python", async (runtime) => {
      await runtime.init({ code: "import os\ndef main(args):\n    os.close(3)\n    return {}\n" });
      await runtime.run().catch(() => {});
      expect((await runtime.ended).status).to.equal(70);
      expect(runtime.stderr).to.match(/action proxy: the channel is broken: [\s\S]*Bad file descriptor/);
    });
  });
});
