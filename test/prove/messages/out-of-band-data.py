import socket


def leave(mark):
    channel = socket.socket(fileno=3)
    try:
        channel.send(bytes.fromhex(mark[:2]), socket.MSG_OOB)
    finally:
        channel.detach()
    return "left"


def read():
    return act("ioctl", 3, 0x5411, put(bytes(4))) + int.from_bytes(take(4), "little")
