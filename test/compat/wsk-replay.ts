// Every request that the OpenWhisk command line sends, replayed to any server: the status it gets and the fields it reads.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { projectFolder } from "../../invoker/config/entries.ts";
import type { Answer } from "../unit/standalone/server.ts";

/** A command, and the requests that it sends. */
export interface Recorded {
  readonly command: string;
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly auth?: string;
  }[];
}

const recordedFile = join(projectFolder(), "test", "compat", "wsk-requests.json");
/** All commands, in the order in which they were recorded. */
export const recorded = JSON.parse(readFileSync(recordedFile, "utf8")) as readonly Recorded[];

/** The activation that the recorded commands ask for: one of `hello`. */
export const recordedActivationId = "44794bd6aab74415b4e42a308d880727";

/** Who is asked. */
export interface ReplayedServer {
  /** As the guest unless `auth` says otherwise; null sends none. */
  send(method: string, path: string, body?: unknown, options?: { auth: string | null }): Promise<Answer>;
  /** How long the server waits for the action `slow`, where a request has to say it. */
  readonly waitMs?: number;
  /** Its manifest lets actions bring images of their own. */
  readonly takesImages?: boolean;
  /** Its own activation of `hello`. */
  readonly activationId: string;
}

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
    check: (body) => checkLogs(body.logs),
  },
  {
    form: /^GET \S+\/result$/,
    check: (body) =>
      expect(body).to.deep.equal({ result: { msg: "hi" }, size: 12, status: "success", success: true }),
  },
  {
    form: /^POST \S+\/echo\?\S+result=true$/,
    check: (body) => expect(body).to.deep.equal({ message: "hi" }),
  },
  { form: /^POST \S+result=true$/, check: (body) => expect(body).to.deep.equal({ msg: "hi" }) },
  { form: /^POST \S+blocking=true&result=false$/, check: checkActivation },
];

function checkLogs(logs: readonly string[]): void {
  expect(logs).to.have.length(1);
  expect(logs[0]).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z +stdout: hi$/);
}

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
  expect(action.exec.kind).to.match(/^(nodejs:20|python:3|sequence|blackbox)$/);
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

const exec = {
  kind: "nodejs:default",
  code: 'function main() { console.log("hi"); return { msg: "hi" }; }',
};
const failing = { ...exec, code: 'function main() { return { error: "boom" }; }' };
const slow = { ...exec, code: "function main() { return new Promise((done) => setTimeout(done, 3000)); }" };

/** What is there when a command starts, in the order in which it can be made. */
const scene: readonly (readonly [path: string, body: unknown])[] = [
  ...["hello", "webby", "dup"].map((name) => [`actions/${name}`, { exec }] as const),
  ["actions/fail", { exec: failing }],
  ["actions/slow", { exec: slow }],
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

/** All that is there, with what changes when it is changed. */
async function present(server: ReplayedServer): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const type of ["rules", "triggers", "actions", "packages"] as const) {
    const { body } = await server.send("GET", `${namespaceUrl}/${type}?limit=0&skip=0`);
    for (const { namespace, name, version, updated } of body as {
      namespace: string;
      name: string;
      version: string;
      updated: number;
    }[]) {
      const inPackage = namespace === "guest" ? "" : `${namespace.slice("guest/".length)}/`;
      found.set(`${type}/${inPackage}${name}`, `${version} ${updated}`);
    }
  }
  return found;
}

/** Makes anew what is not as `before`, without what the command must not find. Gives what is there then. */
async function setScene(
  server: ReplayedServer,
  command: string,
  before: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const absent = absentFor(command);
  const found = await present(server);
  const kept = [...found].filter(([path, state]) => before.get(path) === state && !absent.includes(path));
  const keptPaths = new Set(kept.map(([path]) => path));
  for (const path of found.keys()) {
    if (!keptPaths.has(path)) await server.send("DELETE", `${namespaceUrl}/${path}`);
  }
  for (const [path, body] of scene.filter(([one]) => !absent.includes(one) && !keptPaths.has(one))) {
    const { status, text } = await server.send("PUT", `${namespaceUrl}/${path}`, body);
    expect(status, `${path}: ${text}`).to.equal(200);
  }
  return await present(server);
}

/** Replays one command after the other to a server, each in a scene that allows it. */
export class Replay {
  readonly #server: ReplayedServer;
  #scene: ReadonlyMap<string, string> = new Map();
  #isSceneIntact: boolean = false;

  constructor(server: ReplayedServer) {
    this.#server = server;
  }

  /** Throws where an answer is not as wsk needs it. */
  async run({ command, requests }: Recorded): Promise<void> {
    const server = this.#server;
    const needsAbsence = absentFor(command).length > 0;
    if (!this.#isSceneIntact || needsAbsence) this.#scene = await setScene(server, command, this.#scene);
    this.#isSceneIntact = requests.every(({ method }) => method === "GET") && !needsAbsence;
    for (const [i, { method, path, body, auth }] of requests.entries()) {
      const as = auth === undefined ? [] : [{ auth: auth === "none" ? null : auth }];
      const answer = await server.send(method, pathFor(server, path), body, ...as);
      const isTaken = server.takesImages === true && /--(docker|native)/.test(command);
      const status = (isTaken ? undefined : unusualStatuses[command]?.[i]) ?? 200;
      expect(answer.status, `${method} ${path} gave ${answer.text}`).to.equal(status);
      checkBody(`${method} ${path}`, answer);
    }
  }
}

function pathFor({ activationId, waitMs }: ReplayedServer, path: string): string {
  const isWaiting = waitMs !== undefined && path.includes("/slow?blocking=true");
  return path.replace(recordedActivationId, activationId) + (isWaiting ? `&timeout=${waitMs}` : "");
}
