"""Touches memory until there is no more."""


def main(args):
    kept = []
    while True:
        kept.append(b"x" * (8 << 20))
