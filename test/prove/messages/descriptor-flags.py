import fcntl
import os


def leave(mark):
    for number in (0, 1, 2):
        fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_NONBLOCK | os.O_APPEND)
        fcntl.fcntl(number, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    return "left"


def read():
    return [[fcntl.fcntl(number, command) for command in (fcntl.F_GETFL, fcntl.F_GETFD)] for number in range(4)]
