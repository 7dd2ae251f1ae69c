import os
import stat


def leave(mark):
    at = int(mark[:8], 16)
    devices = [f"/dev/{name}" for name in os.listdir("/dev") if stat.S_ISCHR(os.lstat(f"/dev/{name}").st_mode)]
    return [attempt("utime", os.utime, file, times) for file in (0, *devices) for times in (None, (at, at))]


def read():
    return os.fstat(0).st_mtime_ns
