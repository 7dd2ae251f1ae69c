/** Issues identifiers: by name (always the same) and by chance (never the same). */
const { v4, v5, v7, validate, version } = require("uuid");

exports.main = ({ names, count = 3 }) => {
  const random = Array.from({ length: count }, () => v4());
  const ordered = Array.from({ length: count }, () => v7());
  return {
    named: names.map((name) => v5(name, v5.DNS)),
    valid: [...random, ...ordered].every((id) => validate(id)),
    versions: [...new Set([...random, ...ordered].map((id) => version(id)))],
    distinct: new Set([...random, ...ordered]).size,
    random,
    ordered,
    dice: Math.random(),
  };
};
