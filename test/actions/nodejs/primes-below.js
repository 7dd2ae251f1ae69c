/** Returns an array: the primes below a bound, by the sieve. */
function main({ bound = 100 }) {
  const composite = new Uint8Array(bound);
  const primes = [];
  for (let i = 2; i < bound; i++) {
    if (composite[i]) continue;
    primes.push(i);
    for (let j = i * i; j < bound; j += i) composite[j] = 1;
  }
  return primes;
}
