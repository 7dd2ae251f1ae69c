/** Returns an object of 1200 levels. */
function main() {
  let value = {};
  for (let level = 0; level < 1200; level++) value = { nested: value };
  return value;
}
