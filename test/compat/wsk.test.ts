// Every request that the OpenWhisk command line sends, replayed: the status it gets and the fields it reads.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder } from "../../invoker/settings.ts";
import { installSamples } from "../../standalone/samples.ts";
import { recordDocument } from "../../standalone/store/records.ts";
import { type Answer, startTestServer, type TestServer } from "../unit/standalone/server.ts";

interface Recorded {
  readonly command: string;
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly auth?: string;
  }[];
}

const recordedFile = join(projectFolder(), "test", "compat", "wsk-requests.json");
const recorded = JSON.parse(readFileSync(recordedFile, "utf8")) as readonly Recorded[];

const activationId = "44794bd6aab74415b4e42a308d880727";
const namespaceUrl = "/api/v1/namespaces/_";

/** Statuses of the requests of a command, where one of them is not 200. */
const unusualStatuses: { readonly [command: string]: readonly number[] } = {
  "wsk action update webby hello.js --web true --memory 512 --timeout 30000 --logsize 5 --concurrency 10 -p greeting hi -a note x":
    [200, 400],
  "wsk action create dup hello.js": [409],
  "wsk action create jav hello.zip --kind java:8 --main Hello": [400],
  "wsk action create dock --docker example/img": [400],
  "wsk action create dock2 hello.js --docker example/img": [400],
  "wsk action create native hello.zip --native": [400],
  "wsk action get nope": [404],
  'wsk action invoke hello -p name x -p n 5 -p o {"a":[1]}': [202],
  "wsk action invoke hello": [202],
  "wsk action invoke fail -b": [502],
  "wsk action invoke fail -r": [502],
  "wsk action invoke slow -b": [202],
  "wsk action invoke slow -r": [202],
  "wsk package refresh": [405],
  "wsk trigger fire t1 -p a b": [202],
  "wsk trigger create ft --feed /whisk.system/alarms/alarm -p cron * * * * *": [200, 403, 200, 200],
  "wsk --auth a:b action list": [401],
  "wsk api list": [404],
};

/** Fields that wsk reads of the answers to requests of this form. */
const readFields: readonly { readonly form: RegExp; readonly check: (body: Answer["body"]) => void }[] = [
  { form: /^GET \S+\/namespaces$/, check: (body) => expect(body).to.deep.equal(["guest"]) },
  {
    form: /^GET \/api\/v1$/,
    check: (body) => {
      expect(body).to.include.keys("api_paths", "build", "buildno", "limits", "runtimes");
      expect(body.runtimes.nodejs[0]).to.include.keys("kind", "default", "image", "deprecated");
    },
  },
  { form: /^GET \S+\/actions\/?(mypkg\/)?\?/, check: (body) => body.forEach(checkActionSummary) },
  { form: /^(GET|PUT|DELETE) \S+\/actions\/\w/, check: checkAction },
  { form: /^GET \S+\/packages\?/, check: (body) => body.forEach(checkPackageSummary) },
  { form: /^(PUT|DELETE) \S+\/packages\/\w/, check: checkPackage },
  {
    form: /^GET \S+\/packages\/\w/,
    check: (body) => {
      checkPackage(body);
      expect(body.actions).to.be.an("array");
      expect(body.feeds).to.be.an("array");
    },
  },
  { form: /^GET \S+\/(triggers|rules)\?/, check: (body) => body.forEach(checkEntity) },
  { form: /^(GET|PUT|DELETE) \S+\/triggers\/\w/, check: checkEntity },
  { form: /^(GET|PUT|DELETE) \S+\/rules\/\w/, check: checkRule },
  { form: /^GET \S+\/activations\?docs=true/, check: (body) => body.forEach(checkActivation) },
  { form: /^GET \S+\/activations\?/, check: (body) => body.forEach(checkActivationSummary) },
  { form: /^GET \S+\/activations\/\w+$/, check: checkActivation },
  {
    form: /^GET \S+\/logs$/,
    check: (body) => expect(body).to.deep.equal({ logs: ["2026-01-01T00:00:00.0Z stdout: hi"] }),
  },
  {
    form: /^GET \S+\/result$/,
    check: (body) =>
      expect(body).to.deep.equal({ result: { msg: "hi" }, size: 12, status: "success", success: true }),
  },
  { form: /^POST \S+result=true$/, check: (body) => expect(body).to.deep.equal({ msg: "hi" }) },
  { form: /^POST \S+blocking=true&result=false$/, check: checkActivation },
];

function checkEntity(entity: Answer["body"]): void {
  expect(entity).to.include({ namespace: "guest" });
  expect(entity.name).to.be.a("string");
  expect(entity.version).to.match(/^\d+\.\d+\.\d+$/);
  expect(entity.publish).to.be.a("boolean");
  expect(entity.annotations).to.be.an("array");
  expect(entity.updated).to.be.a("number");
}

function checkActionSummary(action: Answer["body"]): void {
  expect(action.namespace).to.match(/^(guest|whisk\.system)/);
  expect(action.limits).to.include.keys("timeout", "memory", "logs", "concurrency");
  expect(action.annotations.map((annotation: { key: string }) => annotation.key)).to.include("exec");
  expect(action.updated).to.be.a("number");
}

function checkAction(action: Answer["body"]): void {
  checkActionSummary(action);
  expect(action.exec.kind).to.match(/^(nodejs:20|python:3|sequence)$/);
  expect(action.parameters).to.be.an("array");
}

