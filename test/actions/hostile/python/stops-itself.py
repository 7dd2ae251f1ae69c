"""Stops its own process with a signal that cannot be caught."""
import os
import signal


def main(args):
    os.kill(os.getpid(), signal.SIGSTOP)
    return {}
