"""Forks, and lets both processes return: two runtimes answer one question."""
import os


def main(args):
    return {"child": os.fork() == 0}
