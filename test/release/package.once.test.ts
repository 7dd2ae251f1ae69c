// The package of npm: made of this checkout, installed by somebody who has nothing, without a registry, a compiler and the checkout; run, removed.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { projectFolder } from "../../invoker/config/entries.ts";
import { requireRoot } from "../system/lean-probe.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";

const run = promisify(execFile);
const limitMs = 300_000;
const nodeKind = `nodejs:${process.versions.node.split(".")[0]}`;
/** With one of the packages that OpenWhisk has preinstalled for actions. */
const code = 'function main({ name }) { return { hi: name, has: typeof require("openwhisk") }; }';
const needed = [
  "CHANGELOG.md",
  "LICENSE",
  "build/native/lean",
  "docs/OPERATIONS.md",
  "invoker/ui/page/index.html",
  "standalone/usage.txt",
];
const unwanted =
  /^package\/(test|benchmarks|native|ansible|build\/(js\/(test|benchmarks)|nodes|actions))\/|^package\/build\/.*\.(map|o)$/;

describe("the package", function () {
  this.timeout(limitMs);
  let folder: string;
  let file: string;

  const inFolder = (...names: string[]): string => join(folder, ...names);
  const npm = async (cwd: string, ...args: string[]): Promise<string> => {
    const env = {
      // npm takes the first Node that it finds.
      ...{ PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, HOME: inFolder("home") },
      ...{ npm_config_cache: inFolder("cache"), npm_config_update_notifier: "false" },
    };
    return (await run("npm", args, { cwd, env, maxBuffer: 1e8 })).stdout;
  };
  /** What a program says that ends with 2. */
  const refusal = async (program: string, ...args: string[]): Promise<string> => {
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
    const { code, stderr } = (await run(inFolder("prefix", "bin", program), args, { env }).catch(
      (error: unknown) => error,
    )) as { readonly code?: number; readonly stderr: string };
    expect(code).to.equal(2);
    return stderr;
  };
  const global = (): string[] => ["--global", "--prefix", inFolder("prefix"), "--offline", "--no-audit"];

  before(async () => {
    requireRoot();
    folder = mkdtempSync(join(tmpdir(), "rewhisk-package-"));
    for (const name of ["prefix", "home", "cache"]) mkdirSync(inFolder(name));
    // Whoever runs the tests has built it already: the rest of `prepack`.
    await run(process.execPath, [join(projectFolder(), "standalone", "unscripted.mjs")]);
    await npm(projectFolder(), "pack", "--ignore-scripts", "--pack-destination", folder);
    file = inFolder(readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
    await npm(folder, "install", ...global(), file);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("holds what is needed and nothing of tests, and its version is in the list of changes", async () => {
    const { stdout } = await run("tar", ["-tzf", file], { maxBuffer: 1e8 });
    const names = stdout.trimEnd().split("\n");
    expect(names).to.include.members(needed.map((name) => `package/${name}`));
    expect(names.filter((name) => unwanted.test(name))).to.deep.equal([]);
    const [version, changes] = ["package.json", "CHANGELOG.md"].map((name) =>
      readFileSync(join(projectFolder(), name), "utf8"),
    );
    expect(changes).to.include(`\n## ${JSON.parse(version ?? "").version}`);
  });

  it("answers an activation where it was installed, and keeps nothing in the home folder but its data", async () => {
    const program = await StandaloneProgram.start({
      ...{ dataFolder: inFolder("home", ".rewhisk"), installed: inFolder("prefix", "bin", "rewhisk") },
      ...{ more: ["--kinds", nodeKind], variables: { HOME: inFolder("home") } },
    });
    try {
      await program.send("PUT", "actions/hello", { exec: { kind: nodeKind, code } });
      const { status, body } = await program.send("POST", "actions/hello?blocking=true&result=true", {
        name: "you",
      });
      expect([status, body]).to.deep.equal([200, { hi: "you", has: "function" }]);
    } finally {
      expect(await program.interrupt()).to.deep.equal([0, null]);
    }
    expect(readdirSync(inFolder("home"))).to.deep.equal([".rewhisk"]);
  });

  it("says that a cluster of one's own needs a checkout", async () => {
    expect(await refusal("rewhisk", "--cluster")).to.include("--cluster needs a checkout");
  });

  it("has a cluster's invoker as a program of its own", async () => {
    expect(await refusal("rewhisk-invoker", "--id", "0", "--check")).to.include("KAFKA_HOSTS");
  });

  it("leaves nothing when it is removed", async () => {
    await npm(folder, "uninstall", ...global(), "rewhisk");
    const left = readdirSync(inFolder("prefix"), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => !entry.isDirectory()).map(({ name }) => name)).to.deep.equal([]);
  });
});
