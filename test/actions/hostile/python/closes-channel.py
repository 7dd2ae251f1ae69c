"""Closes the descriptor on which the runtime answers."""
import os


def main(args):
    os.close(3)
    return {"answered": True}
