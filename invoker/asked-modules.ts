// Which modules an action asks for, by its annotation or its source: only with these may a container have been prepared.

import { isJsonArray, type Json } from "./wire/json.ts";

/** A longer source is not looked through. */
const longestSource = 256 * 1024;

/** What the annotation `libraries` says: names in a list, or in a text between commas or spaces. Undefined: nothing. */
export function modulesOfAnnotation(value: Json | undefined): ReadonlySet<string> | undefined {
  if (isJsonArray(value)) return new Set(value.filter((name) => typeof name === "string"));
  return typeof value === "string" ? new Set(value.split(/[\s,]+/).filter(Boolean)) : undefined;
}

/** Of a plain source text of the kind. Archives may have modules of their own by the same names, so they ask for none. */
export function modulesOfSource(kind: string, source: string): ReadonlySet<string> {
  if (source.length > longestSource) return new Set();
  if (kind.startsWith("python:")) return modulesOfPython(source);
  return kind.startsWith("nodejs:") ? modulesOfNode(source) : new Set();
}

const pythonTexts =
  /#[^\n]*|('''|""")(?:\\[\s\S]|(?!\1)[^\\])*\1|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/g;
const pythonFromImport = /\bfrom[ \t]+([\w.]+)[ \t]+import\b[ \t]*(?:\(([^)]*)\)|([^\n;]*))/g;
const pythonImport = /\bimport[ \t]+([^\n;]+)/g;
/** Decides by itself what an import finds, or what a module finds when it is imported. */
const pythonOwnWays =
  /\bsys\s*\.\s*(?:path|modules|meta_path)|\bfrom\s+sys\s+import\b|\b(?:importlib|__import__|builtins|site|exec|eval)\b|\benviron\s*(?:\[[^\]]*\]\s*=(?!=)|\.\s*(?:setdefault|update|pop|clear)\b)|\b(?:un)?(?:set|put)env\b/;

/** Of `import a.b` these are `a` and `a.b`, of `from a import b` as well, for `b` may be a module. */
function modulesOfPython(source: string): ReadonlySet<string> {
  const code = source
    .replaceAll(pythonTexts, (text) => (text.startsWith("#") ? "" : '""'))
    .replaceAll("\\\n", " ");
  if (pythonOwnWays.test(code)) return new Set();
  const asked = new Set<string>();
  const ask = (name: string): void => {
    if (!/^\w+(?:\.\w+)*$/.test(name)) return;
    const parts = name.split(".");
    for (let i = 1; i <= parts.length; i++) asked.add(parts.slice(0, i).join("."));
  };
  const rest = code.replaceAll(pythonFromImport, (_, from: string, inside?: string, beside?: string) => {
    ask(from);
    for (const name of namesIn(inside ?? beside ?? "")) ask(`${from}.${name}`);
    return "";
  });
  for (const [, names = ""] of rest.matchAll(pythonImport)) for (const name of namesIn(names)) ask(name);
  return asked;
}

/** Without what they are called afterwards. */
function namesIn(list: string): readonly string[] {
  return list.split(",").map((item) => item.trim().split(/\s/)[0] ?? "");
}

const nodeTextsAndComments =
  /("(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const nodeRequest = /\b(?:require\s*\(|from|import\s*\(?)\s*(["'`])([^"'`\n]+)\1/g;
const nodeOwnWays =
  /\brequire\s*\.\s*(?:cache|extensions)|\b_load\b|\bcreateRequire\b|["'`](?:node:)?module["'`]|\beval\b|\bprocess\s*\.\s*(?:binding|env\s*(?:\.\s*\w+|\[[^\]]*\])\s*=(?!=))/;

/** As they are written there, of the package itself or of a file in it. */
function modulesOfNode(source: string): ReadonlySet<string> {
  const code = source.replaceAll(nodeTextsAndComments, (_, text?: string) => text ?? " ");
  if (nodeOwnWays.test(code)) return new Set();
  return new Set(Array.from(code.matchAll(nodeRequest), ([, , name = ""]) => name.replace(/^node:/, "")));
}
