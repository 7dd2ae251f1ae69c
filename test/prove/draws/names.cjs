// One value of what nanoid makes, which the action brings: it keeps a pool of random bytes.

async function draw() {
  const { customAlphabet, nanoid } = await import("nanoid");
  return { nanoid: nanoid(), "an alphabet": customAlphabet("0123456789abcdef", 20)() };
}

module.exports = { draw };
