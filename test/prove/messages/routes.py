import socket
import struct

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWRULE, RTM_SETNEIGHTBL = 16, 20, 24, 28, 32, 67
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400


def ask(kind, body):
    asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
    asking.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    (code,) = struct.unpack_from("=i", asking.recv(4096), 16)
    if code != 0:
        raise OSError(-code, "netlink")


def leave(mark):
    """A link's name, an address, a route, a neighbour, a rule; by netlink and by requests."""
    found = [attempt("sendto", ask, kind, bytes(32)) for kind in (RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWRULE, RTM_SETNEIGHTBL)]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for request in (0x890B, 0x8914, 0x8916, 0x8922, 0x8923, 0x8955):
        found.append(attempt("ioctl", datagrams.fileno(), request, put(b"lo".ljust(40, b"\0"))))
    return found


def read():
    found = []
    for table in ("route", "ipv6_route", "if_inet6", "arp", "igmp"):
        with open(f"/proc/self/net/{table}") as file:
            found.append([" ".join(line.split()[:5]) for line in file])
    return found
