"""Forks in every process until the system refuses, and answers from the first."""
import os
import time


def main(args):
    first = os.getpid()
    refused = None
    while refused is None:
        try:
            os.fork()
        except OSError as problem:
            refused = problem.strerror
    if os.getpid() != first:
        time.sleep(600)
    return {"answered": True, "refused": refused}
