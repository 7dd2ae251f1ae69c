// What controllers tell each other of changed entities, on the bus as OpenWhisk writes it.

import { expect } from "chai";
import { holdsWithin, within } from "../../../within.ts";
import { startTestServer, type TestServer } from "../server.ts";

const base = "/api/v1/namespaces/_";
const patienceMs = 60_000;

describe("a change of an entity", () => {
  let server: TestServer;
  const told: string[] = [];
  before(async () => {
    server = await startTestServer();
    const hear = (message: string): void => void told.push(message);
    server.bus.subscribe("cacheInvalidation", hear, { group: "cacheInvalidationcontroller7" });
  });
  after(() => server.stop());

  it("is told to the other controllers: creation, update and deletion, of whatever it is", async () => {
    const exec = { kind: "nodejs:20", code: ";" };
    await server.send("PUT", `${base}/packages/pkg`, {});
    await server.send("PUT", `${base}/actions/pkg/hello`, { exec });
    await server.send("PUT", `${base}/actions/pkg/hello?overwrite=true`, { exec });
    await server.send("DELETE", `${base}/actions/pkg/hello`);
    const ofThese = (): readonly string[] => told.filter((text) => text.includes("guest/pkg"));
    expect(await holdsWithin(patienceMs, () => ofThese().length === 4)).to.equal(true);
    const message = (id: string) => ({ key: { mainId: id }, instanceId: "controller0" });
    expect(ofThese().map((text) => JSON.parse(text))).to.deep.equal([
      message("guest/pkg"),
      ...Array.from({ length: 3 }, () => message("guest/pkg/hello")),
    ]);
  });

  it("that another controller tells makes this one read again, and its own does not", async () => {
    const { entities } = server.services;
    await server.send("PUT", `${base}/triggers/t`, {});
    const first = await entities.get("trigger", "guest/t");
    await server.bus.send(
      "cacheInvalidation",
      JSON.stringify({ key: { mainId: "guest/t" }, instanceId: "controller0" }),
    );
    const again = async () => (await entities.get("trigger", "guest/t")) !== first;
    expect(await again()).to.equal(false);
    await server.bus.send(
      "cacheInvalidation",
      JSON.stringify({ key: { mainId: "guest/t", secondaryId: "x" }, instanceId: "controller1" }),
    );
    let isRead = false;
    expect(
      await holdsWithin(patienceMs, () => {
        void again().then((now) => {
          isRead ||= now;
        });
        return isRead;
      }),
    ).to.equal(true);
  });

  it("that cannot be read is a fault, not the end", async () => {
    await server.bus.send("cacheInvalidation", "{");
    const fault = await within(patienceMs, () => server.faults[0]);
    expect(server.faults).to.deep.equal([fault]);
    expect(fault).to.match(/^a message of another controller: SyntaxError/);
  });
});
