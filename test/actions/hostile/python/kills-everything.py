"""Signals every process it may signal, the container's first one by name too."""
import errno
import os
import signal


def main(args):
    answers = {}
    for pid in (-1, 1):
        try:
            os.kill(pid, signal.SIGKILL)
            answers[str(pid)] = "sent"
        except OSError as problem:
            answers[str(pid)] = errno.errorcode[problem.errno]
    return {"answered": True, "answers": answers}
