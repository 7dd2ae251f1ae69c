// Which inits are to leave an action checkpoint, by what came of those before.

import { expect } from "chai";
import { LevelTries } from "../../../pool/level-tries.ts";

/** Of so many inits, in turn from 1, those that are tries: each comes to nothing. */
function futile(tries: LevelTries, owner: string, inits: number): number[] {
  const tried: number[] = [];
  for (let init = 1; init <= inits; init++) {
    if (!tries.isDue(owner)) continue;
    tried.push(init);
    tries.failed(owner);
  }
  return tried;
}

describe("tries of action checkpoints", () => {
  it("are every init of an action that nothing has forbidden so far", () => {
    const tries = new LevelTries();
    for (let i = 0; i < 10; i++) expect(tries.isDue("a")).to.equal(true);
  });

  it("leave out no more inits than there were before, and no more than 255 in a row", () => {
    const tried = futile(new LevelTries(), "a", 1100);
    expect(tried).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024]);
  });

  it("are of each owner by itself", () => {
    const tries = new LevelTries();
    futile(tries, "a", 3);
    expect(futile(tries, "b", 4)).to.deep.equal([1, 2, 4]);
    expect(tries.isDue("a")).to.equal(true);
  });

  it("are all inits again once a checkpoint was come back to", () => {
    const tries = new LevelTries();
    futile(tries, "a", 100);
    tries.succeeded("a");
    expect(futile(tries, "a", 4)).to.deep.equal([1, 2, 4]);
  });

  it("are remembered of the 500 owners whose inits were last", () => {
    const tries = new LevelTries();
    for (let i = 0; i < 500; i++) futile(tries, `${i}`, 2);
    expect(tries.isDue("0"), "which uses it").to.equal(false);
    futile(tries, "500", 2);
    futile(tries, "501", 2);
    // What is forgotten begins anew.
    expect(["1", "2"].map((owner) => futile(tries, owner, 2))).to.deep.equal([
      [1, 2],
      [1, 2],
    ]);
  });
});
