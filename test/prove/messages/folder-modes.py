import os


def leave(mark):
    at, found = int(mark[:8], 16), []
    for place in ("/tmp", "/home/action", "/dev/shm"):
        found.append(attempt("chmod", os.chmod, place, 0o700))
        found.append(attempt("chown", os.chown, place, os.getuid(), -1))
        found.append(attempt("utime", os.utime, place, (at, at)))
        found.append(attempt("rename", os.rename, place, place + "2"))
    return found


def read():
    found = []
    for place in ("/tmp", "/home/action", "/dev/shm"):
        file = os.stat(place)
        found.append([file.st_mode, file.st_uid == os.getuid()])
    return found
