/** Has something else under the name asked for. */
const main = { not: "a function" };
