import os


def leave(mark):
    os.close(0)
    return "left"


def read():
    return os.fstat(0).st_rdev
