/** Has no function of the name asked for. */
function hello() {
  return {};
}
