// What a controller makes of a database that answers half, or not at all.

import { expect } from "chai";
import { openCouchDatabases } from "../../standalone/store/couchdb.ts";
import type { Databases } from "../../standalone/store/databases.ts";
import { type Scripted, ScriptedCouch, stopTime } from "./scripted-couch.ts";

const document = JSON.stringify({ _id: "guest/hello", _rev: "1-a", name: "hello" });

describe("a controller whose database", () => {
  let couch: ScriptedCouch;
  let databases: Databases;
  let restartTime: () => void;
  beforeEach(async () => {
    couch = await ScriptedCouch.start();
    databases = await openCouchDatabases({ url: `http://127.0.0.1:${couch.port}`, prefix: "whisk_" });
    restartTime = stopTime(couch);
  });
  afterEach(async () => {
    restartTime();
    await databases.close();
    await couch.stop();
  });

  for (const how of ["half", "reset", "hanging", "stalled"] as const satisfies readonly Scripted["how"][])
    it(`gives a ${how} answer does not wait for ever, and asks again when it is asked`, async () => {
      const { whisks } = databases;
      couch.script = () => ({ body: document, how });
      const failure = await whisks.get("guest/hello").then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error);
      couch.script = () => ({ body: document });
      expect(await whisks.get("guest/hello")).to.include({ name: "hello" });
    });
});
