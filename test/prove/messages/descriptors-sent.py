import array
import os
import socket


def leave(mark):
    """A descriptor of its own, sent to the host."""
    channel = socket.socket(fileno=3)
    try:
        passed = array.array("i", [os.open("/tmp", os.O_RDONLY)])
        channel.sendmsg([bytes.fromhex(mark)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
    finally:
        channel.detach()
    return "left"


def read():
    return len(os.listdir("/tmp"))
