import os


def leave(mark):
    os.umask(0o70)
    return "left"


def read():
    return [line for line in open("/proc/self/status") if line.startswith("Umask")]
