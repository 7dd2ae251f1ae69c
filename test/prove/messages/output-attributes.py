import os


def leave(mark):
    at = int(mark[:8], 16)
    found = [attempt("utime", os.utime, 0)]
    for number in range(4):
        found.append(attempt("fchmod", os.fchmod, number, 0o700))
        found.append(attempt("fchown", os.fchown, number, os.getuid(), os.getgid()))
        found.append(attempt("utime", os.utime, number, (at, at)))
    return found


def read():
    return [[file.st_mode, file.st_uid == os.getuid()] for file in map(os.fstat, range(4))]
