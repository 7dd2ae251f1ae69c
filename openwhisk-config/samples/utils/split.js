// Cuts a text into lines, or at another separator (a text or a regular expression).
function main({ payload = "", separator = "\\r?\\n" }) {
  const text = String(payload);
  return { lines: text.split(new RegExp(separator)), payload: text };
}
