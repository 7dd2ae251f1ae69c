// One action from init to its last run: states, environment, outcomes and error texts as OpenWhisk's nodejs runtime.
"use strict";

const { inspect } = require("node:util");
const { load, unpackArchive } = require("./load.js");
const { serializeError } = require("./serialize-error.js");

const { stringify } = JSON;
const { keys } = Object;
const { apply } = Reflect;
const { toUpperCase } = String.prototype;

const OK = 200;
const FORBIDDEN = 403;
const BAD_GATEWAY = 502;

/** Answers are `{status, body}`: an HTTP status, and the text that stock would send as HTTP body. */
class Action {
  /** `place` says where code goes; `report(...words)` writes a line to stderr. */
  constructor(place, report) {
    this.place = place;
    this.report = report;
    this.main = undefined;
    this.status = "ready";
  }

  /** Only unpacks; nothing of it runs. An archive that is refused here is refused by init, which says why. */
  unpack(bytes) {
    try {
      unpackArchive(this.place, bytes);
      return { status: OK, body: "{}" };
    } catch {
      return { status: BAD_GATEWAY, body: "{}" };
    }
  }

  /**
   * Loads the code. `header` is `{main, binary, env}`, `code` a text or, when binary, the archive's bytes; with `folder`, where those are
   * unpacked, there are none.
   */
  async init(header, code) {
    if (this.main !== undefined) return this.refused("Cannot initialize the action more than once.");
    if (this.status !== "ready") return this.refused(`System not ready, status is ${this.status}.`);
    const { main, binary, folder } = header;
    if (!main || typeof main !== "string" || (code.length === 0 && folder === undefined)) {
      return answerError(FORBIDDEN, "Missing main/no code to execute.");
    }
    this.status = "starting";
    try {
      setEnvironment(header.env);
      this.main = await load(this.place, { code, binary, folder, main });
    } catch (error) {
      this.status = "stopped";
      const text = textOfInitError(error);
      this.report(`Error during initialization: ${text}`);
      return answerError(BAD_GATEWAY, `Initialization has failed due to: ${text}`);
    }
    this.status = "ready";
    return { status: OK, body: '{"OK":true}' };
  }

  /** Calls the function. `body` is the parsed /run body. While one that `isShared` runs, others may. */
  async run(body, isShared = false) {
    if (this.main === undefined && this.status === "ready") return this.refused("System not initialized.");
    if (this.status !== "ready") return this.refused(`System not ready, status is ${this.status}.`);
    const parameters = body.value ?? {};
    if (typeof parameters !== "object") {
      const type = typeof parameters;
      return this.refused(`Internal system error: the argument must be a dictionary but has type '${type}'.`);
    }
    if (!isShared) this.status = "running";
    try {
      setActivationEnvironment(body);
      const answer = await this.called(parameters);
      if (!isShared) this.status = "ready";
      return answer;
    } catch (error) {
      this.status = "stopped";
      this.report(inspect(error));
      return answerError(BAD_GATEWAY, `An error has occurred: ${asText(error)}`);
    }
  }

  /** What main throws at once ends the action; what its promise rejects with is the action's own error. */
  async called(parameters) {
    const { main } = this;
    let result = main(parameters);
    try {
      result = await result;
    } catch (error) {
      return { status: OK, body: stringify({ error: serializeError(error) }) };
    }
    if (result === undefined) return { status: OK, body: "{}" };
    if (typeof result !== "object") {
      this.report(`Result must be of type object but has type "${typeof result}": ${inspect(result)}`);
      return answerError(BAD_GATEWAY, "The action did not return a dictionary.");
    }
    // biome-ignore lint/suspicious/noUnnecessaryConditions: a toJSON that returns undefined makes this undefined.
    return { status: OK, body: stringify(result) ?? "" };
  }

  refused(text) {
    this.report(`Internal system error: ${text}`);
    return answerError(FORBIDDEN, text);
  }
}

function answerError(status, error) {
  return { status, body: stringify({ error }) };
}

function setEnvironment(variables) {
  if (typeof variables !== "object" || variables === null) return;
  const names = keys(variables);
  for (let i = 0; i < names.length; i++) {
    const value = variables[names[i]];
    process.env[names[i]] =
      typeof value === "object" && value !== null ? stringify(value) : value ? String(value) : "";
  }
}

/** Every text beside `value` in a /run body is exported with a prefix. */
function setActivationEnvironment(body) {
  const names = keys(body);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name === "value" || typeof body[name] !== "string") continue;
    process.env[`__OW_${apply(toUpperCase, name, [])}`] = body[name];
  }
}

/** The stack without the proxy's own frames, and with the place of a syntax error after, not before, its message. */
function textOfInitError(error) {
  if (typeof error?.stack !== "string") return asText(error);
  const start = error.stack.indexOf(`${error.name}: `);
  const place =
    start > 0 && error instanceof SyntaxError ? error.stack.slice(0, error.stack.indexOf("\n")) : "";
  const lines = error.stack.slice(Math.max(start, 0)).split("\n");
  const own = lines.findIndex((line) => line.startsWith("    at ") && isOwnFrame(line));
  const kept = own === -1 ? lines : lines.slice(0, own);
  if (place !== "") kept.splice(1, 0, `    at ${place}`);
  return kept.join("\n");
}

function isOwnFrame(line) {
  return line.includes(__dirname) || line.includes("node:vm") || line.includes("node:internal");
}

function asText(value) {
  try {
    return String(value);
  } catch {
    return "a value that has no text";
  }
}

module.exports = { Action };
