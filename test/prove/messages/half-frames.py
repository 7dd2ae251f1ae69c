import os


def leave(mark):
    """The head of an answer that never comes."""
    os.write(3, (1 << 20).to_bytes(4, "little") + bytes.fromhex(mark))
    return "left"


def read():
    return "quiet"
