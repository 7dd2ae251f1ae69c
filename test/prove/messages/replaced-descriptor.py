import os


def leave(mark):
    read_end, write_end = os.pipe()
    os.write(write_end, mark.encode())
    os.dup2(read_end, 0)
    return "left"


def read():
    return os.read(0, 32).decode()
