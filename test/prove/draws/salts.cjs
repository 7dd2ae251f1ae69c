// One value of what bcryptjs makes, which the action brings.
const { genSaltSync } = require("bcryptjs");

module.exports = { draw: () => ({ salt: genSaltSync(4) }) };
