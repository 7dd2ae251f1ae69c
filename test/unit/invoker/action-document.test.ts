// Action documents as the database may hold them: what counts as unset, and what is refused.

import { expect } from "chai";
import { readActionDocument } from "../../../invoker/store/action-document.ts";
import { ActionFetchError } from "../../../invoker/store/stores.ts";

const rules = { attached: true, requireMain: false };
const document = {
  ...{ _id: "guest/a", _rev: "1-a", namespace: "guest", name: "a", version: "0.0.1", publish: false },
  ...{ parameters: [], annotations: [{ key: "nothing", value: null }] },
  limits: { timeout: 60_000, memory: 256 },
  exec: { kind: "nodejs:20", code: "function main() {}" },
};
const read = (value: unknown): unknown => readActionDocument("guest/a", value, () => rules);

describe("an action document", () => {
  it("may say null for what is optional, and that is as if it were not there", () => {
    const nulls = {
      ...{ ...document, entityType: null, _attachments: null, updated: null },
      limits: { ...document.limits, logs: null, concurrency: null, instances: null },
      exec: { ...document.exec, main: null, binary: null, jar: null },
    };
    expect(read(nulls)).to.deep.equal(read(document));
    const images = { kind: "blackbox", image: "guest/image", code: null };
    expect(read({ ...document, exec: images })).to.have.deep.property("exec", {
      ...{ kind: "blackbox", image: "guest/image" },
    });
  });

  for (const version of ["x", "", "1", "1.2", "1.2.x", "v1.2.3", "1.2.3-rc", "1.2.3.4", 1]) {
    it(`may not have the version ${JSON.stringify(version)}`, () => {
      expect(() => read({ ...document, version })).to.throw(ActionFetchError, "version");
    });
  }

  it("may not say null for what must be there", () => {
    for (const name of ["namespace", "name", "version", "publish", "parameters", "limits", "exec"]) {
      expect(() => read({ ...document, [name]: null }), name).to.throw(ActionFetchError, name);
    }
    for (const name of ["timeout", "memory"]) {
      const limits = { ...document.limits, [name]: null };
      expect(() => read({ ...document, limits }), name).to.throw(ActionFetchError, `limits.${name}`);
    }
    expect(() => read({ ...document, exec: { kind: "nodejs:20", code: null } })).to.throw(
      ActionFetchError,
      "exec.code",
    );
  });
});
