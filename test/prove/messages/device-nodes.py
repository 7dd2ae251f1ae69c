import os
import stat


def leave(mark):
    found = []
    for kind, major, minor in ((stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 5, 2)):
        found.append(attempt("mknod", put(b"/tmp/node\0"), kind | 0o666, os.makedev(major, minor)))
    return found


def read():
    return sorted(os.listdir("/dev"))
