// What is said of machines that refuse.

import { constants } from "node:os";
import { expect } from "chai";
import { obstacles, remedyFor } from "../../../restorer/remedies.ts";

/** A machine whose files have these contents, and no others. */
const machine =
  (files: { readonly [file: string]: string }) =>
  (file: string): string =>
    files[file] ?? "";
const yama = "/proc/sys/kernel/yama/ptrace_scope";

describe("an obstacle to rewinding", () => {
  it("is Yama where it lets nobody trace, and how to end that is said", () => {
    expect(obstacles(machine({ [yama]: "3\n" })).join()).to.match(/ptrace_scope is 3: .*sysctl\.d.*boot/);
    for (const scope of ["0\n", "1\n", "2\n", ""])
      expect(obstacles(machine({ [yama]: scope })), `scope ${scope}`).to.deep.equal([]);
  });

  it("is a seccomp filter of our own", () => {
    const status = (mode: number) => machine({ "/proc/self/status": `NoNewPrivs:\t0\nSeccomp:\t${mode}\n` });
    expect(obstacles(status(2)).join()).to.match(/seccomp filter itself.*seccomp=unconfined/);
    expect(obstacles(status(0))).to.deep.equal([]);
  });

  it("is not found where rewinding is proven", () => {
    expect(obstacles()).to.deep.equal([]);
  });
});

describe("a remedy", () => {
  it("is named for want of memory and of descriptors, and invented for nothing else", () => {
    expect(remedyFor(constants.errno.ENOMEM)).to.match(/whisk\.container-pool\.user-memory/);
    expect(remedyFor(constants.errno.EMFILE)).to.match(/ulimit -n/);
    expect(remedyFor(0)).to.equal("");
  });
});
