/** Issues and checks session tokens. */
const jwt = require("jsonwebtoken");

exports.main = ({ user, secret, issuedAt, token }) => {
  if (token) {
    try {
      const claims = jwt.verify(token, secret, { clockTimestamp: issuedAt + 60 });
      return { valid: true, claims };
    } catch (error) {
      return { valid: false, why: error.message };
    }
  }
  return { token: jwt.sign({ sub: user, iat: issuedAt }, secret, { expiresIn: "1h", algorithm: "HS256" }) };
};
