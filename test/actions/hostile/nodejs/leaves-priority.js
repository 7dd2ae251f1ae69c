/** Leaves its process at the lowest priority. */
function main() {
  const os = require("os");
  let refused = "nothing";
  try {
    os.setPriority(0, 19);
  } catch (error) {
    refused = error.code;
  }
  return { left: true, refused };
}
