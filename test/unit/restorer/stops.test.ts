// Stops of children are not heard of any more, their ends are.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

describe("a process that has muted stops", () => {
  it("hears nothing of the stop of a child, and of its end as before", async () => {
    const program = join(import.meta.dirname, "stops-program.js");
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout.trim(), "how often it heard of a stop and an end, as usual and muted").to.equal("2 1");
  });
});
