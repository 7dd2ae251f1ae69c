import socket

kept = []


def leave(mark):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        kept.append(socket.socket(socket.AF_UNIX, kind))
        kept[-1].bind(f"\0{mark}{kind}")
    return "left"


def read():
    with open("/proc/self/net/unix") as file:
        return [line.split()[7:] for line in file.readlines()[1:]]
