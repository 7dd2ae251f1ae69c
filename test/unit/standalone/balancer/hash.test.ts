// Numbers from names, worked out by hand from Java's definition: s[0]*31^(n-1) + ... + s[n-1], in 32 bits.

import { expect } from "chai";
import { coprimeSteps, homeHash, javaHash } from "../../../../standalone/balancer/hash.ts";

describe("the home of an action", () => {
  it("comes from hashes as Java has them", () => {
    const hashes: readonly (readonly [string, number])[] = [
      ["", 0],
      ["a", 97],
      ["guest", 98_708_952],
      ["guest/hello", 86_723_035],
      ["hello", 99_162_322],
      // Beyond 31 bits, and the smallest number there is.
      ["Hello World", -862_545_276],
      ["polygenelubricants", -2_147_483_648],
      // Two UTF-16 units: 0xd83d * 31 + 0xde00.
      ["\u{1f600}", 55_357 * 31 + 56_832],
    ];
    for (const [text, hash] of hashes) {
      expect(javaHash(text), text).to.equal(hash);
    }
  });

  it("is the distance of both names, never below zero", () => {
    expect(homeHash("guest", "guest/hello")).to.equal(13_198_339);
    expect(homeHash("", "Hello World")).to.equal(862_545_276);
    expect(homeHash("", "polygenelubricants")).to.equal(2_147_483_648);
  });

  it("is left by steps that are coprime to the number of invokers and to each other", () => {
    const steps: readonly (readonly number[])[] = [
      [],
      [1],
      [1],
      [1, 2],
      [1, 3],
      [1, 2, 3],
      [1, 5],
      [1, 2, 3, 5],
      [1, 3, 5, 7],
      [1, 2, 5, 7],
      [1, 3, 7],
    ];
    expect(steps.map((_, count) => coprimeSteps(count))).to.deep.equal(steps);
  });
});
