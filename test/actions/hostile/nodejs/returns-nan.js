/** Returns numbers that JSON does not have: JavaScript writes null. */
function main() {
  return { nan: NaN, infinite: -Infinity, zero: -0 };
}
