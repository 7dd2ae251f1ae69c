"""Writes the head of a very long frame where the runtime answers."""
import os


def main(args):
    os.write(3, b"\xff\xff\xff\x7f\x01\x02\x03")
    return {"answered": True}
