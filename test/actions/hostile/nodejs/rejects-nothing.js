/** Rejects without a reason. */
function main() {
  return Promise.reject();
}
