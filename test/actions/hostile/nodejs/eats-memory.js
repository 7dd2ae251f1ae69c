/** Touches memory outside the JavaScript heap until there is no more. */
function main() {
  const kept = [];
  for (let i = 1; ; i++) kept.push(Buffer.alloc(8 << 20, i));
}
