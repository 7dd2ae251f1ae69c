/** Is no JavaScript. */
function main( { return {} }
