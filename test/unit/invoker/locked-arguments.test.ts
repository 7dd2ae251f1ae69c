// Arguments that were stored encrypted: given in clear, exactly as they were written, or not at all.

import { createCipheriv } from "node:crypto";
import { expect } from "chai";
import { defaultInvokerSettings } from "../../../invoker/config/invoker-settings.ts";
import { describeJob } from "../../../invoker/job.ts";
import { LockedArgumentError, unlockArguments } from "../../../invoker/locked-arguments.ts";
import { orderOf, storedAction } from "./orders.ts";

const key128 = Buffer.from(Array.from({ length: 16 }, (_, place) => place));
const key256 = Buffer.from(Array.from({ length: 32 }, (_, place) => 255 - place));
const keys = { "aes-128": key128, "aes-256": key256 };

/** Written by Java's `AES/GCM/NoPadding`, the cipher of the controllers. */
const fromJava = {
  "aes-128": {
    locked: "AAAADAMKERgfJi00O0JJUD3BWQugsDh1wRpcUtAB1BZEsZ2j0XV6DTADQ7AhdXh0UffX/LEc9NPKZR9x7BA=",
    text: '{"token":1.0,"name":"größe"}',
  },
  "aes-256": {
    locked:
      "AAAAgAMKERgfJi00O0JJUFdeZWxzeoGIj5adpKuyucDHztXc4+rx+P8GDRQbIikwNz5FTFNaYWhvdn2Ei5KZoKeutbzDytHY3+bt9PsCCRAX" +
      "HiUsMzpBSE9WXWRrcnmAh46VnKOqsbi/xs3U2+Lp8Pf+BQwTGiEoLzY9REtSWWBnbnV8QmPeqDJ1eGlaJvQh1Toew31N7QQ9FylR5iWXohA=",
    text: '"open sesame"',
  },
} as const;

function lock(text: string, vectorLength = 12, key = key128): string {
  const vector = Buffer.alloc(vectorLength, 5);
  const cipher = createCipheriv(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key, vector);
  const encrypted = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(vectorLength);
  return Buffer.concat([length, vector, encrypted]).toString("base64");
}

describe("a locked argument", () => {
  for (const algorithm of ["aes-128", "aes-256"] as const) {
    it(`that a controller wrote (${algorithm}) becomes the text it stands for`, () => {
      const { locked, text } = fromJava[algorithm];
      const content = `{"a":12345678901234567890,"secret":"${locked}","b":1.0}`;
      const clear = unlockArguments(content, { secret: algorithm }, keys);
      expect(clear).to.equal(`{"a":12345678901234567890,"secret":${text},"b":1.0}`);
    });
  }

  it("stays as it is where no key is set for its algorithm, where it is no string, and where it is not there", () => {
    const content = `{"secret":"${fromJava["aes-128"].locked}","number":1.0}`;
    const as = (algorithm: string): string =>
      unlockArguments(content, { secret: algorithm }, { "aes-256": key256 });
    expect(as("aes-128")).to.equal(content);
    expect(as("rot13")).to.equal(content);
    expect(as("toString")).to.equal(content);
    expect(unlockArguments(content, { number: "aes-128", absent: "aes-128" }, keys)).to.equal(content);
    expect(unlockArguments('["x"]', { 0: "aes-128" }, keys)).to.equal('["x"]');
  });

  const good = lock('"open sesame"');
  const bytes = Buffer.from(good, "base64");
  const tampered = (place: number): string => {
    const copy = Buffer.from(bytes);
    copy[place] = (copy[place] ?? 0) ^ 1;
    return copy.toString("base64");
  };
  const damaged: readonly (readonly [string, string])[] = [
    ["is no ciphertext at all", "open sesame"],
    ["is empty", ""],
    ["is cut off", bytes.subarray(0, 20).toString("base64")],
    ["has a vector of another length", lock('"open sesame"', 16)],
    ["says that its vector has another length", tampered(3)],
    ["was locked with another key", lock('"open sesame"', 12, Buffer.alloc(16, 9))],
    ["was changed", tampered(bytes.length - 17)],
    ["has another tag", tampered(bytes.length - 1)],
    ["holds no JSON", lock("open sesame")],
  ];
  for (const [what, locked] of damaged) {
    it(`that ${what} is refused, and the error repeats nothing of it`, () => {
      const content = `{"secret":${JSON.stringify(locked)}}`;
      const unlock = (): string => unlockArguments(content, { secret: "aes-128" }, keys);
      expect(unlock).to.throw(LockedArgumentError, "secret").with.property("code", "cannot-unlock");
      expect(unlock).to.not.throw(/sesame/);
    });
  }

  it("goes to the environment in clear where it is one for the init", () => {
    const content = { first: good, second: lock('{"n":1.0}'), third: "x" };
    const order = orderOf({
      content,
      initArgs: ["first"],
      lockedArgs: { first: "aes-128", second: "aes-128" },
    });
    const stored = storedAction();
    const action = { stored, kind: "nodejs:20", limits: stored.document.limits };
    const job = describeJob(order, action, { ...defaultInvokerSettings(), argumentKeys: keys });
    expect(job.initFrame(0).env.first).to.equal("open sesame");
    expect(job.runBody(0)).to.contain('"value":{"second":{"n":1.0},"third":"x"}');
  });
});
