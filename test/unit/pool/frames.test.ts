// Frames of the channel, whole and in pieces.

import { expect } from "chai";
import { FrameReader, initPieces, type ReceivedFrame, runPieces } from "../../../pool/proxy/frames.ts";
import { answerFrame, frame } from "./fake-machine.ts";

const nonce = Buffer.from("0123456789abcdef");

function reader(maxBytes = 1000, keptBytes = 10): FrameReader {
  return new FrameReader(() => ({ maxBytes, keptBytes }));
}

function received(result: ReturnType<FrameReader["push"]>): ReceivedFrame[] {
  if ("garbled" in result) throw new Error(result.garbled);
  return result;
}

describe("frames to a runtime", () => {
  it("carry an init's header and its code, which is not copied", () => {
    const code = Buffer.from("function main() {}");
    const pieces = initPieces(nonce, { name: "hello", main: "main", binary: false, env: { A: "é" }, code });
    expect(pieces.at(-1)).to.equal(code);
    const whole = Buffer.concat(pieces);
    expect(whole.readUInt32LE(0)).to.equal(whole.length - 4);
    expect(whole.subarray(4, 20).equals(nonce)).to.equal(true);
    expect(whole[20]).to.equal(1);
    const headerBytes = whole.readUInt32LE(21);
    const header: unknown = JSON.parse(whole.subarray(25, 25 + headerBytes).toString());
    expect(header).to.deep.equal({ name: "hello", main: "main", binary: false, env: { A: "é" } });
    expect(whole.subarray(25 + headerBytes).equals(code)).to.equal(true);
  });

  it("carry a run's body byte for byte", () => {
    for (const [isShared, type] of [
      [false, 2],
      [true, 5],
    ] as const) {
      const whole = Buffer.concat(runPieces(nonce, '{"value":"ü"}', isShared));
      expect(whole.readUInt32LE(0)).to.equal(whole.length - 4);
      expect(whole[20]).to.equal(type);
      expect(whole.subarray(21).toString()).to.equal('{"value":"ü"}');
    }
  });
});

describe("frames from a runtime", () => {
  const two = Buffer.concat([
    frame(3, Buffer.alloc(16), Buffer.from("{}")),
    answerFrame(nonce, 502, '{"error":"ü"}'),
    answerFrame(nonce, 200, ""),
  ]);

  for (const pieceBytes of [1, 2, 3, 5, 20, 21, 22, 23, 24, 64, 1000]) {
    it(`are the same in pieces of ${pieceBytes} bytes`, () => {
      const frames = reader();
      const all: ReceivedFrame[] = [];
      for (let at = 0; at < two.length; at += pieceBytes) {
        // A copy that is overwritten afterwards: nothing may be kept of the piece itself.
        const piece = Buffer.from(two.subarray(at, at + pieceBytes));
        all.push(...received(frames.push(piece)));
        piece.fill(0);
      }
      expect(all.map(({ type, status, body }) => [type, status, body.toString()])).to.deep.equal([
        [3, 0, "{}"],
        [4, 502, '{"error":"ü"}'],
        [4, 200, ""],
      ]);
      expect(all[1]?.nonce.equals(nonce)).to.equal(true);
      expect(frames.isBetweenFrames).to.equal(true);
    });
  }

  it("with a body above the limit are counted and cut, never held whole", () => {
    const frames = reader(100, 10);
    const body = Buffer.alloc(5_000_000, "z");
    const [answer] = received(frames.push(answerFrame(nonce, 200, body)));
    expect(answer?.bodyBytes).to.equal(5_000_000);
    expect(answer?.body.toString()).to.equal("zzzzzzzzzz");
  });

  it("with a body of exactly the limit are whole", () => {
    const [answer] = received(reader(100, 10).push(answerFrame(nonce, 200, Buffer.alloc(100, "z"))));
    expect(answer?.body.length).to.equal(100);
  });

  for (const [what, bytes] of [
    ["of an unknown type", frame(9, nonce, Buffer.from("x"))],
    ["of a type only the host sends", frame(2, nonce, Buffer.from("{}"))],
    [
      "shorter than their own head",
      Buffer.concat([Buffer.from([5, 0, 0, 0]), Buffer.alloc(16), Buffer.from([3])]),
    ],
    [
      "of an answer without room for its status",
      Buffer.concat([Buffer.from([17, 0, 0, 0]), nonce, Buffer.from([4])]),
    ],
    ["that are text", Buffer.from("I was printed to the wrong descriptor\n")],
  ] as const) {
    it(`${what} are garbage`, () => {
      expect(reader().push(bytes)).to.have.property("garbled");
    });
  }
});
