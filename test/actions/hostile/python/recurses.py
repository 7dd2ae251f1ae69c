"""Recurses without end."""


def main(args):
    return main(dict(args))
