import os
import sys


def leave(mark):
    at, found = int(mark[:8], 16), []
    for file in (os.path.realpath(sys.executable), os.__file__, "/etc/passwd", "/dev/null", "/runtime/python/proxy.py"):
        found.append(attempt("chmod", os.chmod, file, 0o777))
        found.append(attempt("utime", os.utime, file, (at, at)))
        found.append(attempt("rename", os.rename, file, file + "2"))
        found.append(attempt("setxattr", os.setxattr, file, "user.mark", mark.encode()))
    for folder in ("/", "/usr", "/etc", "/dev", "/run", "/runtime"):
        found.append(attempt("mkdir", os.mkdir, f"{folder}/{mark}"))
    return found


def read():
    return [sorted(os.listdir(folder)) for folder in ("/", "/usr", "/etc", "/dev", "/run", "/runtime")]
