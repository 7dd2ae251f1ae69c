// One value of each sort of uuid that a newer package makes, which the action brings: it keeps a pool of random bytes.
const { v1, v4, v6, v7 } = require("uuid");

function draw() {
  // The time comes first or last.
  return {
    v4: v4(),
    "v1, but for the time": v1().slice(19),
    "v6, but for the time": v6().slice(19),
    "v7, but for the time": v7().slice(19),
  };
}

module.exports = { draw };
