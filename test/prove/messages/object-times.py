import os


def leave(mark):
    os.utime(3)
    print(mark, flush=True)
    return "left"


def read():
    return [[file.st_atime_ns, file.st_mtime_ns] for file in map(os.fstat, range(4))]
