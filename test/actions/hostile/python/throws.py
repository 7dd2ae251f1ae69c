"""Raises: what it raises is the action's own error, be it ever so odd."""


class Odd(Exception):
    def __str__(self):
        raise ValueError("do not look")


def main(args):
    what = args.get("what")
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "odd":
        raise Odd
    raise TypeError("boom")
