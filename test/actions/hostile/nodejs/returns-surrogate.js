/** Returns half of a surrogate pair. */
function main() {
  return { half: "\ud83d", whole: "\ud83d\ude00" };
}
