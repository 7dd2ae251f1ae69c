// Templates that outlive the pool: containers of another process are booted from them, and none where anything is not as it was.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { repositoryFolder } from "../../pool/lean/repository.ts";
import { requireRoot } from "./lean-probe.ts";
import type { Restarted, RestartOptions } from "./restart-program.ts";

const program = fileURLToPath(new URL("restart-program.js", import.meta.url));
const run = promisify(execFile);

const codes = {
  "nodejs:20": `
    const crypto = require("crypto"), cp = require("child_process");
    const seen = globalThis.mark ?? null;
    globalThis.mark = 1;
    async function main() {
      const timed = await new Promise((done) => setTimeout(() => done(1), 2));
      const derived = await new Promise((done, no) => crypto.pbkdf2("a", "b", 10, 8, "sha256", (e, k) => (e ? no(e) : done(k.toString("hex")))));
      const child = cp.execFileSync("/bin/sh", ["-c", "echo $((6 * 7))"], { encoding: "utf8" }).trim();
      return { seen, timed, derived, child, random: [Math.random(), crypto.randomUUID()] };
    }`,
  "python:3": `
import builtins, hashlib, random, secrets, subprocess, threading
seen = getattr(builtins, "mark", None)
builtins.mark = 1
def main(args):
    box = []
    thread = threading.Thread(target=lambda: box.append(1))
    thread.start(); thread.join()
    child = subprocess.run(["/bin/sh", "-c", "echo $((6 * 7))"], capture_output=True, text=True).stdout.strip()
    return {"seen": seen, "timed": box[0], "derived": hashlib.pbkdf2_hmac("sha256", b"a", b"b", 10, 8).hex(), "child": child,
            "random": [random.random(), secrets.token_hex(8)]}
`,
  "ruby:3": `
require 'openssl'
require 'securerandom'
def main(args)
  seen = $mark
  $mark = 1
  { seen: seen, timed: Thread.new { 1 }.value, derived: OpenSSL::PKCS5.pbkdf2_hmac('a', 'b', 10, 8, 'sha256').unpack1('H*'),
    child: IO.popen(['/bin/sh', '-c', 'echo $((6 * 7))'], &:read).strip, random: [rand, SecureRandom.hex(8)] }
end
`,
} as const;
const kinds = Object.keys(codes) as readonly (keyof typeof codes)[];

interface Answer {
  readonly random: readonly unknown[];
}

/** Magic with its newline, digest of all that follows, length of the head, head, template. */
function rewrite(path: string, change: (head: Record<string, unknown>, template: Buffer) => void): void {
  const bytes = readFileSync(path);
  const digestAt = bytes.indexOf("\n") + 1;
  const lengthAt = digestAt + 32;
  const headAt = lengthAt + 4;
  const end = headAt + bytes.readUInt32LE(lengthAt);
  const head = JSON.parse(bytes.toString("utf8", headAt, end)) as Record<string, unknown>;
  change(head, bytes.subarray(end));
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const rest = Buffer.concat([length, text, bytes.subarray(end)]);
  const digest = createHash("sha256").update(rest).digest();
  writeFileSync(path, Buffer.concat([bytes.subarray(0, digestAt), digest, rest]));
}

