// A container's rest: paused after a while, resumed before it is used, whatever is under way.

import { expect } from "chai";
import { Rest } from "../../../../pool/docker/rest.ts";
import { holdsWithin } from "../../../within.ts";

/** Notes what it is told; a pause ends when the test says so. */
class Sleeper {
  readonly story: string[] = [];
  pauseEnds: () => void = () => undefined;
  isRefusing: boolean = false;

  async pause(): Promise<void> {
    this.story.push("pause");
    if (this.isRefusing) throw new Error("no");
    await new Promise<void>((resolve) => {
      this.pauseEnds = resolve;
    });
    this.story.push("paused");
  }

  async unpause(): Promise<void> {
    this.story.push("unpause");
    if (this.isRefusing) throw new Error("no");
  }
}

describe("a container's rest", () => {
  it("needs no end before it has begun", async () => {
    const sleeper = new Sleeper();
    await new Rest(sleeper, 0).end();
    expect(sleeper.story).to.deep.equal([]);
  });

  it("is no pause yet when it ends within the grace time", async () => {
    const sleeper = new Sleeper();
    const rest = new Rest(sleeper, 20);
    rest.begin();
    await rest.end();
    rest.begin();
    expect(await holdsWithin(60_000, () => sleeper.story.length > 0)).to.equal(true);
    expect(sleeper.story).to.deep.equal(["pause"]);
    sleeper.pauseEnds();
    await rest.end();
  });

  it("ends after a pause that is under way, once for all who ask", async () => {
    const sleeper = new Sleeper();
    const rest = new Rest(sleeper, 0);
    rest.begin();
    await holdsWithin(60_000, () => sleeper.story.length > 0);
    const ended = [rest.end(), rest.end()];
    expect(sleeper.story).to.deep.equal(["pause"]);
    sleeper.pauseEnds();
    await Promise.all(ended);
    expect(sleeper.story).to.deep.equal(["pause", "paused", "unpause"]);
    await rest.end();
    expect(sleeper.story.length).to.equal(3);
  });

  it("can begin again", async () => {
    const sleeper = new Sleeper();
    const rest = new Rest(sleeper, 0);
    for (let round = 0; round < 2; round++) {
      rest.begin();
      await holdsWithin(60_000, () => sleeper.story.length === 3 * round + 1);
      sleeper.pauseEnds();
      await rest.end();
    }
    expect(sleeper.story).to.deep.equal(["pause", "paused", "unpause", "pause", "paused", "unpause"]);
  });

  it("tells when it cannot be paused, and who wants to use it that it cannot be resumed", async () => {
    const sleeper = new Sleeper();
    sleeper.isRefusing = true;
    const rest = new Rest(sleeper, 0);
    rest.begin();
    expect(String(await rest.failed)).to.equal("Error: no");
    expect(await rest.end().catch(String)).to.equal("Error: no");
  });
});
