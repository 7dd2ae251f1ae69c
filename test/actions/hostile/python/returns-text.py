"""Returns a string."""


def main(args):
    return "only a text"
