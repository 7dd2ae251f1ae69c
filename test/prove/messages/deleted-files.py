import os

kept = []


def leave(mark):
    """One that is open, one that is only mapped, one that is only under way between two sockets."""
    import array
    import mmap
    import socket

    for name in ("open", "mapped", "sent"):
        kept.append(os.open(f"/tmp/{name}", os.O_RDWR | os.O_CREAT))
        os.write(kept[-1], mark.encode() * 100)
        os.unlink(f"/tmp/{name}")
    kept.append(mmap.mmap(kept[1], 0))
    pair = socket.socketpair()
    pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [kept[2]]))])
    kept.extend(pair)
    os.close(kept[1])
    os.close(kept[2])
    return "left"


def read():
    space = os.statvfs("/tmp")
    return [space.f_bfree, space.f_ffree]
