/** Merges YAML settings over defaults; shipped as a compressed tar. */
const fs = require("fs");
const path = require("path");
const YAML = require("yaml");

const defaults = YAML.parse(fs.readFileSync(path.join(__dirname, "defaults.yaml"), "utf8"));

function merge(under, over) {
  if (typeof under !== "object" || typeof over !== "object" || Array.isArray(over) || !over) return over;
  const merged = { ...under };
  for (const [key, value] of Object.entries(over)) merged[key] = key in under ? merge(under[key], value) : value;
  return merged;
}

exports.main = ({ yaml }) => {
  const settings = merge(defaults, YAML.parse(yaml));
  return { settings, yaml: YAML.stringify(settings) };
};
