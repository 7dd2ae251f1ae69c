"""Prints three megabytes, most of them on one line."""
import sys


def main(args):
    for i in range(20000):
        print("line", i, "x" * 40)
    print("y" * (2 << 20), file=sys.stderr)
    return {"answered": True}
