/** Divides, and fails in the ways in which actions fail. */
function main({ a, b, how }) {
  if (b !== 0) return { quotient: a / b };
  if (how === "reject") return Promise.reject(new RangeError("division by zero"));
  if (how === "reject plainly") return Promise.reject({ code: 42, message: "division by zero" });
  return { error: "division by zero", note: "siblings of an error are dropped by the invoker" };
}
