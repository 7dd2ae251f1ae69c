"""Reads where there is no memory."""
import ctypes


def main(args):
    return {"text": ctypes.string_at(8)}
