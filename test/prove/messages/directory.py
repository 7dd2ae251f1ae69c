import os


def leave(mark):
    os.chdir("/tmp")
    return "left"


def read():
    return os.getcwd()
