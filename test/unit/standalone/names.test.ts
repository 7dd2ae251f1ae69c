// Names, paths and versions, as OpenWhisk's grammar has them.

import { expect } from "chai";
import {
  checkedName,
  checkedNamespace,
  entityId,
  isEntityName,
  nextVersion,
  readQualifiedName,
  readVersion,
  splitPath,
} from "../../../standalone/names.ts";

describe("names", () => {
  it("may hold letters, digits, underscores, and inside also blanks and @ . & -", () => {
    for (const name of [
      "a",
      "_",
      "hello",
      "my action",
      "a@b.c",
      "a&b",
      "hello-",
      "x".repeat(256),
      "whisk.system",
    ]) {
      expect(isEntityName(name), name).to.equal(true);
    }
  });

  it("may not begin with anything but a letter, digit or underscore, nor end in a blank", () => {
    for (const name of ["", " a", "-a", ".a", "a ", "a/b", "ä", "a\n", "a!b", "x".repeat(257)]) {
      expect(isEntityName(name), JSON.stringify(name)).to.equal(false);
    }
  });

  it("are refused with the reason", () => {
    expect(() => checkedName("a!")).to.throw("The name of the entity contains illegal characters.");
    expect(() => checkedName("x".repeat(300))).to.throw("longer than allowed: 300 > 256.");
    expect(() => checkedNamespace("a!", "guest")).to.throw("The namespace contains illegal characters.");
  });

  it("of namespaces may be _ for the caller's own", () => {
    expect(checkedNamespace("_", "guest")).to.equal("guest");
    expect(checkedNamespace("other", "guest")).to.equal("other");
  });
});

describe("qualified names", () => {
  it("are read with and without the first slash, with and without a package", () => {
    expect(readQualifiedName("/_/hello", "guest")).to.deep.equal({ path: "guest", name: "hello" });
    expect(readQualifiedName("ns/hello", "guest")).to.deep.equal({ path: "ns", name: "hello" });
    expect(readQualifiedName("/_/pkg/hello", "guest")).to.deep.equal({ path: "guest/pkg", name: "hello" });
    expect(readQualifiedName({ path: "_/pkg", name: "a" }, "guest")).to.deep.equal({
      path: "guest/pkg",
      name: "a",
    });
  });

  it("need at least a namespace and a name, and at most a package between", () => {
    expect(() => readQualifiedName("hello", "guest")).to.throw("at least the namespace and the name");
    expect(() => readQualifiedName("/a/b/c/d", "guest")).to.throw("illegal characters");
    expect(() => readQualifiedName(7, "guest")).to.throw("malformed");
  });

  it("make document ids and fall apart again", () => {
    expect(entityId({ path: "guest/pkg", name: "a" })).to.equal("guest/pkg/a");
    expect(splitPath("guest/pkg")).to.deep.equal({ namespace: "guest", packageName: "pkg" });
    expect(splitPath("guest")).to.deep.equal({ namespace: "guest", packageName: undefined });
  });
});

describe("versions", () => {
  it("go up by one patch level", () => {
    expect(nextVersion("0.0.1")).to.equal("0.0.2");
    expect(nextVersion("1.2.9")).to.equal("1.2.10");
  });

  it("may be stated short, and not as nothing", () => {
    expect(readVersion("2")).to.equal("2.0.0");
    expect(readVersion("1.2.3")).to.equal("1.2.3");
    for (const bad of ["0.0.0", "a", "1.2.3.4", 1, "-1"]) {
      expect(() => readVersion(bad), String(bad)).to.throw("bad semantic version");
    }
  });
});
