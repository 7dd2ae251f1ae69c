// Keeps the first lines: one, or as many as asked for.
function main({ lines = [], num = 1 }) {
  return { lines: lines.slice(0, num), num };
}
