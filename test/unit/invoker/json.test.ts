// JSON without loss: numbers come out as they went in, and all else is as with JSON.parse and JSON.stringify.

import { expect } from "chai";
import { ExactNumber, isJsonObject, parseExact, printExact } from "../../../invoker/wire/json.ts";

const exactTexts = ["1.0", "-0", "1e400", "1E2", "0.10", "12345678901234567890", "-1.50e-7", "1e21"];
const doubleTexts = ["0", "7", "-1", "0.5", "9007199254740991", "1e+21", "-1.5e-7"];

describe("JSON without loss", () => {
  it("keeps numbers that a double would change, wherever they stand", () => {
    for (const number of exactTexts) {
      for (const text of [number, `[${number}]`, `{"a":{"b":[1,${number},"x"]},"c":null}`]) {
        expect(printExact(parseExact(text))).to.equal(text);
      }
      expect(parseExact(number)).to.be.instanceOf(ExactNumber);
    }
  });

  it("reads numbers that are doubles as numbers", () => {
    for (const text of doubleTexts) {
      expect(parseExact(text)).to.equal(Number(text));
    }
    expect(parseExact('{"text":"1.0 and 12345678901234567890"}')).to.deep.equal({
      text: "1.0 and 12345678901234567890",
    });
  });

  it("reads everything else as JSON.parse does", () => {
    const texts = [
      ' { "a" : [ ] , "b" : { } , "c" : [ { } , [ ] , true , false , null ] } ',
      '{"\\"quoted\\"":"\\\\","\\u0000":"\\ud800","ÿ€":"😀","{":"}","[1.0]":"]"}',
      '{"a":1,"b":2,"a":3}',
      '{"__proto__":{"polluted":true},"constructor":1,"2":"b","1":"a"}',
      '\t[\n"a"\r,\t-1 ]\n',
    ];
    for (const text of texts) {
      const [value, withExact] = [JSON.parse(text), parseExact(`[1.0,${text}]`)];
      expect(parseExact(text)).to.deep.equal(value);
      expect(withExact).to.deep.equal([new ExactNumber("1.0"), value]);
      expect(JSON.stringify((withExact as readonly unknown[])[1])).to.equal(JSON.stringify(value));
    }
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined);
  });

  it("refuses what JSON.parse refuses", () => {
    for (const text of ["", "{", "[1.0", "01", "1.", '{"a" 1.0}', "1.0 2", '"', "nul"]) {
      expect(() => parseExact(text), text).to.throw(SyntaxError);
    }
  });

  it("prints values without such numbers as JSON.stringify does, and leaves out what is undefined", () => {
    const value = { a: undefined, b: [1, "x", null], c: { d: "\u2028" } };
    expect(printExact(value)).to.equal(JSON.stringify(value));
    expect(printExact({ ...value, e: new ExactNumber("1.0") })).to.equal(
      `${JSON.stringify(value).slice(0, -1)},"e":1.0}`,
    );
  });

  it("gives the nearest number to whoever prints without it, and calls none an object", () => {
    expect(JSON.stringify([new ExactNumber("1.0"), new ExactNumber("1e400")])).to.equal("[1,null]");
    expect(isJsonObject(new ExactNumber("1.0"))).to.equal(false);
  });
});
