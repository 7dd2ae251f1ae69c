/** Measures how deeply its parameters are nested, without recursing. */
function main(params) {
  let depth = 0;
  for (let inner = params.nested; inner !== undefined && inner !== null; inner = inner.nested) depth++;
  return { depth };
}
