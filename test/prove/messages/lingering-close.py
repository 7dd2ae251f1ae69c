import os
import socket
import struct

kept = []


def leave(mark):
    """A connection whose close waits a minute for what nobody reads; its receiver has the lower number, and ends later."""
    lower = os.dup(0)
    server = socket.create_server(("127.0.0.1", 0))
    sender = socket.socket()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    sender.connect(server.getsockname())
    receiver, _ = server.accept()
    sender.setblocking(False)
    try:
        while True:
            sender.send(mark.encode() * 1000)
    except BlockingIOError:
        sender.setblocking(True)
    os.dup2(receiver.fileno(), lower)
    receiver.close()
    kept.extend((server, sender))
    return "left"


def read():
    with open("/proc/self/net/tcp") as file:
        return len(file.readlines())
