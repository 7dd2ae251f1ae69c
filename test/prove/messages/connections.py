import socket

kept = []


def leave(mark):
    """Listening, connected with bytes unread, half closed, with urgent data, bound, in a group; TCP and UDP, old and new."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        server = socket.create_server((address, 0), family=family)
        for _ in range(5):
            client = socket.create_connection(server.getsockname()[:2])
            accepted, _ = server.accept()
            client.sendall(mark.encode() * 100)
            accepted.send(b"!", socket.MSG_OOB)
            client.shutdown(socket.SHUT_WR)
            kept.extend((client, accepted))
        socket_ = socket.socket(family, socket.SOCK_DGRAM)
        socket_.bind((address, 0))
        socket_.sendto(mark.encode(), socket_.getsockname()[:2])
        kept.extend((server, socket_))
    group = socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1")
    kept[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    kept.append(member)
    return "left"


def read():
    found = {}
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "packet", "unix", "mcfilter", "igmp"):
        with open(f"/proc/self/net/{table}") as file:
            found[table] = file.readlines()[1:]
    return found
