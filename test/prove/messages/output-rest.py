import os
import threading
import time


def leave(mark):
    """Threads that print until they end."""

    def write():
        while True:
            os.write(1, mark.encode() * 50)

    for _ in range(2):
        threading.Thread(target=write, daemon=True).start()
    time.sleep(0.01)
    return "left"


def read():
    """How many threads there are, and whether nothing lies in the pipe."""
    act("ioctl", 1, 0x541B, put(bytes(4)))
    return [threading.active_count(), int.from_bytes(take(4), "little")]
