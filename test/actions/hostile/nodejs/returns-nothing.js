/** Returns nothing, which OpenWhisk reads as an empty object. */
function main() {}
