"""Fails while it is loaded."""
raise RuntimeError("not today")


def main(args):
    return {}
