// What a checkpoint waits for.

import { expect } from "chai";
import { withVictim } from "./victim.ts";

describe("a checkpoint", () => {
  it("waits for a thread whose own wait ends as soon as it is made again", () =>
    withVictim(
      "word-changed",
      "copy-all",
      async (_, checkpoint) => {
        expect(await checkpoint.verify()).to.equal(undefined);
      },
      (victim) => victim.change(),
    ));
});
