/** Hashes passwords, with a given salt and with one of its own, and checks them. */
const bcrypt = require("bcryptjs");

exports.main = async ({ password, salt }) => {
  const known = await bcrypt.hash(password, salt);
  const fresh = await bcrypt.hash(password, 6);
  return {
    known,
    matches: (await bcrypt.compare(password, known)) && (await bcrypt.compare(password, fresh)),
    refuses: !(await bcrypt.compare(password + "x", known)),
    fresh,
  };
};
