"""Closes every descriptor of its process, those of the runtime included."""
import os


def main(args):
    os.closerange(0, 1024)
    return {"answered": True}
