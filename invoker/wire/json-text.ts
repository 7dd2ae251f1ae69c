// Parts of a JSON text as text: users' numbers travel as they were written, which parsing and printing would change.

const quote = 0x22;
const backslash = 0x5c;
const bracketOrQuote = /["{}[\]]/g;
const afterScalar = /[,}\]\s]/g;

/** The members of an object, name to value text; of a name that occurs twice the last. `text` must be a valid JSON object. */
export function memberTexts(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = skipBlank(text, text.indexOf("{") + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = endOfString(text, at);
    const name: unknown = JSON.parse(text.slice(at, nameEnd));
    const valueStart = skipBlank(text, text.indexOf(":", nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.set(String(name), text.slice(valueStart, valueEnd));
    at = skipBlank(text, skipBlank(text, valueEnd) + 1);
  }
  return members;
}

/** The object with these members: the reverse of `memberTexts`. */
export function objectText(members: ReadonlyMap<string, string>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

/** True iff objects and arrays lie within each other on more than `levels` levels. `text` must be valid JSON. */
export function isNestedBeyond(levels: number, text: string): boolean {
  // Each level has two brackets.
  if (text.length <= 2 * levels) return false;
  let depth = 0;
  for (let at = 0; depth <= levels; ) {
    bracketOrQuote.lastIndex = at;
    const mark = bracketOrQuote.exec(text);
    if (mark === null) return false;
    if (mark[0] === '"') {
      at = endOfString(text, mark.index);
    } else {
      depth += mark[0] === "{" || mark[0] === "[" ? 1 : -1;
      at = mark.index + 1;
    }
  }
  return true;
}

/** The place of the first character at or after `from` that is no blank. */
export function skipBlank(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); ) {
    code = text.charCodeAt(++at);
  }
  return at;
}

/** The place after the value that starts at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== "{" && first !== "[") return endOfScalar(text, start);
  let depth = 0;
  let at = start;
  do {
    bracketOrQuote.lastIndex = at;
    const mark = bracketOrQuote.exec(text);
    if (mark === null) return text.length;
    if (mark[0] === '"') {
      at = endOfString(text, mark.index);
    } else {
      depth += mark[0] === "{" || mark[0] === "[" ? 1 : -1;
      at = mark.index + 1;
    }
  } while (depth > 0);
  return at;
}

/** The place after the number, boolean or null that starts at `start`. */
export function endOfScalar(text: string, start: number): number {
  afterScalar.lastIndex = start;
  return afterScalar.exec(text)?.index ?? text.length;
}

/** The place after the string whose opening quote is at `start`. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}
