// The commands of the first pages of OpenWhisk's documentation, one after the other as they are pasted, to `npm start`. wsk is
// in no registry: a stand-in sends its requests, and is held against what wsk was recorded to send.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { projectFolder } from "../../invoker/config/entries.ts";
import { StandaloneProgram } from "../system/standalone-program.ts";
import { type Files, requestsOf, wordsOf } from "./wsk.ts";
import { recorded, recordedActivationId } from "./wsk-replay.ts";

interface Page {
  readonly page: string;
  readonly files?: Files;
  readonly steps: readonly Step[];
}

/** ID stands for the activation that a command before it has named, as it does for who pastes. */
interface Step {
  readonly line: string;
  readonly status?: number;
  /** A part of the last answer. */
  readonly answer?: object;
  readonly text?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const limitMs = 120_000;
/** Until a record can be read. */
const recordMs = 30_000;
const pages = JSON.parse(
  readFileSync(join(projectFolder(), "test", "compat", "getting-started.json"), "utf8"),
) as readonly Page[];

const recordedFiles: Files = {
  "hello.js": 'function main(p){return {msg:"hi "+p.name}}\n',
  "hello.py": 'def main(a):\n    return {"msg":"hi"}\n',
};

/** What the stand-in sends; undefined for what it refuses, and for what was recorded without its quotes. */
function spoken(command: string): ReturnType<typeof requestsOf> | undefined {
  if (command.includes('"')) return undefined;
  try {
    return requestsOf(command, recordedFiles, recordedActivationId);
  } catch {
    return undefined;
  }
}

describe("the stand-in for wsk", () => {
  const held = recorded.filter(({ command }) => spoken(command) !== undefined);

  it("is held against most of what was recorded", () => {
    expect(held.length).to.be.greaterThan(recorded.length / 2);
  });

  for (const { command, requests } of held)
    it(`sends what wsk was recorded to send: ${command}`, () => {
      expect(spoken(command)).to.deep.equal(requests);
    });
});

async function sent(url: string, method: string, headers: object, body?: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

/** As curl does it, for the options of these pages. */
async function curl(line: string, url: string): Promise<Answer> {
  const [, address = "", ...words] = wordsOf(line);
  const after = (option: string): string | undefined => words[words.indexOf(option) + 1 || words.length];
  const body = after("-d");
  const [name = "content-type", type = "application/x-www-form-urlencoded"] = (after("-H") ?? "")
    .split(": ")
    .filter(Boolean);
  const method = after("-X") ?? (body === undefined ? "GET" : "POST");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in the documentation
  return await sent(address.replace("https://${APIHOST}", url), method, { [name]: type }, body);
}

/** The text of an answer that is as the step says. */
const checked =
  (step: Step) =>
  ({ status, text }: Answer): string => {
    expect(status, `${step.line}: ${text}`).to.be.oneOf(
      step.status === undefined ? [200, 202] : [step.status],
    );
    if (step.text !== undefined) expect(text, step.line).to.equal(step.text);
    if (step.answer !== undefined)
      expect(JSON.parse(text), `${step.line}: ${text}`).to.containSubset(step.answer);
    return text;
  };

/** Asks again while the record is not there yet. */
async function until(ask: () => Promise<Answer>, step: Step): Promise<string> {
  const endMs = performance.now() + recordMs;
  for (;;) {
    const answer = await ask();
    try {
      return checked(step)(answer);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(20);
    }
  }
}

describe("the documentation's commands, pasted", function () {
  this.timeout(limitMs);
  let folder: string;
  let program: StandaloneProgram;
  let url: string;
  let key: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "rewhisk-getting-started-"));
    program = await StandaloneProgram.start({ dataFolder: folder, byNpm: true, patienceMs: limitMs });
    [, url = "", key = ""] = /--apihost (\S+) --auth (\S+)$/.exec(program.line("wsk")) ?? [];
  });
  after(async () => {
    await program.interrupt();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends what a command line sends; the last answer. */
  async function paste(line: string, files: Files): Promise<Answer> {
    if (line.startsWith("curl ")) return await curl(line, url);
    const headers = {
      authorization: `Basic ${Buffer.from(key).toString("base64")}`,
      "content-type": "application/json",
    };
    const newest = await program.send("GET", "activations?limit=1&skip=0");
    let answer: Answer = { status: 0, text: "" };
    for (const { method, path, body } of requestsOf(line, files, newest.body[0]?.activationId))
      answer = await sent(`${url}${path}`, method, headers, body === undefined ? body : JSON.stringify(body));
    return answer;
  }

  for (const { page, files = {}, steps } of pages)
    it(`work: ${page}`, async () => {
      let named = "";
      for (const written of steps) {
        const step = JSON.parse(JSON.stringify(written).replaceAll(/\bID\b/g, named)) as Step;
        // Records are stored a moment after the answer.
        const isLater = step.line.startsWith("wsk activation ");
        const text = await (isLater
          ? until(() => paste(step.line, files), step)
          : paste(step.line, files).then(checked(step)));
        named = /"activationId":"(\w+)"/.exec(text)?.[1] ?? named;
      }
    });
});
