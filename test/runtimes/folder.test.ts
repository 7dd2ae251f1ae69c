// An archive in two steps: unpacked by one process, loaded as a folder by others. It is what it is in one.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { testedFamilies } from "../again.ts";
import { type Entry, files, link, zip } from "./archives.ts";
import { entryName, formats, refused, toolUser } from "./languages.ts";
import { type Answer, endSpares, frame, initPayload, type Runtime, withRuntime } from "./runtime.ts";

async function unpack(runtime: Runtime, archive: Buffer): Promise<Answer> {
  runtime.send(frame(7, archive));
  return await runtime.receive();
}

async function initFrom(runtime: Runtime, folder: string, main = "main"): Promise<Answer> {
  runtime.send(frame(1, initPayload({ code: Buffer.alloc(0), main, folder })));
  return await runtime.receive();
}

/** Of a trace, what is not the proxy's own way, nor an address. */
function withoutOwnFrames(text: string): string {
  return text
    .replaceAll(/0x[0-9a-f]+/g, "0x")
    .split(/\n|\\n/)
    .filter((line) => !/^(?:\\t|\s)*(?:from|File) .*rewhisk_proxy|^ {4}/.test(line))
    .join("\n");
}

after(endSpares);

for (const family of testedFamilies) {
  describe(`${family}: an archive that is unpacked before it is loaded`, () => {
    const tools: Entry[] = [
      ...files({ [entryName[family]]: toolUser[family] }),
      { path: "bin/tool", content: "#!/bin/sh\necho it works\n", mode: 0o100755 },
      link("tool", "bin/tool"),
    ];

    for (const [format, pack] of Object.entries(formats[family]))
      it(`runs as a ${format} does that is loaded at once, in a process that has not unpacked it`, async () => {
        const archive = pack(tools);
        const wanted = await withRuntime(family, async (runtime) => {
          expect((await runtime.init({ code: archive })).status).to.equal(200);
          return (await runtime.run()).text;
        });
        await withRuntime(family, async (unpacking) => {
          expect((await unpack(unpacking, archive)).status).to.equal(200);
          await withRuntime(family, async (runtime) => {
            const init = await initFrom(runtime, join(unpacking.home, "code"));
            expect([init.status, init.text]).to.deep.equal([200, init.text]);
            expect((await runtime.run()).text).to.equal(wanted);
          });
        });
      });

    it("is not loaded by being unpacked: the same process takes any action afterwards", async () => {
      await withRuntime(family, async (runtime) => {
        const noisy = {
          nodejs: "console.log('ran'); exports.main = () => ({});",
          python: "print('ran')\ndef main(args): return {}\n",
          ruby: "puts 'ran'\ndef main(args) = {}\n",
        } as const;
        await unpack(runtime, zip(files({ [entryName[family]]: noisy[family] })));
        expect(runtime.stdout).to.equal("");
        rmSync(join(runtime.home, "code"), { recursive: true });
        expect((await runtime.init({ code: zip(tools) })).status).to.equal(200);
      });
    });

    const bad: { readonly [what: string]: Buffer } = {
      "climbs out": zip(files({ [entryName[family]]: "", "../../evil": "x" })),
      "is damaged": zip(tools).subarray(0, 100),
      "is none": Buffer.from("no archive at all"),
    };
    for (const [what, archive] of Object.entries(bad))
      it(`is refused, without a word, where it ${what}`, async () => {
        await withRuntime(family, async (runtime) => {
          expect((await unpack(runtime, archive)).status).to.equal(refused[family]);
          expect([
            runtime.stdout,
            runtime.stderr,
            existsSync(join(runtime.home, "../../evil")),
          ]).to.deep.equal(["", "", false]);
        });
      });

    it("fails in the same words where it has no entry, or not the one that is wanted", async () => {
      const cases = [
        { archive: zip(files({ "other.txt": "x" })), main: "main" },
        { archive: zip(tools), main: "nobody" },
        { archive: zip(tools), main: "a..b" },
      ];
      for (const { archive, main } of cases) {
        const told = async (init: (runtime: Runtime) => Promise<Answer>): Promise<string> =>
          await withRuntime(family, async (runtime) => {
            const { status, text } = await init(runtime);
            return withoutOwnFrames(`${status} ${text}\n${runtime.stderr}`.replaceAll(runtime.home, "HOME"));
          });
        const wanted = await told((runtime) => runtime.init({ code: archive, main }));
        const found = await told(async (runtime) => {
          await unpack(runtime, archive);
          return await initFrom(runtime, join(runtime.home, "code"), main);
        });
        expect(found).to.equal(wanted);
      }
    });
  });
}
