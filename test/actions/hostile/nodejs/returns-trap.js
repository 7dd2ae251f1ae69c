/** Returns an object that fails when it is looked at. */
function main() {
  return {
    toJSON() {
      throw new Error("do not look");
    },
  };
}
