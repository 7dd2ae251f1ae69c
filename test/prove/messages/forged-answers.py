import os
import struct


def leave(mark):
    """Well-formed answers to a question that nobody asked."""
    body = b'{"said":"forged"}'
    frame = bytes.fromhex(mark) + bytes([4]) + struct.pack("<H", 200) + body
    os.write(3, (struct.pack("<I", len(frame)) + frame) * 3)
    return "left"


def read():
    return "quiet"
