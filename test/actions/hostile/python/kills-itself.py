"""Kills its own process."""
import os
import signal
import time


def main(args):
    os.kill(os.getpid(), signal.Signals[args.get("signal", "SIGKILL")])
    time.sleep(600)
