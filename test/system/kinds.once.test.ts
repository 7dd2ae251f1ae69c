// Every kind that is installed here runs in containers of its own interpreter, which are rewound, verified.

import { expect } from "chai";
import { findInterpreters } from "../../invoker/index.ts";
import { RealInvoker } from "./real-invoker.ts";

const kinds = (await findInterpreters()).map(({ kind }) => kind);
const code = (kind: string): string =>
  kind.startsWith("nodejs:")
    ? "globalThis.seen = (globalThis.seen ?? 0) + 1; const main = () => ({ version: process.version, seen });"
    : "import sys\nsys.seen = getattr(sys, 'seen', 0) + 1\ndef main(args):\n  return {'version': 'v%d.%d' % sys.version_info[:2], 'seen': sys.seen}\n";

describe("the kinds of this machine", () => {
  it("are two lines of Node at least, and Python", () => {
    expect(kinds.filter((kind) => kind.startsWith("nodejs:")).length).to.be.greaterThan(1);
    expect(kinds).to.include("python:3");
  });

  for (const kind of kinds)
    it(`${kind}: its own interpreter, and nothing of the run before`, async () => {
      const stemCells = [{ kind, count: 1, memoryMB: 256 }];
      const real = await RealInvoker.start({ userMemoryMB: 256, rewind: "always", stemCells });
      try {
        for (let i = 0; i < 20; i++) {
          real.put(`action${i % 2}`, { kind, code: code(kind) });
          const { result } = (await real.run(`action${i % 2}`)).record.response;
          expect((result as { seen: number }).seen).to.equal(1);
          expect((result as { version: string }).version).to.match(
            new RegExp(`^v${kind.split(":")[1]}(\\.|$)`),
          );
        }
        expect(real.taints()).to.deep.equal([]);
      } finally {
        await real.stop();
      }
    });
});
