import socket

IP_MINTTL = 21
kept = []


def leave(mark):
    """A connection that is closed with bytes unsent, and hears neither that they are taken nor that nobody is there: it goes on for long."""
    server = socket.create_server(("127.0.0.1", 0))
    sender = socket.create_connection(server.getsockname())
    receiver, _ = server.accept()
    sender.setblocking(False)
    try:
        while True:
            sender.send(mark.encode() * 1000)
    except BlockingIOError:
        sender.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)
    kept.extend((server, sender, receiver))
    return "left"


def read():
    with open("/proc/self/net/tcp") as file:
        return len(file.readlines())
