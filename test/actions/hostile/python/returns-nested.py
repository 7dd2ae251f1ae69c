"""Returns an object of 1200 levels."""
import sys


def main(args):
    sys.setrecursionlimit(100_000)
    value = {}
    for _ in range(1200):
        value = {"nested": value}
    return value
