"""Waits for what nobody will tell it."""
import threading


def main(args):
    threading.Event().wait()
