"""Leaves a child that holds the runtime's channel and outputs, and writes into them after the answer."""
import os
import time


def main(args):
    line = (args["marker"] + "\n").encode()
    if os.fork() == 0:
        time.sleep(1)
        while True:
            for fd in (1, 2, 3):
                try:
                    os.write(fd, line)
                except OSError:
                    pass
    return {"left": True}
