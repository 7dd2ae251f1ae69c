/** Fills the JavaScript heap until there is no more. */
function main() {
  const kept = [];
  for (let i = 0; ; i++) kept.push({ i, text: `text ${i}`, inner: [i, i + 1] });
}
