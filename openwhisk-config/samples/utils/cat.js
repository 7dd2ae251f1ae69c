// Joins the lines it is given into one text.
function main({ lines = [] }) {
  return { lines, payload: lines.join("\n") };
}
