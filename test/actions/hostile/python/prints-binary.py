"""Prints bytes that are no text, half a character, a terminal's control codes and what looks like OpenWhisk's end marker."""
import os


def main(args):
    os.write(1, b"\x00\xff\xfe\xc3\x28\n")
    os.write(2, b"\x1b[2J\x1b]0;owned\x07\r\n")
    os.write(1, b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n")
    os.write(2, b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n")
    os.write(1, b"after the marker\n")
    os.write(1, b"\xe2\x82")
    return {"answered": True}
