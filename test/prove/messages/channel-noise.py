import os


def leave(mark):
    """More than the socket holds, so that it takes the host's reading to get rid of it; its beginning is no frame's head."""
    for _ in range(64):
        os.write(3, b"\xff" * 21 + bytes.fromhex(mark) * 4096)
    return "left"


def read():
    return "quiet"
