// The requests of the OpenWhisk command line, replayed to a server whose invoker answers what the test says.

import { expect } from "chai";
import { installSamples } from "../../standalone/samples.ts";
import { recordDocument } from "../../standalone/store/records.ts";
import { startTestServer, type TestServer } from "../unit/standalone/server.ts";
import { Replay, recorded, recordedActivationId } from "./wsk-replay.ts";

const earlierActivation = {
  namespace: "guest",
  name: "hello",
  subject: "guest",
  activationId: recordedActivationId,
  start: 1_795_225_441_267,
  end: 1_795_225_441_272,
  duration: 5,
  response: { statusCode: 0, result: { msg: "hi" }, size: 12 },
  logs: ["2026-01-01T00:00:00.0Z stdout: hi"],
  version: "0.0.1",
  publish: false,
  annotations: [
    { key: "path", value: "guest/hello" },
    { key: "kind", value: "nodejs:20" },
  ],
} as const;

describe("the requests of wsk", () => {
  let server: TestServer;
  let replay: Replay;

  before(async () => {
    server = await startTestServer();
    await installSamples(server.services);
    server.behave((message) => {
      switch (message.action.name) {
        case "slow":
          return "silence";
        case "fail":
          return { response: { statusCode: 1, result: { error: "boom" }, size: 16 } };
        case "echo":
          return { response: { statusCode: 0, result: message.content ?? {}, size: 16 } };
        default:
          return { response: { statusCode: 0, result: { msg: "hi" }, size: 12 } };
      }
    });
    await server.services.records.store(recordDocument(earlierActivation, 1_795_225_441_300));
    replay = new Replay({ send: server.send, activationId: recordedActivationId, waitMs: 80 });
  });

  after(async () => {
    await server.stop();
  });

  for (const { command, requests } of recorded) {
    it(`are answered as expected: ${command}`, () => replay.run({ command, requests }));
  }

  it("ask for nothing that this server faults on", () => {
    expect(server.faults).to.deep.equal([]);
  });
});
