import socket


def leave(mark):
    channel = socket.socket(fileno=3)
    try:
        channel.bind("\0" + mark)
    finally:
        channel.detach()
    return "left"


def read():
    channel = socket.socket(fileno=3)
    try:
        return repr(channel.getsockname())
    finally:
        channel.detach()
