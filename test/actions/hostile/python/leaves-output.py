"""Leaves output unfinished: in Python's buffers, in the C library's, and a line without an end."""
import ctypes
import os
import sys
import threading
import time


def main(args):
    sys.stdout.write(args["marker"])
    sys.stderr.write(args["marker"] + " half a line")
    ctypes.CDLL(None).printf(b"%s in the C library's buffer", args["marker"].encode())
    os.write(1, b"no newline")

    def late():
        while True:
            time.sleep(0.001)
            print(args["marker"], "too late", flush=True)

    threading.Thread(target=late, daemon=True).start()
    return {"left": True}
