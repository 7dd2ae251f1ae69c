"""Has the kernel hand over bytes of the runtime's channel by the megabyte: the next frame is never read."""
import socket


def main(args):
    channel = socket.socket(fileno=3)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 << 20)
    channel.detach()
    return {"left": True}
