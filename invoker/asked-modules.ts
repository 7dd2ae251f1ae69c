// Which modules an action asks for, by its annotation or its source: only with these may a container have been prepared.

import { longestModuleName } from "../pool/index.ts";
import { isJsonArray, type Json } from "./wire/json.ts";

export interface AskedModules {
  /** All that it may import by what it says. */
  readonly modules: ReadonlySet<string>;
  /** Of these what it imports for sure, where that is run. */
  readonly imports: readonly string[];
}

const nothing: AskedModules = { modules: new Set(), imports: [] };

/** A longer source is not looked through. */
const longestSource = 256 * 1024;

/** What the annotation `libraries` says: names in a list, or in a text between commas or spaces. Undefined: nothing. */
export function modulesOfAnnotation(value: Json | undefined): AskedModules | undefined {
  if (!isJsonArray(value) && typeof value !== "string") return undefined;
  const names = isJsonArray(value)
    ? value.filter((name) => typeof name === "string")
    : value.split(/[\s,]+/).filter(Boolean);
  return { modules: new Set(names), imports: names };
}

/** Of a plain source text of the kind. Archives may have modules of their own by the same names, so they ask for none. */
export function modulesOfSource(kind: string, source: string): AskedModules {
  if (source.length > longestSource) return nothing;
  if (kind.startsWith("python:")) return modulesOfPython(source);
  return kind.startsWith("nodejs:") ? modulesOfNode(source) : nothing;
}

// A tenant chooses the text: nothing below looks at a place again for each place before it, so what is never closed goes to the end.

/** Its last three groups are the ends of texts that have one. */
const pythonTexts =
  /#[^\n]*|('''|""")(?:\\[\s\S]|(?!\1)[^\\])*(\1|)|'(?:\\[\s\S]|[^'\\\n])*('|)|"(?:\\[\s\S]|[^"\\\n])*("|)/g;
const pythonFromImport = /\bfrom[ \t]+([\w.]+)[ \t]+import\b[ \t]*(?:\(([^)]*)\)?|([^\n;]*))/g;
const pythonImport = /\bimport[ \t]+([^\n;]+)/g;
/** Decides by itself what an import finds, or what a module finds when it is imported; or may, by an index with one in it. */
const pythonOwnWays =
  /\bsys\s*\.\s*(?:path|modules|meta_path)|\bfrom\s+sys\s+import\b|\b(?:importlib|__import__|builtins|site|exec|eval)\b|\benviron\s*(?:\|?=(?!=)|\[[^\][]*(?:\]\s*\+?=(?!=)|\[|$)|\.\s*(?:setdefault|update|pop|popitem|clear)\b)|\bdel\s+(?:os\s*\.\s*)?environ\b|\b(?:un)?(?:set|put)env\b/;

/** Of `import a.b` these are `a` and `a.b`, of `from a import b` as well, for `b` may be a module. */
function modulesOfPython(source: string): AskedModules {
  const code = source
    .replaceAll(pythonTexts, (text, _, ...[ofThree, single, double]: string[]) => {
      if (text.startsWith("#")) return "";
      return ofThree || single || double ? '""' : text;
    })
    .replaceAll("\\\n", " ");
  if (pythonOwnWays.test(code)) return nothing;
  const [modules, imports] = [new Set<string>(), new Set<string>()];
  const ask = (name: string, isSure: boolean): void => {
    if (name.length > longestModuleName || !/^\w+(?:\.\w+)*$/.test(name)) return;
    if (isSure) imports.add(name);
    const parts = name.split(".");
    for (let i = 1; i <= parts.length; i++) modules.add(parts.slice(0, i).join("."));
  };
  const rest = code.replaceAll(pythonFromImport, (_, from: string, inside?: string, beside?: string) => {
    ask(from, true);
    for (const name of namesIn(inside ?? beside ?? "")) ask(`${from}.${name}`, false);
    return "";
  });
  for (const [, names = ""] of rest.matchAll(pythonImport))
    for (const name of namesIn(names)) ask(name, true);
  return { modules, imports: [...imports] };
}

/** Without what they are called afterwards. */
function namesIn(list: string): readonly string[] {
  return list.split(",").map((item) => item.trim().split(/\s/)[0] ?? "");
}

/** Its group is what is no comment. */
const nodeTextsAndComments =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|("(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|`(?:\\[\s\S]|[^`\\])*`?|\/\*[\s\S]*)/g;
const nodeRequest = /\b(?:require\s*\(|from|import(?:\s*\()?)\s*(["'`])([^"'`\n]+)\1/g;
const nodeOwnWays =
  /\brequire\s*\.\s*(?:cache|extensions)|\b_load\b|\bcreateRequire\b|["'`](?:node:)?module["'`]|\beval\b|\bprocess\s*\.\s*(?:binding|env\s*(?:=(?!=)|\.\s*\w+\s*(?:\+|\|\||&&|\?\?)?=(?!=)|\[[^\][]*(?:\]\s*(?:\+|\|\||&&|\?\?)?=(?!=)|\[|$)))|\bdelete\s+process\s*\.\s*env\b|\(\s*process\s*\.\s*env\s*,/;

/** As they are written there, of the package itself or of a file in it. */
function modulesOfNode(source: string): AskedModules {
  const code = source.replaceAll(nodeTextsAndComments, (_, text?: string) => text ?? " ");
  if (nodeOwnWays.test(code)) return nothing;
  const names = Array.from(code.matchAll(nodeRequest), ([, , name = ""]) =>
    name.replace(/^node:/, ""),
  ).filter((name) => name.length <= longestModuleName);
  return { modules: new Set(names), imports: [...new Set(names)] };
}
