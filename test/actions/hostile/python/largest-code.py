"""Runs, however much follows."""


def main(args):
    return {"ran": True}
