// Every kind that is installed here runs in containers of its own interpreter, which are rewound, verified.

import { expect } from "chai";
import { findInterpreters } from "../../invoker/index.ts";
import type { Family } from "../corpus.ts";
import { RealInvoker } from "./real-invoker.ts";

const kinds = (await findInterpreters()).map(({ kind }) => kind);
const codes = {
  nodejs:
    "globalThis.seen = (globalThis.seen ?? 0) + 1; const main = () => ({ version: process.version, seen });",
  python:
    "import sys\nsys.seen = getattr(sys, 'seen', 0) + 1\ndef main(args):\n  return {'version': 'v%d.%d' % sys.version_info[:2], 'seen': sys.seen}\n",
  ruby: "$seen = $seen.to_i + 1\ndef main(args)\n  { version: 'v' + RUBY_VERSION, seen: $seen }\nend\n",
} as const satisfies Record<Family, string>;
const code = (kind: string): string => codes[kind.split(":")[0] as Family];

describe("the kinds of this machine", () => {
  it("are two lines of Node at least, Python, and Ruby", () => {
    expect(kinds.filter((kind) => kind.startsWith("nodejs:")).length).to.be.greaterThan(1);
    expect(kinds).to.include.members(["python:3", "ruby:3"]);
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
