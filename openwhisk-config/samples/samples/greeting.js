// Greets someone from somewhere, and prints what it was given.
function main(params) {
  console.log("params:", params);
  return { msg: `Hello, ${params.name || "stranger"} from ${params.place || "somewhere"}!` };
}
