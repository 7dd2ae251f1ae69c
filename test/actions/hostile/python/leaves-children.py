"""Leaves children: asleep, busy, a daemon that left its session, a zombie, and one that ignores what it can."""
import os
import signal
import time


def child(action):
    if os.fork() == 0:
        try:
            action()
        finally:
            os._exit(0)


def stubborn():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.setsid()
    time.sleep(600)


def busy():
    while True:
        pass


def main(args):
    child(lambda: time.sleep(600))
    child(busy)
    child(stubborn)
    child(lambda: child(stubborn))
    child(lambda: None)
    time.sleep(0.1)
    return {"left": True}
