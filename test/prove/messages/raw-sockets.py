import socket

KINDS = [(socket.AF_INET, 3, 1), (socket.AF_INET, 3, 255), (socket.AF_INET6, 3, 58), (17, 3, 0x300), (socket.AF_NETLINK, 3, 9),
    (socket.AF_NETLINK, 3, 12), (socket.AF_NETLINK, 3, 15), (socket.AF_NETLINK, 3, 16), (38, 5, 0), (40, 1, 0), (44, 3, 0), (21, 5, 0)]
IPPROTO_IPV6, IPV6_FLOWLABEL_MGR = 41, 32


def leave(mark):
    found = [attempt("socket", *kind) for kind in KINDS]
    label = put(bytes(16))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        found.append(attempt("setsockopt", datagrams.fileno(), IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, label, 32))
    return found


def read():
    found = []
    for table in ("raw", "raw6", "packet", "ip6_flowlabel"):
        with open(f"/proc/self/net/{table}") as file:
            found.append(file.readlines()[1:])
    return found
