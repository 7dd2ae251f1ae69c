"""Shuts the connection down on which the runtime answers, and leaves the descriptor open."""
import socket


def main(args):
    socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)
    return {"answered": True}
