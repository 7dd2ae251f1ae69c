// Greets someone from somewhere.
function main({ name, payload, place }) {
  return { payload: `Hello, ${name ?? payload ?? "stranger"} from ${place ?? "somewhere"}!` };
}
