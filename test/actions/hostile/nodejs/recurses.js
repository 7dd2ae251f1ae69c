/** Recurses without end. */
function main(params) {
  return main({ ...params });
}
