import array
import socket

kept = []


def leave(mark):
    """Sockets that only know of each other, as soon as the last descriptor is closed: each is on the way to the other."""
    for number in range(300):
        one, other = socket.socketpair()
        named = socket.socket(socket.AF_UNIX)
        named.bind(f"\0{mark}{number}")
        passed = array.array("i", [one.fileno(), other.fileno(), named.fileno()])
        one.sendmsg([mark.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        one.close()
        other.close()
        kept.append(named)
    return "left"


def read():
    with open("/proc/self/net/unix") as file:
        return [line.split()[7:] for line in file.readlines()[1:]]
