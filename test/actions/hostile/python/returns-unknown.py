"""Returns what JSON cannot express: a set."""


def main(args):
    return {"set": {1, 2}}
