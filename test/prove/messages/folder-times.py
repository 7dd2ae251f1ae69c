import os


def leave(mark):
    os.close(os.open("/dev/shm/file", os.O_CREAT))
    os.utime("/dev/shm")
    return "left"


def read():
    folder = os.stat("/dev/shm")
    return [folder.st_mtime_ns, folder.st_atime_ns]
