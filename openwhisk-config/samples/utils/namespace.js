// Tells the namespace it was invoked in.
function main() {
  return { namespace: process.env.__OW_NAMESPACE };
}
