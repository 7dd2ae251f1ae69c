// Media types of bodies: which are text, which travel in base64, and how they are written.

export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  /** As `; name=value`, without the charset. */
  readonly parameters: string;
  readonly hasCharset: boolean;
}

const token = "[\\w!#$%&'*+.^`|~-]+";
const parameter = `\\s*;\\s*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*")`;
const grammar = new RegExp(`^\\s*(${token})/(${token})((?:${parameter})*)\\s*;?\\s*$`);

/** Types beside `text/…` that OpenWhisk's HTTP server knows as text; any other counts as binary, unless it names its charset. */
const textTypes: ReadonlySet<string> = new Set(
  [
    ...["atom+xml", "javascript", "json", "json-patch+json", "merge-patch+json", "problem+json", "rss+xml"],
    ...["soap+xml", "vnd.api+json", "vnd.google-earth.kml+xml", "x-latex", "x-vrml"],
    ...["x-www-form-urlencoded", "xhtml+xml", "xml", "xml-dtd"],
  ].map((subtype) => `application/${subtype}`),
);

/** Reads a `Content-Type`; undefined: it is none. */
export function parseMediaType(text: string): MediaType | undefined {
  const [, type, subtype, list = ""] = grammar.exec(text) ?? [];
  if (type === undefined || subtype === undefined) {
    return undefined;
  }
  const parameters = list.match(new RegExp(parameter, "g")) ?? [];
  const others = parameters.filter((one) => !/^\s*;\s*charset=/i.test(one));
  return {
    essence: `${type}/${subtype}`.toLowerCase(),
    parameters: others.map((one) => `; ${one.replace(/^\s*;\s*/, "")}`).join(""),
    hasCharset: others.length < parameters.length,
  };
}

export function isJsonType({ essence }: MediaType): boolean {
  return essence === "application/json" || essence.endsWith("+json");
}

export function isTextType({ essence, hasCharset }: MediaType): boolean {
  return hasCharset || essence.startsWith("text/") || textTypes.has(essence);
}

/** As a header: text is sent in UTF-8, whatever its action says. JSON is always so and does not say it. */
export function contentTypeOf(type: MediaType): string {
  const saysCharset = isTextType(type) && !isJsonType(type);
  return `${type.essence}${type.parameters}${saysCharset ? "; charset=UTF-8" : ""}`;
}
