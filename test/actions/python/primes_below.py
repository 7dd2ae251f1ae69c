"""Returns an array: the primes below a bound, by the sieve."""


def main(args):
    bound = args.get("bound", 100)
    composite = bytearray(bound)
    primes = []
    for i in range(2, bound):
        if not composite[i]:
            primes.append(i)
            composite[i * i :: i] = b"\x01" * len(range(i * i, bound, i))
    return primes
