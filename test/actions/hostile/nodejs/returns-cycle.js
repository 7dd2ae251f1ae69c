/** Returns what JSON cannot express: a cycle. */
function main() {
  const result = { name: "cycle" };
  result.self = result;
  return result;
}
