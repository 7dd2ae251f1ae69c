// The command line of an invoker, and the bytes of an id.

import { expect } from "chai";
import { SettingsError } from "../../../invoker/config/read-cluster.ts";
import { type InstanceArguments, readInstanceArguments } from "../../../invoker/instance-arguments.ts";
import { encodeId, smallestFree } from "../../../invoker/instance-id.ts";

const none: InstanceArguments = {
  ...{ id: undefined, uniqueName: undefined, displayedName: undefined, overwriteId: undefined },
};

describe("an invoker's arguments", () => {
  const accepted: readonly (readonly [string, Partial<InstanceArguments>])[] = [
    ["--id|0|--uniqueName|0", { id: 0, uniqueName: "0" }],
    ["--uniqueName| pod-1 |--displayedName|rack 7", { uniqueName: "pod-1", displayedName: "rack 7" }],
    ["--displayedName||--id|12", { id: 12 }],
    ["--uniqueName||--id|1", { id: 1 }],
    ["--uniqueName|a|--overwriteId|3", { uniqueName: "a", overwriteId: 3 }],
    ["--id|1|--id|2", { id: 2 }],
  ];
  for (const [argv, wanted] of accepted) {
    it(`'${argv}' are read`, () => {
      expect(readInstanceArguments(argv.split("|"))).to.deep.equal({ ...none, ...wanted });
    });
  }

  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /nothing says which invoker this is: give --id, or --uniqueName/],
    [["--uniqueName", " "], /nothing says which invoker this is/],
    [["--id", "one"], /--id is 'one': it must be a whole number/],
    [["--id", "-1"], /--id is '-1'/],
    [["--id", "2147483648"], /--id is '2147483648'/],
    [["--id", "0", "--verbose"], /'--verbose' is no argument of an invoker: there are --id, --uniqueName/],
    [["--id=0", "--id", "0"], /'--id=0' is no argument/],
    [["7", "--id", "0"], /'7' is no argument/],
    [["--id", "0", "--uniqueName"], /--uniqueName needs a value/],
    [["--uniqueName", "a/b"], /a name may not contain \//],
  ];
  for (const [argv, wanted] of refused) {
    it(`'${argv.join(" ")}' are refused`, () => {
      expect(() => readInstanceArguments(argv)).to.throw(SettingsError, wanted);
    });
  }

  it("are refused with everything that is wrong", () => {
    expect(() => readInstanceArguments(["--x", "--overwriteId", "y"]))
      .to.throw(SettingsError)
      .with.property("problems")
      .with.length(3);
  });
});

describe("an id", () => {
  it("is as few bytes as hold it and its sign", () => {
    const hex = [0, 1, 127, 128, 255, 256, 32_767, 32_768, 2 ** 31 - 1].map((id) =>
      encodeId(id).toString("hex"),
    );
    expect(hex).to.deep.equal(["00", "01", "7f", "0080", "00ff", "0100", "7fff", "008000", "7fffffff"]);
  });

  it("is the smallest that is free", () => {
    expect([[], [0, 1, 2], [2, 0], [1], [5, 5, 0]].map(smallestFree)).to.deep.equal([0, 3, 1, 0, 1]);
  });
});
