"""Puts something else in the place of the descriptor on which the runtime answers."""
import os


def main(args):
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 3)
    os.close(null)
    return {"answered": True}
