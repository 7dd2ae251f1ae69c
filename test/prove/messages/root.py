import os


def leave(mark):
    folder = put(b"/tmp\0")
    return [attempt("chroot", folder), attempt("pivot_root", folder, folder)]


def read():
    return os.readlink("/proc/self/root")
