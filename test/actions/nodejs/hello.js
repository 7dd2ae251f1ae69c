/** Greets the caller, as in OpenWhisk's own tutorial. */
function main(params) {
  const name = params.name || "World";
  return { payload: "Hello, " + name + "!" };
}
