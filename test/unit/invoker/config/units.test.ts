// Sizes, durations, truth, numbers and names as configuration files and variables spell them.

import { expect } from "chai";
import {
  readBoolean,
  readDurationMs,
  readNames,
  readNumber,
  readSizeBytes,
} from "../../../../invoker/config/units.ts";

function table<Of>(read: (text: string) => Of, rows: readonly (readonly [string, Of])[]): void {
  for (const [text, wanted] of rows) {
    it(`'${text}' is ${JSON.stringify({ wanted })}`, () => {
      expect(read(text)).to.deep.equal(wanted);
    });
  }
}

describe("a size", () => {
  table(readSizeBytes, [
    ["0", 0],
    ["6068", 6068],
    ["1 B", 1],
    ["2048m", 2 ** 31],
    ["2048 M", 2 ** 31],
    ["1MiB", 2 ** 20],
    ["1 mebibyte", 2 ** 20],
    ["1MB", 1_000_000],
    ["1 megabytes", 1_000_000],
    ["16 k", 16_384],
    ["16K", 16_384],
    ["16kB", 16_000],
    ["2g", 2 ** 31],
    ["2GB", 2_000_000_000],
    ["0.5 m", 2 ** 19],
    ["1 t", 2 ** 40],
    ["", undefined],
    ["m", undefined],
    ["-1m", undefined],
    ["1 KB", undefined],
    ["2 gigs", undefined],
    ["1m 1m", undefined],
  ]);
});

describe("a duration", () => {
  table(readDurationMs, [
    ["100 ms", 100],
    ["100ms", 100],
    ["10 seconds", 10_000],
    ["10.seconds", 10_000],
    ["1 second", 1000],
    ["5 m", 300_000],
    ["10 minute", 600_000],
    ["2 h", 7_200_000],
    ["1 d", 86_400_000],
    ["1.5 s", 1500],
    ["500 us", 0.5],
    ["Inf", Number.POSITIVE_INFINITY],
    ["PlusInf", Number.POSITIVE_INFINITY],
    ["10", undefined],
    ["", undefined],
    ["-1 s", undefined],
    ["1 fortnight", undefined],
    ["1 M", undefined],
  ]);
});

describe("truth", () => {
  table(readBoolean, [
    ["true", true],
    ["True", true],
    ["yes", true],
    ["on", true],
    ["false", false],
    ["FALSE", false],
    ["off", false],
    ["no", false],
    ["1", undefined],
    ["", undefined],
  ]);
});

describe("a number", () => {
  table(readNumber, [
    ["0.5", 0.5],
    ["1e3", 1000],
    ["-1", -1],
    ["", undefined],
    ["0x10", undefined],
    [".5", undefined],
    ["Infinity", undefined],
  ]);
});

describe("names between commas", () => {
  table(readNames, [
    ["", []],
    [" '' ", []],
    [" 'a,b' ", ["a", "b"]],
    ['"a, b"', ["a", "b"]],
    ["a", ["a"]],
    ["'a','b'", ["a", "b"]],
    [" a , ,b ", ["a", "b"]],
    ["o'neill", ["o'neill"]],
  ]);
});
