// Returns its arguments as they came.
function main(args) {
  return args;
}