describe("templates on disk", () => {
  let folder: string;
  let templates: string;

  before(requireRoot);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "restart-"));
    templates = join(folder, "templates");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function restart(
    kind: (typeof kinds)[number],
    options: Partial<RestartOptions> = {},
  ): Promise<Restarted> {
    const all = { kind, folder: templates, code: codes[kind], ...options };
    const { stdout } = await run(process.execPath, ["--enable-source-maps", program, JSON.stringify(all)]);
    return JSON.parse(stdout) as Restarted;
  }

  const pathOf = (kind: string): string => join(templates, `${encodeURIComponent(kind)}.template`);
  const first = async (options: Partial<RestartOptions> = {}): Promise<void> => {
    const { how, stored } = await restart("python:3", options);
    expect([how, stored]).to.deep.equal([["started"], [{ result: "kept" }]]);
  };
  /** The next process refuses what there is, starts an interpreter, and leaves a template that one after it boots from. */
  const refused = async (
    result: string,
    why: RegExp,
    options: Partial<RestartOptions> = {},
  ): Promise<void> => {
    const next = await restart("python:3", options);
    expect(next.stored.map((told) => told.result)).to.deep.equal([...result.split(" then "), "kept"]);
    expect(next.stored.find((told) => told.why !== undefined)?.why).to.match(why);
    expect([next.how, next.taints, next.results.length]).to.deep.equal([["started"], [], 1]);
    expect(await restart("python:3", options)).to.deep.include({
      how: ["booted"],
      stored: [{ result: "loaded" }],
      taints: [],
    });
  };

  for (const kind of kinds)
    it(`are what other processes boot ${kind} from, each time equal, with random numbers of its own`, async () => {
      const all = [];
      for (const [how, result] of [
        ["started", "kept"],
        ["booted", "loaded"],
        ["booted", "loaded"],
      ] as const) {
        const restarted = await restart(kind, { activations: 5 });
        expect(restarted).to.deep.include({ how: [how], stored: [{ result }], taints: [] });
        all.push(...(restarted.results as readonly Answer[]));
      }
      expect(new Set(all.map(({ random, ...rest }) => JSON.stringify(rest))).size).to.equal(1);
      expect(all[0]).to.include({ seen: null, timed: 1, child: "42" });
      expect(new Set(all.flatMap(({ random }) => random)).size).to.equal(2 * all.length);
      expect(statSync(templates).mode & 0o777).to.equal(0o700);
      expect(statSync(pathOf(kind)).mode & 0o777).to.equal(0o600);
      expect(readdirSync(templates)).to.have.lengthOf(1);
    });

  it("are refused where a byte has changed", async () => {
    await first();
    const bytes = readFileSync(pathOf("python:3"));
    const at = bytes.length - 4096;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(pathOf("python:3"), bytes);
    await refused("corrupt", /its digest is another/);
  });

  it("are refused where they are cut off", async () => {
    await first();
    truncateSync(pathOf("python:3"), statSync(pathOf("python:3")).size - 4096);
    await refused("corrupt", /its digest is another/);
    truncateSync(pathOf("python:3"), 10);
    await refused("corrupt", /it has 10 bytes/);
  });

  it("are refused where others could read or write them", async () => {
    await first();
    chmodSync(pathOf("python:3"), 0o644);
    await refused("corrupt", /no file of our own/);
  });

  for (const fact of ["kernel", "boot", "processor", "build", "rung", "filter", "libraries", "system"])
    it(`are refused with another ${fact}`, async () => {
      await first();
      rewrite(pathOf("python:3"), (head) => {
        expect(head.facts).to.have.property(fact);
        head.facts = { ...(head.facts as object), [fact]: "another" };
      });
      await refused("changed", new RegExp(`^another ${fact}$`));
    });

  it("are refused in another version, and as another kind's", async () => {
    await first();
    const bytes = readFileSync(pathOf("python:3"));
    bytes.write("9", bytes.indexOf("\n") - 1);
    writeFileSync(pathOf("python:3"), bytes);
    await refused("changed", /another version/);
    rewrite(pathOf("python:3"), (head) => {
      head.base = "ruby:3";
    });
    await refused("changed", /^another kind$/);
  });

  it("are refused where the clock has been put back, and passed over where they are too old", async () => {
    await first();
    rewrite(pathOf("python:3"), (head) => {
      head.bornMs = Date.now() + 3_600_000;
    });
    await refused("clock", /later than now/);
    rewrite(pathOf("python:3"), (head) => {
      head.bornMs = Date.now() - 3_600_000;
    });
    await first();
  });

  it("are refused where a file that is mapped is not what it was", async () => {
    await first();
    let changed = "";
    rewrite(pathOf("python:3"), (head) => {
      const files = { ...(head.files as Record<string, string>) };
      changed = Object.keys(files).find((path) => path.includes("/libc")) ?? "";
      head.files = { ...files, [changed]: `${files[changed]}1` };
    });
    expect(changed).to.not.equal("");
    await refused("loaded then changed", /^another .*\/libc/);
  });

  it("are given up where they cannot be booted from", async () => {
    await first();
    rewrite(pathOf("python:3"), (_, template) => {
      const at = template.indexOf("/libc.so.6");
      expect(at).to.be.greaterThan(0);
      template.write("/libc.so.9", at);
    });
    await refused("loaded then unbootable", /./);
  });

  it("are refused where the runtime's own sources have changed", async () => {
    const repository = join(folder, "repository");
    mkdirSync(repository);
    for (const name of ["pool", "build", "node_modules"])
      symlinkSync(join(repositoryFolder, name), join(repository, name));
    cpSync(join(repositoryFolder, "runtimes", "python"), join(repository, "runtimes", "python"), {
      recursive: true,
    });
    await first({ repository });
    appendFileSync(join(repository, "runtimes", "python", "proxy.py"), "\n# changed\n");
    await refused("changed", /^another runtime$/, { repository });
  });

  it("are refused where containers have another environment", async () => {
    await first();
    await refused("changed", /^another container$/, { environment: { __OW_API_HOST: "http://localhost:1" } });
  });

  it("are nothing that a process without them writes, or one whose kinds have none leaves there", async () => {
    mkdirSync(templates, { mode: 0o700 });
    writeFileSync(join(templates, "nodejs%3A1.template"), "");
    writeFileSync(join(templates, "python%3A3.template.new"), "");
    await first();
    expect(readdirSync(templates)).to.deep.equal(["python%3A3.template"]);
    rmSync(templates, { recursive: true });
    expect((await restart("python:3", { folder: undefined })).stored).to.deep.equal([]);
    expect(existsSync(templates)).to.equal(false);
  });
});
