/** Throws at once: unlike a rejected promise, this ends the action. */
function main({ what }) {
  if (what === "null") throw null;
  if (what === "trap") {
    throw {
      get message() {
        throw new Error("do not look");
      },
      toString() {
        throw new Error("do not look");
      },
    };
  }
  throw new TypeError("boom");
}
