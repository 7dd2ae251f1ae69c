"""Returns None."""


def main(args):
    return None