function checkPackageSummary(summary: Answer["body"]): void {
  expect(summary).to.include.keys(
    "namespace",
    "name",
    "version",
    "publish",
    "annotations",
    "binding",
    "updated",
  );
}

function checkPackage(body: Answer["body"]): void {
  checkEntity(body);
  expect(body.binding).to.be.an("object");
  expect(body.parameters).to.be.an("array");
}

function checkRule(rule: Answer["body"]): void {
  checkEntity(rule);
  expect(rule.status).to.match(/^(in)?active$/);
  expect(rule.trigger).to.deep.equal({ path: "guest", name: "t1" });
  expect(rule.action).to.deep.equal({ path: "guest", name: "hello" });
}

function checkActivationSummary(activation: Answer["body"]): void {
  expect(activation).to.include({ namespace: "guest", publish: false });
  expect(activation.activationId).to.match(/^[0-9a-f]{32}$/);
  expect(activation.annotations).to.be.an("array");
  expect(activation.start).to.be.a("number");
}

function checkActivation(activation: Answer["body"]): void {
  checkActivationSummary(activation);
  expect(activation.logs).to.be.an("array");
  expect(activation.response.status).to.be.a("string");
  expect(activation.response.success).to.be.a("boolean");
  expect(activation.subject).to.equal("guest");
}

describe("the requests of wsk", () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer({ settings: { blockingWaitMs: 80 } });
    await installSamples(server.services);
    server.behave((message) => {
      switch (message.action.name) {
        case "slow":
          return "silence";
        case "fail":
          return { response: { statusCode: 1, result: { error: "boom" }, size: 16 } };
        default:
          return { response: { statusCode: 0, result: { msg: "hi" }, size: 12 } };
      }
    });
    await server.services.records.store(recordDocument(earlierActivation, 1_795_225_441_300));
  });

  after(async () => {
    await server.stop();
  });

  let isSceneIntact = false;
  for (const { command, requests } of recorded) {
    it(`are answered as expected: ${command}`, async () => {
      if (!isSceneIntact || absentFor(command).length > 0) {
        await setScene(server, command);
      }
      isSceneIntact = requests.every(({ method }) => method === "GET") && absentFor(command).length === 0;
      for (const [i, request] of requests.entries()) {
        const auth =
          request.auth === "none" ? { auth: null } : request.auth === undefined ? {} : { auth: request.auth };
        const answer = await server.send(request.method, request.path, request.body, auth);
        const status = unusualStatuses[command]?.[i] ?? 200;
        expect(answer.status, `${request.method} ${request.path} gave ${answer.text}`).to.equal(status);
        checkBody(`${request.method} ${request.path}`, answer);
      }
    });
  }

  it("ask for nothing that this server faults on", () => {
    expect(server.faults).to.deep.equal([]);
  });
});

function checkBody(line: string, answer: Answer): void {
  expect(answer.headers.get("x-request-id")).to.match(/^\w{32}$/);
  if (answer.status === 202) {
    expect(answer.body.activationId).to.match(/^[0-9a-f]{32}$/);
    expect(answer.headers.get("x-openwhisk-activation-id")).to.equal(answer.body.activationId);
  } else if (answer.status === 502) {
    expect(line.endsWith("result=true") ? answer.body : answer.body.response.result).to.deep.equal({
      error: "boom",
    });
  } else if (answer.status >= 400) {
    expect(answer.body.error).to.be.a("string").and.not.equal("");
    expect(answer.body.code).to.equal(answer.headers.get("x-request-id"));
  } else {
    readFields.find(({ form }) => form.test(line))?.check(answer.body);
  }
}

const earlierActivation = {
  namespace: "guest",
  name: "hello",
  subject: "guest",
  activationId,
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

const exec = { kind: "nodejs:default", code: "function main(){return {}}" };

/** What is there when a command starts, in the order in which it can be made. */
const scene: readonly (readonly [path: string, body: unknown])[] = [
  ...["hello", "webby", "dup", "fail", "slow"].map((name) => [`actions/${name}`, { exec }] as const),
  ...["pkg", "mypkg", "pkg1"].map((name) => [`packages/${name}`, {}] as const),
  ["actions/mypkg/act", { exec }],
  ["actions/mypkg/pyh", { exec: { kind: "python:3", code: "def main(a):\n    return {}\n" } }],
  ["triggers/t1", {}],
  ["rules/r1", { trigger: "/_/t1", action: "/_/hello" }],
];

/** What a command that creates something must not find, and what depends on it. */
function absentFor(command: string): readonly string[] {
  const [, type, name] =
    /^wsk (action|package|trigger|rule) (?:create|bind) (?:\S+\/)?(\S+)/.exec(command) ?? [];
  if (type === undefined || name === "dup") {
    return [];
  }
  return ["trigger", "action"].includes(type) ? [`${type}s/${name}`, "rules/r1"] : [`${type}s/${name}`];
}

async function setScene(server: TestServer, command: string): Promise<void> {
  const { entities } = server.services;
  for (const type of ["rule", "trigger", "action", "package"] as const) {
    for (const { namespace, name } of entities.list(type, "guest")) {
      const inPackage = namespace === "guest" ? "" : `${namespace.slice("guest/".length)}/`;
      await server.send("DELETE", `${namespaceUrl}/${type}s/${inPackage}${name}`);
    }
  }
  const absent = absentFor(command);
  for (const [path, body] of scene.filter(([candidate]) => !absent.includes(candidate))) {
    const { status, text } = await server.send("PUT", `${namespaceUrl}/${path}`, body);
    expect(status, `${path}: ${text}`).to.equal(200);
  }
}
