// What kafkajs writes requests into, as the bus mends it: the same bytes, in little more memory than they need.

import { createRequire } from "node:module";
import { expect } from "chai";
import { kafkajs } from "../../../invoker/bus/kafka-client.ts";

interface Encoder {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  writeBytes(value: string): Encoder;
  writeInt32(value: number): Encoder;
}

describe("a request to Kafka", () => {
  let newEncoder: () => Encoder;

  before(() => {
    kafkajs();
    const requireHere = createRequire(import.meta.url);
    const inside = createRequire(requireHere.resolve("kafkajs"));
    const encoder = inside("./src/protocol/encoder") as new () => Encoder;
    newEncoder = () => new encoder();
  });

  const lengthOf = (bytes: number): Buffer => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes);
    return length;
  };

  it("takes no more than a long message and what follows it", () => {
    const text = "ä".repeat(550_000);
    const encoder = newEncoder().writeBytes(text).writeInt32(7);
    expect(
      encoder.buffer.equals(Buffer.concat([lengthOf(1_100_000), Buffer.from(text), lengthOf(7)])),
    ).to.equal(true);
    expect(encoder.buf.length).to.be.below(1_102_000);
  });

  it("is the same bytes however many messages go together", () => {
    const encoder = newEncoder();
    const texts = Array.from({ length: 5_000 }, (_, i) => String(i).repeat(i % 50));
    for (const text of texts) encoder.writeBytes(text);
    const wanted = texts.flatMap((text) => [lengthOf(text.length), Buffer.from(text)]);
    expect(encoder.buffer.equals(Buffer.concat(wanted))).to.equal(true);
  });
});
