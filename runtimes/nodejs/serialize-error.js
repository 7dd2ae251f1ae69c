// Turns what an action threw or rejected with into JSON, as OpenWhisk's nodejs runtime does (serialize-error).
"use strict";

// name, message, stack and code of an Error are not all enumerable, but callers rely on them; further own
// properties follow; functions are dropped; what would not end is cut.

const { entries, hasOwn } = Object;
const { isArray } = Array;
const { isBuffer } = Buffer;
const ERROR_PROPERTIES = ["name", "message", "stack", "code"];
const MAX_DEPTH = 100;

/** A value for the `error` field of an answer. Falsy values give `{}`, as a bare `reject()` does in OpenWhisk. */
function serializeError(value) {
  if (!value) return {};
  if (typeof value === "function") return `[Function: ${value.name || "anonymous"}]`;
  return typeof value === "object" ? copy(value, []) : value;
}

function copy(from, ancestors) {
  if (typeof from.toJSON === "function") return from.toJSON();
  const to = isArray(from) ? [] : {};
  const path = [...ancestors, from];
  for (const [key, value] of entries(from)) {
    if (typeof value === "function") continue;
    to[key] = copyProperty(value, path);
  }
  for (const key of ERROR_PROPERTIES) {
    if (typeof from[key] === "string" && !hasOwn(to, key)) to[key] = from[key];
  }
  return to;
}

function copyProperty(value, path) {
  if (value === null || typeof value !== "object") return value;
  if (isBuffer(value)) return "[object Buffer]";
  if (typeof value.pipe === "function") return "[object Stream]";
  if (path.includes(value)) return "[Circular]";
  return path.length >= MAX_DEPTH ? "[Object]" : copy(value, path);
}

module.exports = { serializeError };
