import os


def leave(mark):
    read_end, write_end = os.pipe()
    os.write(write_end, mark.encode())
    os.dup2(read_end, 400)
    return "left"


def read():
    try:
        return os.read(400, 32).decode()
    except OSError as error:
        return error.strerror
