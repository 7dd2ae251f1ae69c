"""Computes digits of pi with exact fractions and with decimals: pure arithmetic that fills the heap."""
from decimal import Decimal, getcontext
from fractions import Fraction


def machin(digits):
    getcontext().prec = digits + 10

    def arctan(inverse):
        term = total = Decimal(1) / inverse
        n, sign = 1, 1
        while term > Decimal(10) ** -(digits + 5):
            term /= inverse * inverse
            n += 2
            sign = -sign
            total += sign * term / n
        return total

    return 4 * (4 * arctan(5) - arctan(239))


def main(args):
    digits = args.get("digits", 100)
    pi = str(machin(digits))[: digits + 2]
    egypt = Fraction(16, 9) ** 2
    return {"pi": pi, "egypt": str(egypt), "off_by": str(round(float(egypt) - float(pi), 12))}
