// Puts lines in order: numbers by size, everything else as text.
function main({ lines }) {
  if (!Array.isArray(lines)) {
    return { error: "Expected an argument 'lines' of type 'array'." };
  }
  const areNumbers = lines.every((line) => typeof line === "number");
  const sorted = [...lines].sort(areNumbers ? (a, b) => a - b : undefined);
  return { lines: sorted, length: sorted.length };
}
