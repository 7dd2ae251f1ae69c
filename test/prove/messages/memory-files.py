import os


def leave(mark):
    file = os.memfd_create(mark)
    os.write(file, mark.encode())
    os.dup2(file, 300)
    return "left"


def read():
    try:
        return [os.readlink("/proc/self/fd/300"), os.pread(300, 32, 0).decode()]
    except OSError as error:
        return error.strerror
