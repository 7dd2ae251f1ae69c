// A stand-in for OpenWhisk's command line, which is in no registry: the requests that a command line sends, in the form in
// which they were recorded. Speaks the commands of the documentation's first pages, and refuses all others.

import { basename, extname } from "node:path";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Files by name, as they would lie in the current folder. */
export type Files = Readonly<Record<string, string>>;

/** How many words follow each option. */
const wordsAfter: Readonly<Record<string, number>> = {
  ...{ "--param": 2, "--annotation": 2 },
  ...{
    "--kind": 1,
    "--limit": 1,
    "--skip": 1,
    "--sequence": 1,
    "--web": 1,
    "--shared": 1,
    "--param-file": 1,
  },
  ...{ "--blocking": 0, "--result": 0, "--last": 0, "--save": 0, "--strip": 0, "--summary": 0, "--url": 0 },
};
const long: Readonly<Record<string, string>> = {
  ...{ "-p": "--param", "-P": "--param-file", "-a": "--annotation", "-b": "--blocking" },
  ...{ "-r": "--result", "-l": "--last" },
};

/** A command line's words, by the shell's quotes. */
export function wordsOf(line: string): readonly string[] {
  const words = line.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g);
  return [...words].map(([word]) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) =>
      double === undefined ? single : double.replace(/\\(["\\])/g, "$1"),
    ),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** wsk sends what is JSON as such, and all else as text, in which \n is the end of a line. */
const parameterOf = (text: string): unknown => parsed(text) ?? parsed(`"${text}"`) ?? text;

class CommandLine {
  readonly names: readonly string[];
  readonly #options = new Map<string, string[]>();
  readonly #files: Files;

  constructor(words: readonly string[], files: Files) {
    const names: string[] = [];
    for (let i = 0; i < words.length; i++) {
      const word = long[words[i] ?? ""] ?? words[i] ?? "";
      if (!word.startsWith("-")) names.push(word);
      else {
        const count = wordsAfter[word];
        if (count === undefined) throw new Error(`the stand-in for wsk does not know ${word}`);
        const values = [...(this.#options.get(word) ?? []), ...words.slice(i + 1, i + 1 + count)];
        this.#options.set(word, values);
        i += count;
      }
    }
    this.names = names;
    this.#files = files;
  }

  has(option: string): boolean {
    return this.#options.has(option);
  }

  text(option: string): string | undefined {
    return this.#options.get(option)?.[0];
  }

  file(name: string): string {
    const content = this.#files[name];
    if (content === undefined) throw new Error(`no file ${name}`);
    return content;
  }

  /** Of `--param`, or of the file of `--param-file`. */
  get parameters(): Readonly<Record<string, unknown>> {
    const file = this.text("--param-file");
    return file === undefined ? this.#pairs("--param") : JSON.parse(this.file(file));
  }

  get annotations(): Readonly<Record<string, unknown>> {
    return this.#pairs("--annotation");
  }

  #pairs(option: string): Readonly<Record<string, unknown>> {
    const words = this.#options.get(option) ?? [];
    return Object.fromEntries(
      words.flatMap((word, i) => (i % 2 === 0 ? [[word, parameterOf(words[i + 1] ?? "")]] : [])),
    );
  }
}

const keysAndValues = (values: Readonly<Record<string, unknown>>): readonly object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

/** What is empty is not sent. */
const listed = (name: string, values: Readonly<Record<string, unknown>>): object =>
  Object.keys(values).length === 0 ? {} : { [name]: keysAndValues(values) };

/** `hello`, `demo/hello`, `/guest/demo/hello`. */
function placeOf(name: string): { readonly namespace: string; readonly rest: string } {
  const [, namespace, rest] = /^\/([^/]+)\/?(.*)$/.exec(name) ?? [];
  return { namespace: namespace ?? "_", rest: rest ?? name };
}

function urlOf(type: string, name: string, query = ""): string {
  const { namespace, rest } = placeOf(name);
  return `/api/v1/namespaces/${namespace}/${type}${rest && `/${rest}`}${query}`;
}

const qualified = (name: string): string => (name.startsWith("/") ? name : `/_/${name}`);

function webAnnotations(web: string | undefined): Readonly<Record<string, unknown>> {
  if (web === undefined) return {};
  const isOn = web !== "false" && web !== "no";
  return { "web-export": isOn, "raw-http": web === "raw", final: isOn };
}

const families: Readonly<Record<string, string>> = { ".js": "nodejs", ".py": "python", ".rb": "ruby" };

function execOf(line: CommandLine, source: string | undefined): object {
  const sequence = line.text("--sequence");
  if (sequence !== undefined)
    return { exec: { kind: "sequence", components: sequence.split(",").map(qualified) } };
  if (source === undefined) return {};
  const kind = line.text("--kind") ?? `${families[extname(basename(source))]}:default`;
  return { exec: { kind, code: line.file(source) } };
}

function putAction(line: CommandLine, isUpdate: boolean): readonly Request[] {
  const [name = "", source] = line.names;
  const { namespace, rest } = placeOf(name);
  if (source === undefined && line.has("--web"))
    throw new Error("the stand-in for wsk does not keep an action's other annotations");
  const annotations = { ...line.annotations, ...webAnnotations(line.text("--web")) };
  const body = {
    ...{ namespace, name: rest },
    ...execOf(line, source),
    ...listed("annotations", annotations),
    ...listed("parameters", line.parameters),
  };
  const put = { method: "PUT", path: urlOf("actions", name, `?overwrite=${isUpdate}`), body };
  return isUpdate ? [{ method: "GET", path: urlOf("actions", name, "?code=false") }, put] : [put];
}

function putPackage(line: CommandLine, isUpdate: boolean): readonly Request[] {
  const [name = ""] = line.names;
  const body = {
    ...{ namespace: "_", name },
    ...(line.has("--shared") ? { publish: line.text("--shared") !== "no" } : {}),
    ...listed("annotations", line.annotations),
    ...listed("parameters", line.parameters),
  };
  return [{ method: "PUT", path: urlOf("packages", name, `?overwrite=${isUpdate}`), body }];
}

function bindPackage(line: CommandLine): readonly Request[] {
  const [bound = "", name = ""] = line.names;
  const { namespace, rest } = placeOf(bound);
  const body = { ...listed("parameters", line.parameters), binding: { namespace, name: rest } };
  return [{ method: "PUT", path: urlOf("packages", name, "?overwrite=false"), body }];
}

function putTrigger(line: CommandLine, isUpdate: boolean): readonly Request[] {
  const [name = ""] = line.names;
  const body = { name, ...listed("parameters", line.parameters) };
  return [{ method: "PUT", path: urlOf("triggers", name, `?overwrite=${isUpdate}`), body }];
}

function putRule(line: CommandLine, isUpdate: boolean): readonly Request[] {
  const [name = "", trigger = "", action = ""] = line.names;
  const body = { name, status: "", trigger: qualified(trigger), action: qualified(action) };
  return [{ method: "PUT", path: urlOf("rules", name, `?overwrite=${isUpdate}`), body }];
}

const turnRule = (line: CommandLine, status: string): readonly Request[] => [
  {
    ...{ method: "POST", path: urlOf("rules", line.names[0] ?? "") },
    body: { status, trigger: null, action: null },
  },
];

function invoke(line: CommandLine): readonly Request[] {
  const result = line.has("--result");
  const query = `?blocking=${result || line.has("--blocking")}&result=${result}`;
  return [{ method: "POST", path: urlOf("actions", line.names[0] ?? "", query), body: line.parameters }];
}

const one = (type: string, line: CommandLine, query = ""): readonly Request[] => [
  { method: "GET", path: urlOf(type, line.names[0] ?? "", query) },
];

const remove = (type: string, line: CommandLine): readonly Request[] => [
  { method: "DELETE", path: urlOf(type, line.names[0] ?? "") },
];

function list(type: string, line: CommandLine): readonly Request[] {
  const [of = ""] = line.names;
  const page = `limit=${line.text("--limit") ?? 30}`;
  const skip = `skip=${line.text("--skip") ?? 0}`;
  if (type === "activations")
    return [{ method: "GET", path: urlOf(type, "", `?${page}${of && `&name=${of}`}&${skip}`) }];
  const inPackage = of !== "" && !of.startsWith("/") ? "/" : "";
  return [{ method: "GET", path: urlOf(type, of, `${inPackage}?${page}&${skip}`) }];
}

/** `last` is the id of the newest activation, which wsk asks for first. */
function activation(line: CommandLine, part: string, last: string): readonly Request[] {
  if (line.has("--last") && line.names.length > 0)
    throw new Error("the stand-in for wsk does not look for the last of a name");
  const newest = { method: "GET", path: urlOf("activations", "", "?limit=1&skip=0") };
  const id = line.has("--last") ? last : (line.names[0] ?? "");
  const get = { method: "GET", path: urlOf("activations", `${id}${part}`) };
  return line.has("--last") ? [newest, get] : [get];
}

type Command = (line: CommandLine, last: string) => readonly Request[];

const commands: Readonly<Record<string, Command>> = {
  "action create": (line) => putAction(line, false),
  "action update": (line) => putAction(line, true),
  "action invoke": invoke,
  "action get": (line) => one("actions", line, `?code=${line.has("--save")}`),
  "action list": (line) => list("actions", line),
  "action delete": (line) => remove("actions", line),
  "activation list": (line) => list("activations", line),
  "activation get": (line, last) => activation(line, "", last),
  "activation result": (line, last) => activation(line, "/result", last),
  "activation logs": (line, last) => activation(line, "/logs", last),
  "package create": (line) => putPackage(line, false),
  "package update": (line) => putPackage(line, true),
  "package bind": bindPackage,
  "package get": (line) => one("packages", line),
  "package list": (line) => list("packages", line),
  "package delete": (line) => remove("packages", line),
  "trigger create": (line) => putTrigger(line, false),
  "trigger update": (line) => putTrigger(line, true),
  "trigger fire": (line) => [
    { method: "POST", path: urlOf("triggers", line.names[0] ?? ""), body: line.parameters },
  ],
  "trigger get": (line) => one("triggers", line),
  "trigger list": (line) => list("triggers", line),
  "rule create": (line) => putRule(line, false),
  "rule update": (line) => putRule(line, true),
  "rule enable": (line) => turnRule(line, "active"),
  "rule disable": (line) => turnRule(line, "inactive"),
  "rule get": (line) => one("rules", line),
  "rule status": (line) => one("rules", line),
};

/** `last` is the id of the newest activation. Throws for what it does not speak, and for files that there are not. */
export function requestsOf(command: string, files: Files, last = ""): readonly Request[] {
  const [program, type, verb, ...words] = wordsOf(command);
  const send = commands[`${type} ${verb}`];
  if (program !== "wsk" || send === undefined)
    throw new Error(`the stand-in for wsk does not speak: ${command}`);
  return send(new CommandLine(words, files), last);
}
