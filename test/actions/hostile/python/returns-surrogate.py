"""Returns half of a surrogate pair, and prints it."""


def main(args):
    return {"half": "\ud83d", "whole": "\U0001f600"}
