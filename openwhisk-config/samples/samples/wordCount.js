// Counts the words of a text.
function main({ payload }) {
  const words = String(payload ?? "")
    .split(/\s+/)
    .filter((word) => word !== "");
  console.log(`The message '${payload}' has ${words.length} words`);
  return { count: words.length };
}
